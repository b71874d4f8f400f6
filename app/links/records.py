"""Remembers the records that pass through: some vendors accept what they never give back.

Writes of all requests are grouped into one transaction by one writer per process. What a mutation remembers is stored
before it answers; what a read remembers is stored behind it, and seen by every later look.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.database import records, writing
from schema.vendor import Environment, Vendor

_MOST_PER_STATEMENT = 200
_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_log = logging.getLogger(__name__)

Key = tuple[str, str, str, str]
"""Environment, vendor, kind, the vendor's own ID."""


@dataclass(frozen=True)
class Record:
    """What is known of one record. `fields` is JSON; `identifiers` are kinds (email, phone, …) and values."""

    vendor: Vendor
    kind: str
    id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    identifiers: tuple[tuple[str, str], ...] = ()


@dataclass
class _Batch:
    seen: dict[Key, list[Record]] = field(default_factory=dict)
    stored: asyncio.Event = field(default_factory=asyncio.Event)


class Memory:
    """All records of both environments; `running()` stores what is handed in."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._next = _Batch()
        self._storing = _Batch()
        self._storing.stored.set()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the writer; at the end everything handed in is stored."""
        writer = asyncio.create_task(self._write(), name="records writer")
        try:
            yield
        finally:
            await self._settled()
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    def note(self, environment: Environment, seen: Iterable[Record]) -> asyncio.Event:
        """Hands records in without waiting; the event is set once they are stored, or could not be."""
        for record in seen:
            key = (environment.value, record.vendor.value, record.kind, record.id)
            self._next.seen.setdefault(key, []).append(record)
            self._wake.set()
        return self._next.stored if self._next.seen else self._storing.stored

    async def recall(
        self, environment: Environment, vendor: Vendor, kind: str, ids: Sequence[str]
    ) -> dict[str, Record]:
        """What is known of these records, by their own ID; the unknown are left out."""
        await self._settled()
        keys = [(environment.value, vendor.value, kind, own) for own in ids]
        async with self._engine.connect() as connection:
            known = await _known(connection, keys)
        return {record.id: record for record in known.values()}

    async def forget(self, environment: Environment, vendors: Iterable[Vendor]) -> None:
        """Forgets everything of these vendors in one environment."""
        names = [vendor.value for vendor in vendors]
        async with writing(self._engine).begin() as connection:
            await connection.execute(
                delete(records).where(records.c.environment == environment.value, records.c.vendor.in_(names))
            )

    async def _settled(self) -> None:
        for batch in (self._storing, self._next):
            if batch.seen:
                await batch.stored.wait()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._storing, self._next = self._next, _Batch()
            try:
                await self._store(self._storing.seen)
            except (SQLAlchemyError, OSError, ValueError) as error:
                _log.error("records could not be remembered: %s", type(error).__name__)  # no payloads in logs
            finally:
                self._storing.seen.clear()
                self._storing.stored.set()

    async def _store(self, seen: Mapping[Key, list[Record]]) -> None:
        async with writing(self._engine).begin() as connection:
            known = await _known(connection, list(seen))
            changed = [row for key, news in seen.items() if (row := _changed(key, known.get(key), news))]
            for chunk in _chunks(changed):
                await _upsert(connection, chunk)


@dataclass(frozen=True)
class Records:
    """The memory of one environment."""

    memory: Memory
    environment: Environment

    async def keep(self, *seen: Record) -> None:
        """Remembers; returns when it is stored."""
        await self.memory.note(self.environment, seen).wait()

    def note(self, *seen: Record) -> None:
        """Remembers behind the caller's back."""
        if seen:
            self.memory.note(self.environment, seen)

    async def recall(self, vendor: Vendor, kind: str, ids: Sequence[str]) -> dict[str, Record]:
        return await self.memory.recall(self.environment, vendor, kind, ids)


def _changed(key: Key, known: Record | None, news: list[Record]) -> dict[str, Any] | None:
    """The row after the news, or None if they are none: what was not seen this time stays as it was."""
    fields = dict(known.fields) if known else {}
    identifiers = list(known.identifiers) if known else []
    for record in news:
        fields |= {name: value for name, value in record.fields.items() if value is not None}
        identifiers += [each for each in record.identifiers if each not in identifiers]
    if known and fields == known.fields and len(identifiers) == len(known.identifiers):
        return None
    environment, vendor, kind, own = key
    row = {"environment": environment, "vendor": vendor, "kind": kind, "id": own}
    return row | {"fields": fields, "identifiers": identifiers, "seen_ms": time.time_ns() // 1_000_000}


async def _known(connection: AsyncConnection, keys: Sequence[Key]) -> dict[Key, Record]:
    found: dict[Key, Record] = {}
    columns = (records.c.environment, records.c.vendor, records.c.kind, records.c.id)
    for chunk in _chunks(keys):
        for row in await connection.execute(select(records).where(tuple_(*columns).in_(chunk))):
            identifiers = tuple((kind, value) for kind, value in row.identifiers)
            found[tuple(row[:4])] = Record(Vendor(row.vendor), row.kind, row.id, row.fields, identifiers)
    return found


async def _upsert(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    insert = _INSERT[connection.dialect.name](records).values(list(rows))
    news = {name: insert.excluded[name] for name in ("fields", "identifiers", "seen_ms")}
    await connection.execute(insert.on_conflict_do_update(index_elements=list(records.primary_key), set_=news))


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + _MOST_PER_STATEMENT] for start in range(0, len(items), _MOST_PER_STATEMENT))
