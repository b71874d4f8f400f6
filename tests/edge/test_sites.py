"""Other sites' pages may ask where they are listed, and the gateway answers under its own names only."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from app.security.keys import SANDBOX_KEY
from tests.edge.sockets import Address, listening
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE = "https://app.example.com"
ENVIRON = {
    "SWITCHBOARD_CORS_ORIGINS": f"{PAGE}, http://localhost:3000",
    "SWITCHBOARD_HOSTS": "gateway, api.example.com, [::1]",
}
ASK = {"query": "{ viewer { name } }"}
KEY = {"authorization": f"Bearer {SANDBOX_KEY}"}
OTHERS = ["https://evil.example", "https://app.example.com.evil.example", "https://app.example.com:444", "null", "*", "HTTPS://APP.EXAMPLE.COM"]  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(served: Gateway) -> AsyncIterator[Address]:
    """Where the gateway listens."""
    async with listening(served.app) as where:
        yield where


@pytest.mark.parametrize("origin", [PAGE, "http://localhost:3000"])
async def test_a_listed_page_may_ask(served: Gateway, origin: str) -> None:
    """Its browser is told so before, and with the answer; cookies are never allowed."""
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    preflight = await served.http.options("/graphql", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, origin)
    assert "authorization" in preflight.headers["access-control-allow-headers"].split(", ")
    assert preflight.headers["vary"] == "Origin"
    for headers in ({**KEY, "origin": origin}, {"origin": origin}):
        answer = await served.http.post("/graphql", json=ASK, headers=headers)
        assert answer.headers["access-control-allow-origin"] == origin
        assert "x-request-id" in answer.headers["access-control-expose-headers"].split(", ")
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", OTHERS)
async def test_a_page_that_is_not_listed_may_not(served: Gateway, origin: str) -> None:
    """Nothing tells its browser to go on."""
    preflight = await served.http.options(
        "/graphql", headers={"origin": origin, "access-control-request-method": "POST"}
    )
    answer = await served.http.post("/graphql", json=ASK, headers={**KEY, "origin": origin})
    for each in (preflight, answer):
        assert [name for name in each.headers if name.startswith("access-control")] == []


@pytest.mark.parametrize("headers", [{}, {"origin": PAGE}, {"origin": OTHERS[0]}])
@pytest.mark.parametrize("path", ["/graphql", "/openapi.json", "/pages/receipts.js", "/livez", "/nowhere"])
async def test_a_cache_gives_no_page_what_another_was_told(served: Gateway, path: str, headers: dict[str, str]) -> None:
    """Nor what was told to nobody's page: every answer says that it depends on the origin (Fetch, CORS protocol and caches)."""
    answer = await served.http.get(path, headers=headers)
    assert answer.headers["vary"] == "Origin"
    if "etag" in answer.headers:
        unchanged = await served.http.get(path, headers={**headers, "if-none-match": answer.headers["etag"]})
        assert (unchanged.status_code, unchanged.headers["vary"]) == (304, "Origin")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("gateway", 200),
        ("GATEWAY", 200),
        ("api.example.com:8443", 200),
        ("[::1]:8000", 200),
        ("evil.example", 421),
        ("gateway.evil.example", 421),
        ("gateway@evil.example", 421),
        ("", 421),
    ],
)
async def test_only_its_own_names_are_answered_under(served: Gateway, host: str, status: int) -> None:
    """A name that leads here by somebody else's doing gets nothing; whoever watches the process asks by address."""
    answer = await served.http.post("/graphql", json=ASK, headers={**KEY, "host": host})
    assert answer.status_code == status
    if status != 200:
        assert answer.json()["errors"][0]["extensions"] == {"code": "MISDIRECTED_REQUEST"}
    assert (await served.http.get("/livez", headers={"host": "10.0.0.7:8000"})).status_code == 200


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (b"/livez", b"evil.example", 200),
        (b"/graphql", b"gateway", 401),
        (b"http://gateway/graphql?query=%7Bviewer%7Bname%7D%7D", b"evil.example", 401),
        (b"HTTP://GATEWAY:8000/graphql", b"evil.example", 401),
        (b"http://evil.example/graphql", b"gateway", 421),
        (b"http://gateway@evil.example/graphql", b"gateway", 421),
        (b"http://gateway", b"evil.example", 307),
        (b"http://gateway?a=b", b"evil.example", 307),
    ],
)
async def test_a_target_with_a_name_is_asked_under_that_name(
    address: Address, target: bytes, host: bytes, status: int
) -> None:
    """Whatever Host says beside it (RFC 9112, section 3.2.2), which has to be there all the same."""
    asked = b"GET %s HTTP/1.1\r\nconnection: close\r\n" % target
    answered = await address.exchange(asked + b"host: %s\r\n\r\n" % host)
    nameless = await address.exchange(asked + b"\r\n")
    assert int(answered.split()[1]) == status
    assert nameless.startswith(b"HTTP/1.1 400 ")


async def test_so_is_a_handshake(address: Address) -> None:
    """It is answered as if it had named the path alone."""
    upgrade = (
        b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
        b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: other\r\n\r\n"
    )
    for name, status in ((b"gateway", 101), (b"evil.example", 421)):
        asked = b"GET http://%s/graphql HTTP/1.1\r\nhost: gateway\r\n" % name
        assert (await address.exchange(asked + upgrade)).startswith(b"HTTP/1.1 %d " % status)
