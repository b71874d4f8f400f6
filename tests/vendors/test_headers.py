"""What goes to a vendor beside the body: exactly these headers, and nothing from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.main import VERSION
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from tests.canaries.keys import canary
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.vendors.faults import faulty, silence

COMMON = {
    "accept": "application/json",
    "accept-encoding": "identity",
    "connection": "keep-alive",
    "user-agent": f"switchboard/{VERSION}",
}
JSON = {**COMMON, "content-type": "application/json"}
AUTH: Mapping[str, Mapping[str, str]] = {
    "ARCHITECT": {"x-api-key": canary("architect")},
    "BIRD": {"authorization": f"AccessKey {canary('bird')}"},
    "ARTU": {"authorization": f"Bearer {canary('artu')}", "x-environment": "test"},
    "REEVO": {"authorization": f"Bearer {canary('reevo')}"},
}
LOG_INPUT = {"source": "web", "payload": {}, "emailAddress": "ada@example.com"}
SYNC_INPUT = {"client": {"clientId": FIRST_CLIENT_ID}, "items": [{"type": "EMAIL", "value": "a@example.com"}]}
MUTATIONS: list[tuple[str, dict[str, Any], str]] = [
    ("create_person_log", LOG_INPUT, "ARCHITECT"),
    ("create_prospect_log", LOG_INPUT, "ARCHITECT"),
    ("create_contact", {"displayName": "Ada"}, "BIRD"),
    ("sync_contact_methods", SYNC_INPUT, "ARTU"),
    ("log_activity", {"subject": "Call"}, "REEVO"),
]


def own_headers(call: UpstreamCall) -> dict[str, str]:
    """All but those that follow from the address and the body."""
    return {name: value for name, value in call.headers.items() if name not in {"host", "content-length"}}


@pytest.mark.parametrize(("operation", "given", "vendor"), MUTATIONS)
async def test_a_write_carries_these_headers_and_no_other(
    operation: str, given: dict[str, Any], vendor: str, empty: Gateway
) -> None:
    """The vendor's own scheme of authentication, to the letter; no cookie; no header of the caller."""
    await empty.run(operation, {"input": given})
    assert [(call.vendor, own_headers(call)) for call in empty.upstream] == [(vendor, {**JSON, **AUTH[vendor]})]


async def test_a_read_without_a_body_has_no_content_type(empty: Gateway) -> None:
    """And otherwise the same headers."""
    await empty.run("contacts", {"first": 1})
    assert [own_headers(call) for call in empty.upstream] == [{**COMMON, **AUTH["BIRD"]}]


async def test_proxies_and_netrc_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No request reaches the proxy, and no password from a netrc takes the place of the vendor's key."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ada password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    upstream: list[UpstreamCall] = []
    async with faulty(silence) as proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.lower(), proxy.url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        with recorded_sandboxes(upstream, demo=False) as environ:
            async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
                for operation, given, vendor in MUTATIONS:
                    await served.run(operation, {"input": given})
                    assert [own_headers(call) for call in upstream] == [{**JSON, **AUTH[vendor]}]
        assert proxy.requests == []
