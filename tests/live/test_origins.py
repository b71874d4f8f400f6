"""Which pages may connect: a browser asks nobody before it opens a WebSocket, and sends its page's origin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.gateway import UpstreamCall
from tests.live.served import Served, served
from tests.telemetry.scrape import samples, series

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


async def test_a_handshake_is_answered_as_a_request_is(
    environ: dict[str, str], tmp_path: Path, upstream: list[UpstreamCall]
) -> None:
    """Taken or refused, and wherever it leads: with the ID of the request, and what is refused is counted."""
    named = {"x-request-id": "checkout-42"}
    async with served(environ, tmp_path / "switchboard.db", upstream) as gateway:
        async with gateway.socket(additional_headers=named) as follower:
            assert follower.socket.response is not None
            assert follower.socket.response.headers["x-request-id"] == "checkout-42"
        assert await _refused(gateway, origin="https://other.example.com") == (403, "FORBIDDEN_ORIGIN")
        for path in ("/nope", "/livez", "/graphql/"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(gateway.url.replace("http", "ws") + path, additional_headers=named)
            answer = refused.value.response
            assert (answer.status_code, answer.headers["x-request-id"]) == (404, "checkout-42")
            assert json.loads(answer.body)["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
        counted = samples((await gateway.http.get("/metrics")).text)
    assert series(counted, "http_requests_refused_total") == {("403",): 1, ("404",): 3}


async def _refused(gateway: Served, **options: object) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refused:
        await gateway.socket(**options).__aenter__()  # type: ignore[arg-type]  # the client's own options
    response = refused.value.response
    return response.status_code, json.loads(response.body)["errors"][0]["extensions"]["code"]
