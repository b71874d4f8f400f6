"""What changed in memory, in order: a process reads what the others changed, and drops no more than that of what it has at hand.

A change is noted in the transaction that makes it, and such transactions come one at a time (`app.database.one_at_a_time`):
so whoever has read up to a number has missed nothing below it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, select

from app.database import inserting, memory_changes
from app.links.identifiers import Identifier, IdentifierKind
from app.links.record import Key
from app.statements import Statement
from app.writer import writer_of
from schema.vendor import Environment, Vendor

KEPT = 10_000
"""Changes. Who has not read for longer takes all for changed."""

MOST = 1_000
"""So many others' changes are read one by one; with more, all is taken for changed."""

_COLUMNS = memory_changes.c


class Subject(StrEnum):
    """What a change is of."""

    RECORD = "RECORD"
    LOOKUP = "LOOKUP"
    ALL = "ALL"
    """Of an environment; the other columns are empty."""


@dataclass
class Changes:
    """What others changed, of one environment or all of it."""

    of_all: bool = False
    records: set[Key] = field(default_factory=set)
    links: set[Identifier] = field(default_factory=set)
    """What those carry."""
    lookups: set[tuple[Vendor, Identifier]] = field(default_factory=set)


@dataclass(frozen=True)
class Reading:
    """What was read, up to and with a number."""

    number: int
    changes: dict[Environment, Changes]
    is_long: bool
    """Whether more is kept than need be."""


def note_records(connection: Connection, changed: Iterable[tuple[Environment, Key]]) -> None:
    """Notes records that were stored, related or deleted."""
    rows = [(each, Subject.RECORD, key.vendor._value_, key.kind, key.id) for each, key in changed]
    _note(connection, rows)


def note_lookups(connection: Connection, answered: Iterable[tuple[Environment, Vendor, Identifier]]) -> None:
    """Notes what vendors said when they were asked."""
    rows = [(where, Subject.LOOKUP, by._value_, each.kind._value_, each.value) for where, by, each in answered]
    _note(connection, rows)


def note_all(connection: Connection, environment: Environment) -> None:
    """Takes the place of all that was noted of an environment: nothing of whoever was forgotten stays here."""
    _note(connection, [(environment, Subject.ALL, "", "", "")])
    own = _COLUMNS.environment == environment.value
    connection.execute(delete(memory_changes).where(own, _COLUMNS.number < _end(func.max)))


def read(connection: Connection, since: int | None, reader: str) -> Reading:
    """What all but one writer changed since a number; None is for who has read nothing yet."""
    first, last = (found or 0 for found in connection.execute(select(_end(func.min), _end(func.max))).one())
    is_long = last - first > 2 * KEPT
    if since is None or not 0 <= last - since <= KEPT:
        return Reading(last, {each: Changes(of_all=True) for each in Environment}, is_long)
    found = {each: Changes() for each in Environment}
    if last > since:
        others = _COLUMNS.writer != reader
        query = select(memory_changes).where(_COLUMNS.number > since, _COLUMNS.number <= last, others).limit(MOST + 1)
        rows = connection.execute(query).all()
        if len(rows) > MOST:
            return Reading(last, {each: Changes(of_all=True) for each in Environment}, is_long)
        for row in rows:
            _add(found[Environment(row.environment)], Subject(row.subject), row.vendor, row.kind, row.id)
    return Reading(last, found, is_long)


def shorten(connection: Connection) -> None:
    """Deletes what nobody reads any more."""
    connection.execute(delete(memory_changes).where(_COLUMNS.number <= _end(func.max) - KEPT))


def _add(changes: Changes, subject: Subject, vendor: str, kind: str, own_id: str) -> None:
    if subject is Subject.RECORD:
        changes.records.add(Key(Vendor(vendor), kind, own_id))
    elif subject is Subject.LOOKUP:
        changes.lookups.add((Vendor(vendor), Identifier(IdentifierKind(kind), own_id)))
    else:
        changes.of_all = True


def _end(which: Callable[..., Any]) -> Any:
    """The first or the last number, by itself: of both in one SELECT, SQLite reads the whole table."""
    return select(which(_COLUMNS.number)).scalar_subquery()


def _note(connection: Connection, rows: Iterable[tuple[Environment, Subject, str, str, str]]) -> None:
    writer = writer_of(connection)
    values = [
        {
            "writer": writer,
            "environment": where._value_,
            "subject": of._value_,
            "vendor": by,
            "kind": kind,
            "id": own_id,
        }
        for where, of, by, kind, own_id in rows
    ]
    _noting().run_all(connection, values)


@cache
def _noting() -> Statement:
    names = [column.name for column in memory_changes.columns if column is not _COLUMNS.number]
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return Statement(lambda dialect: inserting(dialect)(memory_changes).values(values).inline())
