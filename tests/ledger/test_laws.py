"""The ledger's laws hold in the tables themselves, whoever writes to them and with whatever statement."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pytest
from sqlalchemy import Connection, insert, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import metadata, write_events, writes
from app.ledger.states import FINAL
from app.ledger.store import add
from app.ledger.write import Write
from app.migrate import migrate
from schema.types.receipt import WriteState
from tests.databases import writing
from tests.ledger.rows import a_write, in_state

OPEN = [state for state in WriteState if state not in FINAL]
FINAL_IN_ORDER = [state for state in WriteState if state in FINAL]
SENT = {WriteState.PENDING, WriteState.SENDING}
Situation = tuple[WriteState, bool]
"""A state, and whether the write is in doubt."""

SITUATIONS: list[Situation] = list(product(WriteState, (False, True)))
COLUMNS = {
    WriteState.PENDING: "completed_ms = NULL",
    WriteState.SENDING: "completed_ms = NULL, owner = 'host:1:x', lease_ms = 1, attempts = 1",
    WriteState.UNKNOWN: "completed_ms = NULL",
    WriteState.SUCCEEDED: "completed_ms = 1",
    WriteState.FAILED: "completed_ms = 1",
}
"""What a state asks of the other columns, so that a change breaks no law but the one that it is to break."""


def may_be(situation: Situation, *, has_vendor_key: bool) -> bool:
    """The laws of one row."""
    state, in_doubt = situation
    if state is WriteState.UNKNOWN:
        return in_doubt
    return has_vendor_key or not in_doubt or state not in SENT


def may_become(before: Situation, after: Situation, *, has_vendor_key: bool) -> bool:
    """The laws of one change."""
    stays_final = before[0] not in FINAL or after[0] is before[0]
    stays_in_doubt = after[1] or not before[1]
    return may_be(after, has_vendor_key=has_vendor_key) and stays_final and stays_in_doubt


@pytest.mark.parametrize("vendor_key", [None, "gw1_key"])
async def test_exactly_the_lawful_changes_pass(ledger: AsyncEngine, vendor_key: str | None) -> None:
    """Every state, in doubt or not, to every other, in doubt or not: the tables allow what the laws allow."""
    has_key = vendor_key is not None
    for before in (each for each in SITUATIONS if may_be(each, has_vendor_key=has_key)):
        await _store(ledger, in_state(before[0], in_doubt=before[1], vendor_key=vendor_key))
        passed = [after for after in SITUATIONS if await _passes(ledger, _change_to(after))]
        assert passed == [after for after in SITUATIONS if may_become(before, after, has_vendor_key=has_key)], before
        await _empty(ledger)


@pytest.mark.parametrize("vendor_key", [None, "gw1_key"])
async def test_exactly_the_lawful_rows_can_be_stored(ledger: AsyncEngine, vendor_key: str | None) -> None:
    """The laws of one row hold for new rows as well."""
    passed = []
    for state, in_doubt in SITUATIONS:
        row = writes.insert().values(_values(in_state(state, in_doubt=in_doubt, vendor_key=vendor_key)))
        if await _passes(ledger, row):
            passed.append((state, in_doubt))
    assert passed == [each for each in SITUATIONS if may_be(each, has_vendor_key=vendor_key is not None)]


@pytest.mark.parametrize(
    ("state", "broken", "law"),
    [
        (WriteState.SUCCEEDED, "state = 'FAILED'", "a final state never changes"),
        (WriteState.FAILED, "state = 'SUCCEEDED'", "a final state never changes"),
        (WriteState.FAILED, f"state = 'PENDING', {COLUMNS[WriteState.PENDING]}", "a final state never changes"),
        (WriteState.UNKNOWN, "state = 'FAILED', completed_ms = 1, in_doubt = FALSE", "once in doubt"),
        (WriteState.UNKNOWN, "in_doubt = FALSE", "once in doubt"),
        (WriteState.PENDING, "state = 'UNKNOWN'", "write_unknown_is_doubt"),
        (WriteState.PENDING, "in_doubt = TRUE", "write_keyless_not_resent"),
        (WriteState.UNKNOWN, "state = 'PENDING'", "write_keyless_not_resent"),
        (WriteState.SENDING, "in_doubt = TRUE", "write_keyless_not_resent"),
        (WriteState.SENDING, "owner = NULL", "write_sending"),
        (WriteState.SENDING, "lease_ms = NULL", "write_sending"),
        (WriteState.SENDING, "attempts = 0", "write_sending"),
        (WriteState.PENDING, "state = 'SUCCEEDED'", "write_completed"),
        (WriteState.PENDING, "completed_ms = 1", "write_completed"),
        (WriteState.SUCCEEDED, "completed_ms = NULL", "write_completed"),
        (WriteState.PENDING, "state = 'LOST'", "write_state"),
        (WriteState.PENDING, "state = 'pending'", "write_state"),
        (WriteState.PENDING, "idempotency_key = ''", "write_key_length"),
        (WriteState.PENDING, f"idempotency_key = '{'k' * 256}'", "write_key_length"),
    ],
)
async def test_a_broken_law_is_named(ledger: AsyncEngine, state: WriteState, broken: str, law: str) -> None:
    """A statement that breaks a law fails, says which, and leaves the row as it was."""
    await _store(ledger, in_state(state))
    before = await _rows(ledger)
    with pytest.raises(IntegrityError, match=law):
        await _do(ledger, f"UPDATE writes SET {broken}")  # noqa: S608  # ours
    assert await _rows(ledger) == before


@pytest.mark.parametrize("state", OPEN)
async def test_an_open_write_can_not_be_deleted(ledger: AsyncEngine, state: WriteState) -> None:
    """Neither alone nor among others: a statement that meets one deletes nothing."""
    await _store(ledger, in_state(state))
    await _store(ledger, in_state(WriteState.FAILED, "w2"))
    with pytest.raises(IntegrityError, match="an open write can not be deleted"):
        await _do(ledger, "DELETE FROM writes")
    assert len(await _rows(ledger)) == 2


@pytest.mark.parametrize("state", FINAL_IN_ORDER)
async def test_a_final_write_can_be_deleted_and_its_events_go_with_it(ledger: AsyncEngine, state: WriteState) -> None:
    """No event is left behind."""
    await _store(ledger, in_state(state))
    await _do(ledger, "DELETE FROM writes")
    async with ledger.connect() as connection:
        assert (await connection.execute(write_events.select())).all() == []


@pytest.mark.parametrize("key", ["k", "é" * 255])
async def test_a_key_of_1_to_255_characters_is_stored(ledger: AsyncEngine, key: str) -> None:
    """Characters, not bytes."""
    await _store(ledger, a_write(idempotency_key=key))
    assert [row["idempotency_key"] for row in await _rows(ledger)] == [key]


async def test_a_final_write_can_still_be_superseded(ledger: AsyncEngine) -> None:
    """What is final is the state: the key may be given to a repeat."""
    await _store(ledger, in_state(WriteState.FAILED))
    await _do(ledger, "UPDATE writes SET superseded = TRUE")
    assert [row["superseded"] for row in await _rows(ledger)] == [True]


@pytest.mark.parametrize("state", WriteState)
async def test_two_writes_of_a_gateway_key_share_no_idempotency_key(ledger: AsyncEngine, state: WriteState) -> None:
    """Unless the older one is superseded; other gateway keys are free to use the same text."""
    await _store(ledger, in_state(state, idempotency_key="k"))
    await _store(ledger, in_state(state, "w2", idempotency_key="k", gateway_key="another"))
    await _store(ledger, in_state(state, "w3", idempotency_key="k", superseded=True))
    with pytest.raises(IntegrityError):
        await _insert(ledger, in_state(WriteState.PENDING, "w4", idempotency_key="k"))


async def test_an_event_belongs_to_a_write(ledger: AsyncEngine) -> None:
    """There are none of writes that do not exist."""
    event = {"write_id": "nobody", "number": 1, "at_ms": 1, "after": "PENDING", "reason": "stored"}
    async with writing(ledger).begin() as connection:
        with pytest.raises(IntegrityError):
            await connection.execute(insert(write_events), event)


async def test_the_migrated_tables_have_the_constraints_and_indexes_of_the_code(engine: AsyncEngine) -> None:
    """Alembic compares neither conditions nor check constraints: here they are compared, as the database tells them."""
    for index in writes.indexes:
        index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]
    async with writing(engine).begin() as connection:
        await connection.run_sync(metadata.create_all)
        by_the_code = await connection.run_sync(_described)
        await connection.run_sync(metadata.drop_all)
    assert {table: len(found["checks"]) for table, found in by_the_code.items()} == {"writes": 6, "write_events": 0}
    await migrate(engine)
    async with engine.connect() as connection:
        assert await connection.run_sync(_described) == by_the_code


def _described(connection: Connection) -> dict[str, dict[str, Any]]:
    """What the database says of the ledger's tables."""
    found = inspect(connection)
    return {
        table: {
            "checks": sorted((each["name"], each["sqltext"]) for each in found.get_check_constraints(table)),
            "indexes": sorted(_index(each) for each in found.get_indexes(table)),
            "foreign": [(each["constrained_columns"], each["options"]) for each in found.get_foreign_keys(table)],
            "key": found.get_pk_constraint(table)["constrained_columns"],
        }
        for table in ("writes", "write_events")
    }


def _index(index: Mapping[str, Any]) -> str:
    where = {name: str(value) for name, value in index.get("dialect_options", {}).items() if name.endswith("_where")}
    return f"{index['name']} {index['column_names']} {bool(index['unique'])} {where}"


def _change_to(situation: Situation) -> Any:
    state, in_doubt = situation
    return text(f"UPDATE writes SET state = '{state.value}', in_doubt = {in_doubt}, {COLUMNS[state]}")  # noqa: S608  # ours


async def _passes(engine: AsyncEngine, statement: Any) -> bool:
    """Whether a statement is let through; it is taken back either way."""
    async with writing(engine).connect() as connection:
        try:
            done = await connection.execute(statement)
        except IntegrityError:
            return False
        finally:
            await connection.rollback()
    return bool(done.rowcount == 1)


async def _do(engine: AsyncEngine, statement: str) -> None:
    async with writing(engine).begin() as connection:
        await connection.execute(text(statement))


async def _store(engine: AsyncEngine, write: Write) -> None:
    """With its first event."""
    async with writing(engine).begin() as connection:
        assert await connection.run_sync(add, write, "stored")


async def _insert(engine: AsyncEngine, write: Write) -> None:
    async with writing(engine).begin() as connection:
        await connection.execute(insert(writes), _values(write))


def _values(write: Write) -> dict[str, Any]:
    return {name: getattr(value, "value", value) for name, value in vars(write).items()}


async def _rows(engine: AsyncEngine) -> list[dict[str, Any]]:
    async with engine.connect() as connection:
        return [dict(row) for row in (await connection.execute(writes.select().order_by(writes.c.id))).mappings()]


async def _empty(engine: AsyncEngine) -> None:
    """Brings every write to an end, and deletes it."""
    await _do(engine, "UPDATE writes SET state = 'FAILED', completed_ms = 1 WHERE completed_ms IS NULL")
    await _do(engine, "DELETE FROM writes")
