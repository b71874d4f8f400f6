"""A gateway whose event loop can't keep up: what is new is refused and told when to come back, what is known is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from app.security.keys import SANDBOX_KEY
from app.shedding import LEAST
from tests.gateway import Gateway

CREATE = """mutation ($input: CreateContactInput!) { it: createContact(input: $input) {
    receipt { state replayed } errors { __typename code retryable ... on RateLimited { retryAfterSeconds } } } }"""
RECEIPT = '{ it: receipt(by: { idempotencyKey: "known" }) { state } }'
READ = "{ it: contacts(first: 1) { nodes { id } } }"


@asynccontextmanager
async def held_up() -> AsyncIterator[None]:
    """The loop is late for as long as the block lasts."""

    async def hold_up() -> None:
        while True:
            time.sleep(0.015)  # noqa: ASYNC251  # it is to be blocked
            await asyncio.sleep(0)

    task = asyncio.create_task(hold_up())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def ask(served: Gateway, query: str, **given: Any) -> Any:
    """The response; the request may take four seconds."""
    headers = {"authorization": f"Bearer {SANDBOX_KEY}", "x-request-timeout-ms": "4000"}
    body = {"query": query, "variables": {"input": given} if given else None}
    return await served.http.post("/graphql", json=body, headers=headers)


async def test_only_what_is_new_is_refused(empty: Gateway) -> None:
    """New writes and reads of vendors: OVERLOADED, seconds, and the header; no receipt, and nothing is sent. A repeat of a
    known key, a question after its receipt, and a write for the background are answered as ever.
    """
    known = (await ask(empty, CREATE, displayName="Known", idempotencyKey="known")).json()["data"]["it"]
    assert known == {"receipt": {"state": "SUCCEEDED", "replayed": False}, "errors": []}
    async with held_up():
        new = await _refused(empty)
        sent = len(empty.upstream)
        read, again, receipt, background = await asyncio.gather(
            ask(empty, READ),
            ask(empty, CREATE, displayName="Known", idempotencyKey="known"),
            ask(empty, RECEIPT),
            ask(empty, CREATE, displayName="Later", delivery="BACKGROUND"),
        )
    [error] = new.json()["data"]["it"]["errors"]
    seconds = error.pop("retryAfterSeconds")
    assert error == {"__typename": "RateLimited", "code": "OVERLOADED", "retryable": True}
    assert (1 <= seconds <= 2, new.headers["retry-after"] in ("1", "2")) == (True, True)
    assert new.json()["data"]["it"]["receipt"] is None
    assert [each["extensions"]["code"] for each in read.json()["errors"]] == ["OVERLOADED"]
    assert again.json()["data"]["it"] == {"receipt": {"state": "SUCCEEDED", "replayed": True}, "errors": []}
    assert receipt.json()["data"] == {"it": {"state": "SUCCEEDED"}}
    assert background.json()["data"]["it"] == {"receipt": {"state": "PENDING", "replayed": False}, "errors": []}
    assert "Overload" not in [call.body.get("displayName") for call in empty.upstream[:sent] if call.body]


async def _refused(served: Gateway) -> Any:
    """The first refusal, after as many writes as there is room for wait for a vendor that never answers."""
    waiting = [
        asyncio.create_task(ask(served, CREATE, displayName="sandbox-timeout", idempotencyKey=f"w{n}"))
        for n in range(3 * LEAST)
    ]
    async with asyncio.timeout(30):
        while True:
            answered = await ask(served, CREATE, displayName="Overload")
            if answered.json()["data"]["it"]["errors"]:
                break
            await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    return answered
