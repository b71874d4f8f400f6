"""The ledger's statements, for SQLite and PostgreSQL alike. Each runs within a transaction of app.writer."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, insert, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.database import records, write_events, writes
from app.ledger.states import FINAL
from app.ledger.write import Event, Write
from schema.types.receipt import Delivery, WriteOperation, WriteState
from schema.vendor import Environment, Vendor

_ENUMS: Mapping[str, type[Enum]] = {
    "environment": Environment,
    "operation": WriteOperation,
    "vendor": Vendor,
    "delivery": Delivery,
    "state": WriteState,
}
_EMPTIED = {"draft": None, "owner": None, "lease_ms": None, "due_ms": None, "needs_attention": False}
"""What a write loses when it becomes final."""

_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(frozen=True)
class Wanted:
    """Which writes to list; None asks for any. Times are milliseconds, `start` included, `end` not."""

    environment: Environment
    gateway_key: str | None = None
    state: WriteState | None = None
    needs_attention: bool | None = None
    start: int | None = None
    end: int | None = None


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def new_id() -> str:
    """Sorts by time of making, finer than a millisecond: writes of one lane are delivered in this order."""
    return f"{time.time_ns():016x}{secrets.token_hex(8)}"


async def add(connection: AsyncConnection, write: Write, reason: str) -> bool:
    """Stores a new write with its first event; False if another holds its idempotency key.

    True, and nothing done, if it is stored already: a transaction may have to be repeated that was committed unheard.
    """
    new = _INSERT[connection.dialect.name](writes).on_conflict_do_nothing()
    if (await connection.execute(new, _row(write))).rowcount == 1:
        await _note(connection, write, None, reason)
        return True
    held = await by_key(connection, write.gateway_key, write.idempotency_key)
    return held is not None and held.id == write.id


async def by_id(connection: AsyncConnection, write_id: str) -> Write | None:
    return _one((await connection.execute(select(writes).where(writes.c.id == write_id))).one_or_none())


async def by_key(connection: AsyncConnection, gateway_key: str, idempotency_key: str) -> Write | None:
    """The newest write of a key: the one that was not superseded."""
    held = and_(writes.c.gateway_key == gateway_key, writes.c.idempotency_key == idempotency_key)
    query = select(writes).where(held, writes.c.superseded.is_(False))
    return _one((await connection.execute(query)).one_or_none())


async def supersede(connection: AsyncConnection, write: Write) -> bool:
    """Frees the key of a write that failed in a way that may be repeated; False if that has changed meanwhile."""
    change = update(writes).where(writes.c.id == write.id, writes.c.state == WriteState.FAILED.value)
    done = await connection.execute(change.where(writes.c.superseded.is_(False)).values(superseded=True))
    return done.rowcount == 1


async def change(
    connection: AsyncConnection, write: Write, reason: str, *, quietly: bool = False, **values: Any
) -> Write | None:
    """Changes a write that is as it was when it was read, with an event; None if it has changed meanwhile.

    `values` are columns by name; a state that is final empties the draft and says when it was reached. `quietly`: no event,
    unless the state changes. Every change makes `updated_ms` larger, whatever the clock says: by it a stale read is known.
    """
    now = max(now_ms(), write.updated_ms + 1)
    values |= {"updated_ms": now}
    if values.get("state") in FINAL:
        values |= {"completed_ms": now, **_EMPTIED}
    as_read = and_(writes.c.id == write.id, writes.c.updated_ms == write.updated_ms)
    plain = {name: _plain(value) for name, value in values.items()}
    done = await connection.execute(update(writes).where(as_read).values(**plain).returning(*writes.c))
    changed = _one(done.one_or_none())
    if changed is not None and not (quietly and changed.state is write.state):
        await _note(connection, changed, write.state, reason)
    return changed


async def claim_due(connection: AsyncConnection, *, hold_ms: int, most: int) -> list[Write]:
    """Writes that wait for delivery or for a look, and are due; for `hold_ms` no other process takes them."""
    now = now_ms()
    due = and_(writes.c.state.in_(("PENDING", "UNKNOWN")), writes.c.due_ms <= now)
    query = select(writes).where(due).order_by(writes.c.due_ms, writes.c.id).limit(most)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    found = [_write(row) for row in await connection.execute(query)]
    ids = [write.id for write in found]
    if ids:
        await connection.execute(update(writes).where(writes.c.id.in_(ids)).values(due_ms=now + hold_ms))
    return [replace(write, due_ms=now + hold_ms) for write in found]


async def abandoned(connection: AsyncConnection, *, dead_owners: Sequence[str], most: int) -> list[Write]:
    """Writes that are being sent by nobody any more: their owner is dead, or their lease has run out."""
    lost = or_(writes.c.lease_ms < now_ms(), writes.c.owner.in_(dead_owners))
    query = (
        select(writes).where(writes.c.state == WriteState.SENDING.value, lost).order_by(writes.c.lease_ms).limit(most)
    )
    return [_write(row) for row in await connection.execute(query)]


async def owners(connection: AsyncConnection) -> list[str]:
    """Who holds writes that are being sent."""
    query = select(writes.c.owner).where(writes.c.state == WriteState.SENDING.value).distinct()
    return [row.owner for row in await connection.execute(query)]


async def is_next_in_lane(connection: AsyncConnection, write: Write) -> bool:
    """Whether nothing older in the same lane is still to be delivered; the environments' lanes are apart."""
    lane = and_(writes.c.lane == write.lane, writes.c.environment == write.environment.value)
    earlier = tuple_(writes.c.created_ms, writes.c.id) < tuple_(write.created_ms, write.id)
    open_before = and_(lane, writes.c.state.in_(("PENDING", "SENDING")), earlier)
    return not (await connection.execute(select(exists().where(open_before)))).scalar_one()


async def is_claimed(connection: AsyncConnection, environment: Environment, result_id: str) -> bool:
    """Whether a write is known to have made this record."""
    made = and_(writes.c.environment == environment.value, writes.c.result_id == result_id)
    return bool((await connection.execute(select(exists().where(made)))).scalar_one())


async def was_seen(connection: AsyncConnection, write: Write, own_id: str) -> bool:
    """Whether memory knew a record of the write's vendor before the write was first sent."""
    held = and_(records.c.environment == write.environment.value, records.c.vendor == write.vendor.value)
    before = records.c.first_ms < (write.first_sent_ms or write.created_ms)
    query = select(exists().where(held, records.c.id == own_id, before))
    return bool((await connection.execute(query)).scalar_one())


async def page(connection: AsyncConnection, wanted: Wanted, after: tuple[int, str] | None, most: int) -> list[Write]:
    """Writes, the newest first."""
    query = (
        select(writes).where(*_conditions(wanted)).order_by(writes.c.created_ms.desc(), writes.c.id.desc()).limit(most)
    )
    if after is not None:
        query = query.where(tuple_(writes.c.created_ms, writes.c.id) < tuple_(*after))
    return [_write(row) for row in await connection.execute(query)]


async def events(connection: AsyncConnection, write_ids: Sequence[str]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    query = select(write_events).where(write_events.c.write_id.in_(list(write_ids))).order_by(write_events.c.number)
    for row in await connection.execute(query):
        before = WriteState(row.before) if row.before else None
        event = Event(row.write_id, row.number, row.at_ms, before, WriteState(row.after), row.reason)
        found.setdefault(row.write_id, []).append(event)
    return found


async def purge(connection: AsyncConnection, *, completed_before_ms: int) -> int:
    """Deletes final writes that are old, and with them their events; how many there were. Open ones are never completed."""
    return (await connection.execute(delete(writes).where(writes.c.completed_ms < completed_before_ms))).rowcount


async def _note(connection: AsyncConnection, write: Write, before: WriteState | None, reason: str) -> None:
    last = select(func.coalesce(func.max(write_events.c.number), 0)).where(write_events.c.write_id == write.id)
    row = {"write_id": write.id, "number": last.scalar_subquery() + 1, "at_ms": write.updated_ms, "reason": reason}
    states = {"before": before.value if before else None, "after": write.state.value}
    await connection.execute(insert(write_events).values(row | states))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [writes.c.environment == wanted.environment.value]
    if wanted.gateway_key is not None:
        found.append(writes.c.gateway_key == wanted.gateway_key)
    if wanted.state is not None:
        found.append(writes.c.state == wanted.state.value)
    if wanted.needs_attention is not None:
        found.append(writes.c.needs_attention.is_(wanted.needs_attention))
    if wanted.start is not None:
        found.append(writes.c.created_ms >= wanted.start)
    if wanted.end is not None:
        found.append(writes.c.created_ms < wanted.end)
    return found


def _row(write: Write) -> dict[str, Any]:
    return {name: _plain(value) for name, value in asdict(write).items()}


def _write(row: Row[Any]) -> Write:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    enums = {name: kind(values[name]) for name, kind in _ENUMS.items()}
    return Write(**(values | enums))


def _one(row: Row[Any] | None) -> Write | None:
    return _write(row) if row is not None else None


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
