"""U+0000, which PostgreSQL can't store: it is refused, or leads nowhere, the same on either database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import URL

from tests.canaries.keys import canary
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.ledger.partner import write

SETTLE = """mutation ($id: ID!, $note: String!) { settleReceipt(
  input: {receiptId: $id, applied: false, note: $note}
) { receipt { state } errors { message ... on InvalidInput { path } } } }"""
UNSTORABLE = "Must not hold U+0000: not every database can store it."


@pytest.fixture
async def served(database: URL, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway over each kind of database."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        url = database.render_as_string(hide_password=False)
        settings = {"SWITCHBOARD_DATABASE_URL": url, "SWITCHBOARD_SECRET": canary("secret")}
        async with gateway({**environ, **settings}, tmp_path / "unused.db", upstream) as served:
            yield served


async def test_an_idempotency_key_that_can_not_be_stored_is_refused(served: Gateway) -> None:
    """Before anything is sent; and no write has it."""
    refused = await write(served, "createContact", {"displayName": "Ada", "idempotencyKey": "a\0b"})
    assert [(each["message"], each["path"]) for each in refused["errors"]] == [
        (UNSTORABLE, ["input", "idempotencyKey"])
    ]
    assert (refused["receipt"], served.upstream) == (None, [])
    found = await served.ask("query ($key: String!) { receipt(by: {idempotencyKey: $key}) { id } }", {"key": "a\0b"})
    assert (found.data, found.errors) == ({"receipt": None}, [])


async def test_a_note_that_can_not_be_stored_is_refused(served: Gateway) -> None:
    """The write stays in doubt, until there is one that can."""
    doubtful = await write(served, "createContact", {"displayName": "sandbox-500", "idempotencyKey": "k"})

    async def settled(note: str) -> Any:
        return (await served.ask(SETTLE, {"id": doubtful["receipt"]["id"], "note": note})).data["settleReceipt"]

    assert await settled("a\0b") == {"receipt": None, "errors": [{"message": UNSTORABLE, "path": ["input", "note"]}]}
    assert await settled("ab") == {"receipt": {"state": "FAILED"}, "errors": []}
