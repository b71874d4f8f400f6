"""The operation vendors."""

from pathlib import Path

from graphql import build_schema

from schema.build import build_schema as build_gateway_schema
from tests.gateway import Gateway, UpstreamCall, gateway


async def test_all_four_vendors_are_answered_with_what_they_serve(empty: Gateway) -> None:
    """Which sandbox stands in, without asking any vendor."""
    assert await empty.run("vendors") == {
        "vendors": [
            _status("ARCHITECT", "createPersonLog", "createProspectLog", "person", "prospect"),
            _status("BIRD", "createContact", "contact", "contacts"),
            _status("ARTU", "syncContactMethods", "contactMethod", "contactMethods"),
            _status("REEVO", "logActivity", "activity", "activities"),
        ]
    }
    assert empty.calls() == []


async def test_every_capability_is_a_field_of_the_schema(empty: Gateway) -> None:
    """What a vendor serves is named as it is asked for."""
    schema = build_schema(build_gateway_schema().as_str())
    roots = [schema.query_type, schema.mutation_type]
    fields = {name for root in roots if root for name in root.fields}
    served = {name for vendor in (await empty.run("vendors"))["vendors"] for name in vendor["capabilities"]}
    assert served
    assert served <= fields


async def test_a_vendor_without_credentials_is_not_available(tmp_path: Path) -> None:
    """And no sandbox stands in for it."""
    upstream: list[UpstreamCall] = []
    environ = {"SWITCHBOARD_SANDBOX_KEY": "on"}
    async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
        vendors = (await served.run("vendors"))["vendors"]
    assert {(each["available"], each["sandboxed"]) for each in vendors} == {(False, False)}


def _status(vendor: str, *capabilities: str) -> dict[str, object]:
    return {
        "vendor": vendor,
        "environment": "TEST",
        "available": True,
        "sandboxed": True,
        "capabilities": list(capabilities),
    }
