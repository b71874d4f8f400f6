"""The ID of a request: the caller's where it is harmless, else a new one; answered always, and never forged."""

from __future__ import annotations

import re

import pytest

from app.security.keys import SANDBOX_KEY
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

MADE = re.compile(r"[0-9a-f]{16}")
AUTHORIZED = {"authorization": f"Bearer {SANDBOX_KEY}"}


@pytest.mark.parametrize("given", ["a", "checkout-42", "0af7.651_9-Z", "x" * 64])
async def test_a_harmless_id_of_the_callers_is_kept(served: Gateway, given: str) -> None:
    """So that one ID leads through the logs of both sides."""
    answers = [
        await served.http.post(
            "/graphql", json={"query": "{__typename}"}, headers={"x-request-id": given, **AUTHORIZED}
        ),
        await served.http.post("/graphql", json={"query": "{__typename}"}, headers={"x-request-id": given}),
        await served.http.get("/livez", headers={"x-request-id": given}),
        await served.http.get("/nowhere", headers={"x-request-id": given}),
    ]
    assert [answer.status_code for answer in answers] == [200, 401, 200, 404]
    assert [answer.headers.get_list("x-request-id") for answer in answers] == [[given]] * 4


@pytest.mark.parametrize("given", [b"", b"x" * 65, b"a b", b"a\tb", b"ada@example.com", b'"', b"\xc3\xa9", b"a,b"])
async def test_any_other_is_replaced(served: Gateway, given: bytes) -> None:
    """It could be a person's address, or break what reads the logs."""
    answer = await served.http.get("/livez", headers=[(b"x-request-id", given)])
    assert MADE.fullmatch(answer.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/", "/livez", "/readyz", "/metrics", "/graphql", "/nowhere"])
async def test_every_answer_has_one(served: Gateway, path: str) -> None:
    """Pages, probes and refusals too; no two the same."""
    ids = [(await served.http.get(path)).headers["x-request-id"] for _ in range(2)]
    assert [MADE.fullmatch(each) is not None for each in ids] == [True, True]
    assert ids[0] != ids[1]
