"""Which pages may connect: a browser asks nobody before it opens a WebSocket, and sends its page's origin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from tests.gateway import UpstreamCall
from tests.live.served import Served, served

LISTED = {"SWITCHBOARD_CORS_ORIGINS": "https://app.example.com"}


async def test_a_page_of_another_site_may_connect_only_if_it_is_listed(
    environ: dict[str, str], tmp_path: Path, upstream: list[UpstreamCall]
) -> None:
    """A page of the gateway itself may, such as GraphiQL; and who is no page has no origin."""
    async with served(environ | LISTED, tmp_path / "switchboard.db", upstream) as gateway:
        for origin in (None, gateway.url, "https://app.example.com"):
            async with gateway.socket(origin=origin):
                pass
        for origin in ("https://other.example.com", "null", "http://localhost:1"):
            assert await _refused(gateway, origin=origin) == (403, "FORBIDDEN_ORIGIN")


async def test_a_handshake_under_another_name_is_refused(
    environ: dict[str, str], tmp_path: Path, upstream: list[UpstreamCall]
) -> None:
    """As a request would be."""
    hosts = {"SWITCHBOARD_HOSTS": "gateway.example.com"}
    async with served(environ | hosts, tmp_path / "switchboard.db", upstream) as gateway:
        assert await _refused(gateway) == (421, "MISDIRECTED_REQUEST")


async def _refused(gateway: Served, **options: object) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refused:
        await gateway.socket(**options).__aenter__()  # type: ignore[arg-type]  # the client's own options
    response = refused.value.response
    return response.status_code, json.loads(response.body)["errors"][0]["extensions"]["code"]
