"""The memory's statements, for SQLite and PostgreSQL alike.

Whatever writes takes its turn first: two processes that took that turn and their rows in different order would wait for each other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    select,
    tuple_,
)

from app import database
from app.database import inserting, one_at_a_time, record_identifiers, record_relations, records
from app.links import changes
from app.links.identifiers import Identifier, IdentifierKind
from app.links.record import MOST_SHARERS, Key, Lookup, Record, is_shared, merged
from app.statements import Statement
from schema.vendor import Environment, Vendor

Where = tuple[Environment, Key]

_MOST_PER_STATEMENT = 100
_RECORD = ("environment", "vendor", "kind", "id")
_STRICT = json.JSONEncoder(allow_nan=False)


def changes_since(connection: Connection, since: int | None, reader: str) -> changes.Reading:
    """What others changed, and what the records among it carry now."""
    found = changes.read(connection, since, reader)
    for environment, of in found.changes.items():
        for links in identifiers(connection, environment, list(of.records)).values():
            of.links.update(links)
    return found


def known(connection: Connection, keys: Sequence[Where]) -> dict[Where, Record]:
    return {(Environment(row.environment), _key(row)): _record(row) for row in _rows(connection, records, keys)}


def merge(connection: Connection, news: Mapping[Where, Sequence[Record]]) -> dict[Where, Record]:
    """Adds what was seen to what was known, and returns what is known now; what was not seen this time stays as it was."""
    if not news:
        return {}
    one_at_a_time(connection)
    now = time.time_ns() // 1_000_000
    after, changed = _added(connection, news, now) or _changed(connection, news, now)
    changed |= _relate(connection, news, changed)
    changes.note_records(connection, changed)
    return after


def _added(
    connection: Connection, news: Mapping[Where, Sequence[Record]], now: int
) -> tuple[dict[Where, Record], set[Where]] | None:
    """Stores the one record that a write has made, and that nobody need look for; None if it is known, or if there are more."""
    if len(news) > 1:
        return None
    [(where, seen)] = news.items()
    record = replace(merged(None, seen), seen_ms=now)
    if _adding().run(connection, _row(where, record, now)) == 0:
        return None
    _upsert(connection, record_identifiers, [_own(where) | _linking(each) for each in record.links])
    return {where: record}, {where}


def _changed(
    connection: Connection, news: Mapping[Where, Sequence[Record]], now: int
) -> tuple[dict[Where, Record], set[Where]]:
    """What is known now, and of which records that is more than before."""
    before = known(connection, list(news))
    after = {where: merged(before.get(where), seen) for where, seen in news.items()}
    changed = {where: record for where, record in after.items() if record != before.get(where)}
    _upsert(connection, records, [_row(where, record, now) for where, record in changed.items()])
    _relink(connection, before, changed)
    known_now = {where: replace(each, seen_ms=now) if where in changed else each for where, each in after.items()}
    return known_now, set(changed)


def _relate(connection: Connection, news: Mapping[Where, Sequence[Record]], changed: Collection[Where]) -> set[Where]:
    """Stores relations; of which records that are not `changed` some are new."""
    related = {where: {each for record in seen for each in record.relations} for where, seen in news.items()}
    unchanged = [where for where, found in related.items() if found and where not in changed]
    for row in _rows(connection, record_relations, unchanged):
        related[Environment(row.environment), _key(row)].discard((row.relation, row.target_kind, row.target_id))
    rows = [_own(where) | _relation(each) for where, found in related.items() for each in sorted(found)]
    _upsert(connection, record_relations, rows)
    return {where for where in unchanged if related[where]}


def forget(connection: Connection, gone: Collection[Where]) -> None:
    """Deletes records with all that hangs on them."""
    if not gone:
        return
    one_at_a_time(connection)
    for table in (record_identifiers, record_relations, records):
        for condition in _among(table, gone):
            connection.execute(delete(table).where(condition))
    changes.note_records(connection, gone)


def forget_vendors(connection: Connection, environment: Environment, vendors: Sequence[Vendor]) -> None:
    """Deletes everything of these vendors in one environment."""
    one_at_a_time(connection)
    names = [vendor.value for vendor in vendors]
    for table in (record_identifiers, record_relations, database.lookups, records):
        connection.execute(delete(table).where(_in(table, environment), table.c.vendor.in_(names)))
    changes.note_all(connection, environment)


def forget_lookups(connection: Connection, environment: Environment, gone: Sequence[Identifier]) -> None:
    """Deletes the questions that were asked for these identifiers, and what tells that they or anything else changed."""
    one_at_a_time(connection)
    for vendor in Vendor:
        for condition in _asked(environment, vendor, gone):
            connection.execute(delete(database.lookups).where(condition))
    changes.note_all(connection, environment)


def keep_lookups(connection: Connection, answers: Mapping[tuple[Environment, Vendor, Identifier], bool]) -> None:
    if not answers:
        return
    one_at_a_time(connection)
    now = time.time_ns() // 1_000_000
    rows = [
        {"environment": environment.value, "vendor": vendor.value, "type": each.kind.value, "value": each.value}
        | {"is_known": is_known, "asked_ms": now}
        for (environment, vendor, each), is_known in answers.items()
    ]
    _upsert(connection, database.lookups, rows)
    changes.note_lookups(connection, answers)


def carriers(
    connection: Connection,
    environment: Environment,
    wanted: Sequence[Identifier],
    *,
    with_shared: bool = False,
) -> dict[Identifier, list[Key]]:
    """The records that carry each identifier; none for one that too many of one vendor share, unless asked for."""
    found: dict[Identifier, list[Key]] = {}
    groups = _groups((environment.value, each.kind.value, each.value) for each in wanted)
    for (where, kind), values in groups:  # one by one: for two at once SQLite reads all of an environment
        query = _few_of_each(is_client=kind == IdentifierKind.CLIENT.value)
        for row in connection.execute(query, {"environment": where, "type": kind, "value": values}):
            found.setdefault(_identifier(row), []).append(_key(row))
    return {each: keys for each, keys in found.items() if with_shared or not is_shared(each, keys)}


@cache
def _few_of_each(*, is_client: bool) -> Select[Any]:
    """The carriers of identifiers, no more of each than it takes to know that it is shared. Built once: it is part of most reads."""
    table = record_identifiers
    query = select(table).where(
        table.c.environment == bindparam("environment"),
        table.c.type == bindparam("type"),
        table.c.value.in_(bindparam("value", expanding=True)),
    )
    if is_client:
        return query
    place = func.row_number().over(partition_by=(table.c.value, table.c.vendor), order_by=(table.c.kind, table.c.id))
    numbered = query.add_columns(place.label("place")).subquery()
    return select(numbered).where(numbered.c.place <= MOST_SHARERS + 1)


def identifiers(connection: Connection, environment: Environment, keys: Sequence[Key]) -> dict[Key, list[Identifier]]:
    found: dict[Key, list[Identifier]] = {}
    for row in _rows(connection, record_identifiers, [(environment, key) for key in keys]):
        found.setdefault(_key(row), []).append(_identifier(row))
    return found


def lookups(
    connection: Connection, environment: Environment, vendor: Vendor, wanted: Sequence[Identifier]
) -> dict[Identifier, Lookup]:
    found: dict[Identifier, Lookup] = {}
    for condition in _asked(environment, vendor, wanted):
        for row in connection.execute(select(database.lookups).where(condition)):
            found[_identifier(row)] = Lookup(row.asked_ms, row.is_known)
    return found


def listed(
    connection: Connection,
    environment: Environment,
    vendor: Vendor,
    kind: str,
    after: tuple[int, str] | None,
    most: int,
) -> list[tuple[int, Record]]:
    """Records of one kind by first seen, then ID."""
    query = select(records).where(_in(records, environment), records.c.vendor == vendor.value, records.c.kind == kind)
    if after is not None:
        query = query.where(tuple_(records.c.first_ms, records.c.id) > tuple_(*after))
    return _with_moments(connection, query.order_by(records.c.first_ms, records.c.id).limit(most))


def related(
    connection: Connection,
    environment: Environment,
    relation: tuple[Vendor, str, str],
    target: tuple[str, str],
    after: tuple[int, str] | None,
    most: int,
) -> list[tuple[int, Record]]:
    """Records in a relation to a target by first seen and ID, the last first."""
    vendor, kind, name = relation
    held = record_relations
    query = select(records).join(held, and_(*(records.c[each] == held.c[each] for each in _RECORD)))
    query = query.where(_in(held, environment), held.c.vendor == vendor.value, held.c.kind == kind)
    query = query.where(held.c.relation == name, held.c.target_kind == target[0], held.c.target_id == target[1])
    if after is not None:
        query = query.where(tuple_(records.c.first_ms, records.c.id) < tuple_(*after))
    return _with_moments(connection, query.order_by(records.c.first_ms.desc(), records.c.id.desc()).limit(most))


def with_id(connection: Connection, environment: Environment, own_id: str) -> list[Key]:
    """The records of all vendors and kinds that have this ID of their own."""
    query = select(records).where(_in(records, environment), records.c.id == own_id)
    return [_key(row) for row in connection.execute(query)]


def asked_for(
    connection: Connection, environment: Environment, wanted: Sequence[Identifier]
) -> list[tuple[Vendor, Identifier, Lookup]]:
    """What vendors were asked about these identifiers, and what they said."""
    return [
        (vendor, each, lookup)
        for vendor in Vendor
        for each, lookup in lookups(connection, environment, vendor, wanted).items()
    ]


def pointing_at(connection: Connection, environment: Environment, keys: Sequence[Key]) -> list[Key]:
    held = record_relations
    target = (held.c.environment, held.c.vendor, held.c.target_kind, held.c.target_id)
    places = [_place((environment, key)) for key in keys]
    conditions = _conditions(target, places)
    return [_key(row) for condition in conditions for row in connection.execute(select(held).where(condition))]


def targets(
    connection: Connection, environment: Environment, keys: Sequence[Key], relation: str
) -> dict[Key, list[str]]:
    held = record_relations
    found: dict[Key, list[str]] = {}
    for condition in _among(held, [(environment, key) for key in keys]):
        query = select(held).where(condition, held.c.relation == relation).order_by(held.c.target_id)
        for row in connection.execute(query):
            found.setdefault(_key(row), []).append(row.target_id)
    return found


def _with_moments(connection: Connection, query: Select[Any]) -> list[tuple[int, Record]]:
    return [(row.first_ms, _record(row)) for row in connection.execute(query)]


def _relink(connection: Connection, before: Mapping[Where, Record], after: Mapping[Where, Record]) -> None:
    """Brings the identifiers in normal form up to date where they changed."""
    none = frozenset[Identifier]()
    old = {where: before[where].links if where in before else none for where in after}
    changed = {where: record.links for where, record in after.items() if record.links != old[where]}
    stale = [where for where, links in changed.items() if old[where] - links]
    for condition in _among(record_identifiers, stale):
        connection.execute(delete(record_identifiers).where(condition))
    rows = [_own(where) | _linking(each) for where, links in changed.items() for each in links]
    _upsert(connection, record_identifiers, rows)


def _upsert(connection: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        _upserting(table, tuple(rows[0])).run_all(connection, rows)


@cache
def _upserting(table: Table, names: tuple[str, ...]) -> Statement:
    """Stores a row of these columns, or what is new of one that is there."""
    key = list(table.primary_key)
    kept = {column.name for column in key} | {"first_ms"}

    def build(dialect: str) -> Any:
        insert = _inserting(dialect, table, names)
        news = {name: insert.excluded[name] for name in names if name not in kept}
        return insert.on_conflict_do_update(index_elements=key, set_=news) if news else insert.on_conflict_do_nothing()

    return Statement(build)


@cache
def _adding() -> Statement:
    """Stores a record that is new."""
    names = tuple(column.name for column in records.columns)
    return Statement(lambda dialect: _inserting(dialect, records, names).on_conflict_do_nothing())


def _inserting(dialect: str, table: Table, names: Sequence[str]) -> Any:
    return inserting(dialect)(table).values({name: bindparam(name) for name in names})


def _row(where: Where, record: Record, now: int) -> dict[str, Any]:
    fields, identifiers = _json(record.fields), _json(record.identifiers)
    return {**_own(where), "fields": fields, "identifiers": identifiers, "seen_ms": now, "first_ms": now}


def _json(value: Any) -> str:
    """With null for what JSON has no form for, as a vendor's NaN: PostgreSQL would refuse it."""
    try:
        return _STRICT.encode(value)
    except ValueError:
        return json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None))


def _own(where: Where) -> dict[str, Any]:
    environment, key = where
    return {"environment": environment._value_, "vendor": key.vendor._value_, "kind": key.kind, "id": key.id}


def _linking(identifier: Identifier) -> dict[str, Any]:
    return {"type": identifier.kind._value_, "value": identifier.value}


def _relation(relation: tuple[str, str, str]) -> dict[str, Any]:
    return dict(zip(("relation", "target_kind", "target_id"), relation, strict=True))


def _in(table: Table, environment: Environment) -> ColumnElement[bool]:
    return table.c.environment == environment.value


def _rows(connection: Connection, table: Table, keys: Iterable[Where]) -> Iterator[Row[Any]]:
    """What belongs to these records, in statements as `_conditions` has them."""
    for group, ids in _groups(map(_place, keys)):
        yield from connection.execute(_selecting(table), dict(zip(_RECORD, (*group, ids), strict=True)))


@cache
def _selecting(table: Table) -> Select[Any]:
    """Built once, as it is part of every write."""
    *names, last = _RECORD
    same = (table.c[name] == bindparam(name) for name in names)
    return select(table).where(*same, table.c[last].in_(bindparam(last, expanding=True)))


def _among(table: Table, keys: Iterable[Where]) -> Iterator[ColumnElement[bool]]:
    return _conditions([table.c[name] for name in _RECORD], map(_place, keys))


def _asked(environment: Environment, vendor: Vendor, wanted: Iterable[Identifier]) -> Iterator[ColumnElement[bool]]:
    table = database.lookups
    places = ((environment.value, vendor.value, each.kind.value, each.value) for each in wanted)
    return _conditions([table.c.environment, table.c.vendor, table.c.type, table.c.value], places)


def _conditions(
    columns: Sequence[ColumnElement[Any]], places: Iterable[tuple[Any, ...]]
) -> Iterator[ColumnElement[bool]]:
    """That these columns have one of these sets of values: a condition for each group that only the last tells apart.

    Each is for a statement of its own, in which SQLite takes an index. For rows of "(a, b) IN (VALUES …)" it would read the whole
    table, and of conditions joined by OR it takes out what they share and reads all of an environment.
    """
    *first, last = columns
    for group, values in _groups(places):
        yield and_(*(column == value for column, value in zip(first, group, strict=True)), last.in_(values))


def _groups(places: Iterable[tuple[Any, ...]]) -> Iterator[tuple[tuple[Any, ...], Sequence[Any]]]:
    """The last values, as many as one statement takes, by those before."""
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for *first, last in places:
        groups.setdefault(tuple(first), []).append(last)
    for group, values in groups.items():
        for chunk in _chunks(values):
            yield group, chunk


def _place(where: Where) -> tuple[str, str, str, str]:
    environment, key = where
    return environment._value_, key.vendor._value_, key.kind, key.id


def _record(row: Row[Any]) -> Record:
    identifiers = tuple((type_, value) for type_, value in row.identifiers)
    return Record(Vendor(row.vendor), row.kind, row.id, row.fields, identifiers, seen_ms=row.seen_ms)


def _key(row: Row[Any]) -> Key:
    return Key(Vendor(row.vendor), row.kind, row.id)


def _identifier(row: Row[Any]) -> Identifier:
    return Identifier(IdentifierKind(row.type), row.value)


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _MOST_PER_STATEMENT] for start in range(0, len(items), _MOST_PER_STATEMENT))
