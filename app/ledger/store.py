"""The ledger's statements, for SQLite and PostgreSQL alike. Each runs within a transaction of app.writer."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import Enum
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from app.database import inserting, one_at_a_time, records, write_events, writes
from app.ledger.moves import note_move
from app.ledger.states import FINAL
from app.ledger.write import Event, Write
from app.statements import Statement
from schema.types.receipt import Delivery, WriteOperation, WriteState
from schema.vendor import Environment, Vendor

MOST_PURGED = 1000
"""In one transaction: others write in between."""

_ENUMS: Mapping[str, type[Enum]] = {
    "environment": Environment,
    "operation": WriteOperation,
    "vendor": Vendor,
    "delivery": Delivery,
    "state": WriteState,
}
_EMPTIED = {"draft": None, "owner": None, "lease_ms": None, "due_ms": None, "needs_attention": False}
"""What a write loses when it becomes final."""

_WAITING = ("PENDING", "UNKNOWN")
_NEW: Mapping[str, Any] = {name: bindparam(name) for name in (each.name for each in fields(Write))}
_ADD = Statement(lambda dialect: inserting(dialect)(writes).values(_NEW).on_conflict_do_nothing())
_BY_ID = select(writes).where(writes.c.id == bindparam("id"))
_BY_KEY = select(writes).where(
    writes.c.environment == bindparam("environment"),
    writes.c.gateway_key == bindparam("gateway_key"),
    writes.c.idempotency_key == bindparam("idempotency_key"),
    ~writes.c.superseded,  # in the words of the index: "IS 0" would not find it
)
_LAST_NUMBER = (
    select(func.coalesce(func.max(write_events.c.number), literal_column("0")))
    .where(write_events.c.write_id == bindparam("of"))
    .scalar_subquery()
)
_EVENT = Statement(
    lambda _: (
        insert(write_events)
        .values(
            write_id=bindparam("of"),
            number=_LAST_NUMBER + literal_column("1"),
            **{name: bindparam(name) for name in ("at_ms", "before", "after", "reason")},
        )
        .inline()
    )  # the number is not asked back
)


@dataclass(frozen=True)
class Wanted:
    """Which writes to list; None asks for any. Times are milliseconds, `start` included, `end` not."""

    environment: Environment
    gateway_key: str | None = None
    state: WriteState | None = None
    needs_attention: bool | None = None
    start: int | None = None
    end: int | None = None


def new_id() -> str:
    """Sorts by time of making, finer than a millisecond: writes of one lane are delivered in this order."""
    return f"{time.time_ns():016x}{os.urandom(8).hex()}"


def claim_key(connection: Connection, write: Write) -> Write:
    """Stores a new write with its first event and returns it, or the one that holds its key, which stays as it is.

    One that failed in a way that may be repeated holds its key no longer: the new one supersedes it.
    """
    if has_company(write):
        write = _last_in_lane(connection, write)
    if add(connection, write):
        return write
    held = by_key(connection, write.environment, write.gateway_key, write.idempotency_key)
    if held is not None and not held.is_blocking() and supersede(connection, held):
        add(connection, write)
        return write
    return held or write


def add(connection: Connection, write: Write, reason: str = "stored") -> bool:
    """Stores a new write with its first event; False if another holds its idempotency key.

    True, and nothing done, if it is stored already: a transaction may have to be repeated that was committed unheard.
    """
    if _ADD.run(connection, _plain(vars(write))) == 1:
        _note(connection, write, None, reason)
        return True
    held = by_key(connection, write.environment, write.gateway_key, write.idempotency_key)
    return held is not None and held.id == write.id


def by_id(connection: Connection, write_id: str) -> Write | None:
    return _one(connection.execute(_BY_ID, {"id": write_id}).one_or_none())


def by_key(connection: Connection, environment: Environment, gateway_key: str, idempotency_key: str) -> Write | None:
    """The newest write of a key: the one that was not superseded. Who a token names may have the same ID in both environments."""
    key = {"environment": environment.value, "gateway_key": gateway_key, "idempotency_key": idempotency_key}
    return _one(connection.execute(_BY_KEY, key).one_or_none())


def _last_in_lane(connection: Connection, write: Write) -> Write:
    """A new write, made later than all in its lane, whatever its clock says: they are delivered in this order."""
    one_at_a_time(connection)
    lane = and_(writes.c.lane == write.lane, writes.c.environment == write.environment.value, writes.c.id != write.id)
    newest = connection.execute(select(func.max(writes.c.created_ms)).where(lane)).scalar_one()
    if newest is None or newest < write.created_ms:
        return write
    return write.but({"created_ms": newest + 1, "updated_ms": newest + 1})


def supersede(connection: Connection, write: Write) -> bool:
    """Frees the key of a write that failed in a way that may be repeated; False if that has changed meanwhile."""
    change = update(writes).where(writes.c.id == write.id, writes.c.state == WriteState.FAILED.value)
    done = connection.execute(change.where(~writes.c.superseded).values(superseded=True))
    return done.rowcount == 1


def change(
    connection: Connection, write: Write, reason: str, now: int, *, quietly: bool = False, **values: Any
) -> Write | None:
    """Changes a write that is as it was when it was read, with an event; None if it has changed meanwhile.

    `values` are columns by name; a state that is final empties the draft and says when it was reached. `quietly`: no event,
    unless the state changes. Every change makes `updated_ms` larger, whatever the clock says: by it a stale read is known.
    """
    now = max(now, write.updated_ms + 1)
    values["updated_ms"] = now
    if values.get("state") in FINAL:
        values.update(_EMPTIED, completed_ms=now)
    new = _plain(values)
    new["this"], new["as_read"] = write.id, write.updated_ms
    if _changing(tuple(values)).run(connection, new) == 0:
        return None
    changed = write.but(values)
    if not (quietly and changed.state is write.state):
        _note(connection, changed, write.state, reason)
    return changed


def start_sending(connection: Connection, write: Write, now: int, **values: Any) -> Write | None:
    """Makes a write SENDING, unless it has changed meanwhile, or another of its lane goes first."""
    if has_company(write):
        one_at_a_time(connection)
        if not is_next_in_lane(connection, write):
            return None
    return change(connection, write, "sending", now, state=WriteState.SENDING, **values)


def has_company(write: Write) -> bool:
    """Whether other writes may be in its lane."""
    return write.lane != write.id


def is_any_due(connection: Connection, now: int) -> bool:
    """Whether there is anything to claim."""
    due = and_(writes.c.state.in_(_WAITING), writes.c.due_ms <= now)
    return bool(connection.execute(select(exists().where(due))).scalar_one())


def claim_due(connection: Connection, now: int, *, owner: str, hold_ms: int, most: int) -> list[Write]:
    """Writes that wait for delivery or for a look, and are due; for `hold_ms` they are the owner's, unless it dies."""
    due = and_(writes.c.state.in_(_WAITING), writes.c.due_ms <= now)
    query = select(writes).where(due).order_by(writes.c.due_ms, writes.c.id).limit(most)
    if connection.dialect.name == "postgresql":
        query = query.with_for_update(skip_locked=True)
    found = [_write(row) for row in connection.execute(query)]
    ids = [write.id for write in found]
    held: dict[str, Any] = {"due_ms": now + hold_ms, "owner": owner}
    if ids:
        connection.execute(update(writes).where(writes.c.id.in_(ids)).values(held))
    return [write.but(held) for write in found]


def release(connection: Connection, now: int, owners: Sequence[str]) -> None:
    """Makes due what these owners held and have not begun to send: they are dead, or about to end."""
    held = and_(writes.c.state.in_(_WAITING), writes.c.owner.in_(owners))
    connection.execute(update(writes).where(held, writes.c.due_ms > now).values(due_ms=now, owner=None))


def next_is_due(connection: Connection, write: Write, now: int) -> None:
    """Makes due what waits in the lane of a write that is out of the way."""
    lane = and_(writes.c.lane == write.lane, writes.c.environment == write.environment.value)
    waiting = and_(lane, writes.c.state == WriteState.PENDING.value, writes.c.owner.is_(None))
    connection.execute(update(writes).where(waiting, writes.c.due_ms > now).values(due_ms=now))


def abandoned(connection: Connection, now: int, *, dead_owners: Sequence[str], most: int) -> list[Write]:
    """Writes that are being sent by nobody any more: their owner is dead, or their lease has run out."""
    lost = or_(writes.c.lease_ms < now, writes.c.owner.in_(dead_owners))
    query = (
        select(writes).where(writes.c.state == WriteState.SENDING.value, lost).order_by(writes.c.lease_ms).limit(most)
    )
    return [_write(row) for row in connection.execute(query)]


def owners(connection: Connection) -> list[str]:
    """Who holds open writes."""
    is_open = writes.c.state.in_(("PENDING", "SENDING", "UNKNOWN"))
    query = select(writes.c.owner).where(is_open, writes.c.owner.is_not(None)).distinct()
    return [row.owner for row in connection.execute(query)]


def is_next_in_lane(connection: Connection, write: Write) -> bool:
    """Whether nothing older in the same lane is still to be delivered, and nothing at all is being sent in it; the
    environments' lanes are apart.
    """
    others = and_(writes.c.lane == write.lane, writes.c.environment == write.environment.value, writes.c.id != write.id)
    earlier = tuple_(writes.c.created_ms, writes.c.id) < tuple_(write.created_ms, write.id)
    is_sent = writes.c.state == WriteState.SENDING.value
    ahead = and_(others, or_(is_sent, and_(writes.c.state == WriteState.PENDING.value, earlier)))
    return not connection.execute(select(exists().where(ahead))).scalar_one()


def is_claimed(connection: Connection, environment: Environment, result_id: str) -> bool:
    """Whether a write is known to have made this record."""
    made = and_(writes.c.environment == environment.value, writes.c.result_id == result_id)
    return bool((connection.execute(select(exists().where(made)))).scalar_one())


def answered_in_lane(connection: Connection, write: Write) -> list[str]:
    """The answers of the other writes of its lane that succeeded."""
    others = and_(writes.c.lane == write.lane, writes.c.environment == write.environment.value, writes.c.id != write.id)
    is_answered = and_(writes.c.state == WriteState.SUCCEEDED.value, writes.c.answer.is_not(None))
    return list(connection.execute(select(writes.c.answer).where(others, is_answered)).scalars())


def is_alike_sent(connection: Connection, write: Write) -> bool:
    """Whether another write of the same is being sent: what it makes can't be told from this one's."""
    alike = and_(writes.c.environment == write.environment.value, writes.c.fingerprint == write.fingerprint)
    is_sent = and_(writes.c.state == WriteState.SENDING.value, writes.c.id != write.id)
    return bool(connection.execute(select(exists().where(is_sent, alike))).scalar_one())


def sent_beside(connection: Connection, write: Write) -> set[str]:
    """Which other writes of the same operation are being sent: their records may look like this one's."""
    is_sent = and_(writes.c.state == WriteState.SENDING.value, writes.c.id != write.id)
    alike = and_(writes.c.environment == write.environment.value, writes.c.operation == write.operation.value)
    return set(connection.execute(select(writes.c.id).where(is_sent, alike)).scalars())


def was_seen(connection: Connection, write: Write, own_id: str) -> bool:
    """Whether memory knew a record of the write's vendor before the write was first sent."""
    held = and_(records.c.environment == write.environment.value, records.c.vendor == write.vendor.value)
    before = records.c.first_ms < (write.first_sent_ms or write.created_ms)
    query = select(exists().where(held, records.c.id == own_id, before))
    return bool((connection.execute(query)).scalar_one())


def page(connection: Connection, wanted: Wanted, after: tuple[int, str] | None, most: int) -> list[Write]:
    """Writes, the newest first."""
    query = (
        select(writes).where(*_conditions(wanted)).order_by(writes.c.created_ms.desc(), writes.c.id.desc()).limit(most)
    )
    if after is not None:
        query = query.where(tuple_(writes.c.created_ms, writes.c.id) < tuple_(*after))
    return [_write(row) for row in connection.execute(query)]


def events(connection: Connection, write_ids: Sequence[str]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    query = select(write_events).where(write_events.c.write_id.in_(list(write_ids))).order_by(write_events.c.number)
    for row in connection.execute(query):
        before = WriteState(row.before) if row.before else None
        event = Event(row.write_id, row.number, row.at_ms, before, WriteState(row.after), row.reason)
        found.setdefault(row.write_id, []).append(event)
    return found


def purge(connection: Connection, *, completed_before_ms: int, most: int = MOST_PURGED) -> int:
    """Deletes so many of the final writes that are old, and with them their events; how many there were. Open ones are never
    completed.
    """
    old = select(writes.c.id).where(writes.c.completed_ms < completed_before_ms).limit(most)
    return (connection.execute(delete(writes).where(writes.c.id.in_(old)))).rowcount


def _note(connection: Connection, write: Write, before: WriteState | None, reason: str) -> None:
    old, new = before and before._value_, write.state._value_
    values = {"of": write.id, "at_ms": write.updated_ms, "before": old, "after": new, "reason": reason}
    _EVENT.run(connection, values)
    note_move(connection, old, new)


@cache
def _changing(names: tuple[str, ...]) -> Statement:
    """The statement that changes these columns of a write that is as it was read."""
    as_read = and_(writes.c.id == bindparam("this"), writes.c.updated_ms == bindparam("as_read"))
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return Statement(lambda _: update(writes).where(as_read).values(values))


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


def _write(row: Row[Any]) -> Write:
    values: dict[str, Any] = dict(row._mapping)  # noqa: SLF001  # SQLAlchemy's public name for it
    enums = {name: kind(values[name]) for name, kind in _ENUMS.items()}
    return Write(**(values | enums))


def _one(row: Row[Any] | None) -> Write | None:
    return _write(row) if row is not None else None


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as the driver takes them."""
    plain = dict(values)
    for name in _ENUMS:
        if name in plain:
            plain[name] = plain[name]._value_  # `value` is a property, in Python, and calls another
    if plain.get("error") is not None:
        plain["error"] = json.dumps(plain["error"])
    return plain
