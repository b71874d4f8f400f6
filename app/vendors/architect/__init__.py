"""Architect: people, prospects and their logs."""

from collections.abc import Mapping

from starlette.types import ASGIApp

from app.sandbox.world import World
from app.vendor import HeaderAuth, VendorSpec
from app.vendors.architect import adapter, client, wire
from schema.vendor import Vendor

API_KEY = "ARCHITECT_API_KEY"


def _sandbox(world: World | None) -> ASGIApp:
    from app.vendors.architect.sandbox import create_sandbox  # noqa: PLC0415  # only who plays needs it

    return create_sandbox(world)


def _sandbox_values() -> Mapping[str, str]:
    from app.vendors.architect import sandbox  # noqa: PLC0415

    return {API_KEY: sandbox.SANDBOX_KEY}


SPEC = VendorSpec(
    vendor=Vendor.ARCHITECT,
    base_url="https://api.tryarchitect.com",
    variables=(API_KEY,),
    capabilities=("createPersonLog", "createProspectLog", "person", "prospect"),
    auth=lambda values, _: HeaderAuth(lambda: {"x-api-key": values[API_KEY].get_secret_value()}),
    complaint=wire.read_complaint,
    paths={
        "person-logs.create": "/v0/person_logs",
        "prospect-logs.create": "/v0/prospect_logs",
        "person-logs.get": "/v0/persons/{personId}/logs/{logId}",
    },
    client=lambda rest, _: client.ArchitectClient(rest),
    adapters=adapter.ADAPTERS,
    sandbox=_sandbox,
    sandbox_values=_sandbox_values,
)
