"""The operation receipts: which writes, and in which order."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import make_url, update

from app.clock import now_ms
from app.database import writes
from tests.databases import open_engine, writing
from tests.gateway import QUERIES, Gateway
from tests.operations.conftest import NewKey

QUERY = (QUERIES / "receipts.graphql").read_text("utf-8")


async def test_the_newest_comes_first_and_pages_follow_each_other(empty: Gateway) -> None:
    """No receipt is left out or answered twice, and no vendor is asked."""
    for key in ("k-1", "k-2", "k-3"):
        await _write(empty, key)
    first = await _receipts(empty, first=2)
    assert empty.calls() == []
    assert _keys(first) == ["k-3", "k-2"]
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    last = await _receipts(empty, first=2, after=first["pageInfo"]["endCursor"])
    assert _keys(last) == ["k-1"]
    assert (last["pageInfo"]["hasNextPage"], last["pageInfo"]["hasPreviousPage"]) == (False, True)


async def test_a_receipt_in_a_list_is_the_one_that_the_mutation_answered(empty: Gateway) -> None:
    """Field by field."""
    made = await _write(empty, "k-1")
    [listed] = (await _receipts(empty))["nodes"]
    assert listed.pop("createdAt")
    made.pop("events")
    assert listed == made


async def test_they_are_found_by_their_state(empty: Gateway) -> None:
    """One that was applied, one that was refused, one that nobody knows about, and none of the others."""
    await _write(empty, "applied")
    await _write(empty, "refused", "sandbox-409")
    await _write(empty, "doubtful", "sandbox-500-applied")
    states = ("PENDING", "SENDING", "UNKNOWN", "SUCCEEDED", "FAILED")
    found = {state: _keys(await _receipts(empty, state=state)) for state in states}
    assert found == {
        "PENDING": [],
        "SENDING": [],
        "UNKNOWN": ["doubtful"],
        "SUCCEEDED": ["applied"],
        "FAILED": ["refused"],
    }


async def test_they_are_found_by_when_they_were_stored(empty: Gateway) -> None:
    """`from` counts, `to` doesn't."""
    await _write(empty, "k-1")
    [stored] = [each["createdAt"] for each in (await _receipts(empty))["nodes"]]
    assert _keys(await _receipts(empty, **{"from": stored})) == ["k-1"]
    assert _keys(await _receipts(empty, to=stored)) == []


async def test_a_doubt_that_a_day_did_not_end_is_listed_for_a_person(empty: Gateway, tmp_path: Path) -> None:
    """A contact without identifiers can't be searched: when nothing more can be done, it needs attention, and it alone."""
    await _write(empty, "applied")
    await _write(empty, "doubtful", "sandbox-500-applied")
    assert _keys(await _receipts(empty, needsAttention=True)) == []
    await _let_a_day_pass(tmp_path / "switchboard.db")
    async with asyncio.timeout(120):
        while not (listed := (await _receipts(empty, needsAttention=True))["nodes"]):  # noqa: ASYNC110  # no event crosses HTTP
            await asyncio.sleep(0.1)
    assert [(each["idempotencyKey"], each["state"], each["needsAttention"]) for each in listed] == [
        ("doubtful", "UNKNOWN", True)
    ]
    assert _keys(await _receipts(empty, needsAttention=False)) == ["applied"]


async def test_a_key_lists_its_own_writes_and_who_may_read_all_lists_all(empty: Gateway, new_key: NewKey) -> None:
    """Of one environment."""
    await _write(empty, "k-1")
    for scopes, expected in ((["read"], []), (["read", "receipts:read-all"], ["k-1"])):
        answer = await empty.ask(QUERY, key=await new_key(*scopes))
        assert (_keys(answer.data["receipts"]), answer.errors) == (expected, [])


async def _write(gateway: Gateway, key: str, display_name: str = "Ada") -> Any:
    variables = {"input": {"displayName": display_name, "idempotencyKey": key}}
    return (await gateway.run("create_contact", variables))["createContact"]["receipt"]


async def _receipts(gateway: Gateway, **which: Any) -> Any:
    return (await gateway.run("receipts", which))["receipts"]


async def _let_a_day_pass(database: Path) -> None:
    """For the write in doubt: it was sent more than a day ago, and its next look is due."""
    engine = open_engine(make_url(f"sqlite+aiosqlite:///{database}"))
    long_ago = now_ms() - round(timedelta(hours=25).total_seconds() * 1000)
    async with writing(engine).begin() as connection:
        in_doubt = update(writes).where(writes.c.state == "UNKNOWN")
        await connection.execute(in_doubt.values(first_sent_ms=long_ago, due_ms=long_ago))
    await engine.dispose()


def _keys(page: Any) -> list[str]:
    return [each["idempotencyKey"] for each in page["nodes"]]
