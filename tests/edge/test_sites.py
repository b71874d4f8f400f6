"""Other sites' pages may ask where they are listed, and the gateway answers under its own names only."""

from __future__ import annotations

import pytest

from app.security.keys import SANDBOX_KEY
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
