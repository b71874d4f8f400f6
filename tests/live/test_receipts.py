"""receiptChanged: each state of a write, to the final one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from app.main import open_signer
from app.registry import VENDORS
from app.security.keys import Keys
from app.settings import read_settings
from app.transactions import Transactions
from schema.vendor import Environment
from tests.databases import open_engine
from tests.gateway import UpstreamCall
from tests.live.served import Served, served

FOLLOW = "subscription ($by: ReceiptRef!) { receiptChanged(by: $by) { state attempts needsAttention error { code } } }"
CREATE = """mutation ($name: String!, $key: String!, $delivery: Delivery! = WAIT) {
  createContact(input: {displayName: $name, identifiers: [{key: "crm_id", value: "77"}], idempotencyKey: $key,
    delivery: $delivery}) { receipt { id state } } }"""
SETTLE = """mutation ($id: ID!) { settleReceipt(input: {receiptId: $id, applied: false, note: "looked"}) {
  receipt { state } errors { code } } }"""
BY = {"by": {"idempotencyKey": "k"}}
IN_DOUBT = {"state": "UNKNOWN", "attempts": 1, "needsAttention": False, "error": {"code": "OUTCOME_UNKNOWN"}}
SETTLED = {"state": "FAILED", "attempts": 1, "needsAttention": False, "error": {"code": "SETTLED_NOT_APPLIED"}}


async def test_a_receipt_is_told_as_it_is_and_again_when_it_has_changed(gateway: Served) -> None:
    """A write in doubt, until a person settles it: then the stream is complete."""
    receipt_id = await _write(gateway, "sandbox-500")
    async with gateway.socket() as follower:
        await follower.subscribe("1", FOLLOW, {"by": {"id": receipt_id}})
        assert await follower.data() == {"receiptChanged": IN_DOUBT}
        await gateway.ask(SETTLE, {"id": receipt_id})
        assert await follower.data() == {"receiptChanged": SETTLED}
        assert await follower.next() == {"type": "complete", "id": "1"}


async def test_a_final_receipt_is_told_once(gateway: Served) -> None:
    """And the stream is complete."""
    await _write(gateway, "Ada")
    async with gateway.socket() as follower:
        await follower.follow("receipt_changed", BY)
        assert (await follower.data())["receiptChanged"]["state"] == "SUCCEEDED"
        assert (await follower.next())["type"] == "complete"


async def test_a_write_in_the_background_is_followed_to_its_end_without_a_gap(gateway: Served) -> None:
    """From whatever state it is in when the first event is told, each of its history is told once, in order."""
    await _write(gateway, "Ada", delivery="BACKGROUND")
    async with gateway.socket() as follower:
        await follower.follow("receipt_changed", BY)
        told = []
        while (message := await follower.next())["type"] == "next":
            told.append(message["payload"]["data"]["receiptChanged"])
        states = [each["state"] for each in told]
        assert states == ["PENDING", "SENDING", "SUCCEEDED"][-len(states) :]
        assert [each["to"] for each in told[-1]["events"]] == ["PENDING", "SENDING", "SUCCEEDED"]
        assert told[-1]["result"]["__typename"] == "Contact"


async def test_what_another_process_does_is_seen_too(
    environ: dict[str, str], gateway: Served, tmp_path: Path, upstream: list[UpstreamCall]
) -> None:
    """Two gateways on one database: one is followed, a person settles at the other."""
    receipt_id = await _write(gateway, "sandbox-500")
    async with served(environ, tmp_path / "switchboard.db", upstream) as other, gateway.socket() as follower:
        await follower.subscribe("1", FOLLOW, BY)
        assert await follower.data() == {"receiptChanged": IN_DOUBT}
        await other.ask(SETTLE, {"id": receipt_id})
        assert await follower.data() == {"receiptChanged": SETTLED}


async def test_a_receipt_is_followed_by_its_own_key_and_by_who_may_read_all(gateway: Served, tmp_path: Path) -> None:
    """To another key there is no such receipt; without the scope read nothing is followed."""
    receipt_id = await _write(gateway, "Ada")
    variables = {"by": {"id": receipt_id}}
    stranger, auditor, writer = [
        await _new_key(tmp_path, *scopes) for scopes in (["read"], ["read", "receipts:read-all"], ["contacts:write"])
    ]
    for key, told in ((stranger, "NOT_FOUND"), (writer, "FORBIDDEN"), (auditor, "SUCCEEDED")):
        async with gateway.socket(key) as follower:
            await follower.subscribe("1", FOLLOW, variables)
            message = await follower.next()
            assert told == _outcome(message)


async def test_many_follow_one_receipt(gateway: Served) -> None:
    """Each on its own connection, each hears the same."""
    receipt_id = await _write(gateway, "sandbox-500")

    async def hear() -> list[Any]:
        async with gateway.socket() as follower:
            await follower.subscribe("1", FOLLOW, BY)
            first = await follower.data()
            waiting.release()
            return [first, await follower.data(), await follower.next()]

    waiting = asyncio.Semaphore(0)
    hearing = [asyncio.create_task(hear()) for _ in range(20)]
    for _ in hearing:
        await waiting.acquire()
    await gateway.ask(SETTLE, {"id": receipt_id})
    whole = [{"receiptChanged": IN_DOUBT}, {"receiptChanged": SETTLED}, {"type": "complete", "id": "1"}]
    assert await asyncio.gather(*hearing) == [whole] * 20


async def _write(gateway: Served, name: str, **more: Any) -> str:
    answer = await gateway.ask(CREATE, {"name": name, "key": "k", **more})
    return str(answer.data["createContact"]["receipt"]["id"])


async def _new_key(folder: Path, *scopes: str) -> str:
    settings = read_settings({"SWITCHBOARD_DATABASE_URL": f"sqlite:///{folder / 'switchboard.db'}"}, VENDORS)
    engine = open_engine(settings.database_url)
    try:
        return await Keys(Transactions(engine), open_signer(settings)).create("Test", Environment.TEST, scopes)
    finally:
        await engine.dispose()


def _outcome(message: Any) -> str:
    if message["type"] == "error":
        return str(message["payload"][0]["extensions"]["code"])
    return str(message["payload"]["data"]["receiptChanged"]["state"])
