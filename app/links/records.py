"""Remembers the records that pass through: some vendors accept what they never give back.

Writes of all requests are grouped into one transaction by one writer per process. What a mutation remembers is stored
before it answers; what a read remembers is stored behind it, and seen by every later look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import writing
from app.links import store
from app.links.circle import Circle
from app.links.identifiers import Identifier
from app.links.record import Key, Lookup, Record
from schema.vendor import Environment, Vendor

_log = logging.getLogger(__name__)


@dataclass
class _Batch:
    """What is handed in while the one before is being stored."""

    news: dict[tuple[Environment, Key], list[Record]] = field(default_factory=dict)
    lookups: dict[tuple[Environment, Vendor, Identifier], bool] = field(default_factory=dict)
    gone: set[tuple[Environment, Key]] = field(default_factory=set)
    stored: asyncio.Event = field(default_factory=asyncio.Event)

    def is_empty(self) -> bool:
        return not (self.news or self.lookups or self.gone)

    def parts(self) -> list[_Batch]:
        """The same, each thing by itself."""
        news = [_Batch(news={where: seen}) for where, seen in self.news.items()]
        lookups = [_Batch(lookups={question: answer}) for question, answer in self.lookups.items()]
        return [*(_Batch(gone={where}) for where in self.gone), *news, *lookups]


class Memory:
    """All records of both environments; `running()` stores what is handed in."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self._next = _Batch()
        self._storing = _stored()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the writer; at the end everything handed in is stored."""
        writer = asyncio.create_task(self._write(), name="records writer")
        try:
            yield
        finally:
            await self.settled()
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    def note(self, environment: Environment, seen: Iterable[Record]) -> asyncio.Event:
        """Hands records in without waiting; the event is set once they are stored, or could not be."""
        for record in seen:
            self._next.news.setdefault((environment, record.key), []).append(record)
        return self._handed_in()

    def note_lookups(self, environment: Environment, vendor: Vendor, answers: Mapping[Identifier, bool]) -> None:
        """Hands in what a vendor was asked for and whether it knew somebody."""
        for identifier, is_known in answers.items():
            self._next.lookups[environment, vendor, identifier] = is_known
        self._handed_in()

    def note_gone(self, environment: Environment, keys: Iterable[Key]) -> asyncio.Event:
        """Hands in records that the vendor no longer has; what is handed in after that starts anew."""
        for key in keys:
            self._next.news.pop((environment, key), None)
            self._next.gone.add((environment, key))
        return self._handed_in()

    async def settled(self) -> None:
        """Waits until everything handed in so far is stored."""
        for batch in (self._storing, self._next):
            if not batch.is_empty():
                await batch.stored.wait()

    def _handed_in(self) -> asyncio.Event:
        if self._next.is_empty():
            return self._storing.stored
        self._wake.set()
        return self._next.stored

    async def forget(self, environment: Environment, vendors: Sequence[Vendor]) -> None:
        """Forgets everything of these vendors in one environment."""
        async with writing(self.engine).begin() as connection:
            await store.forget_vendors(connection, environment, vendors)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._next = self._next, _Batch()
            self._storing = batch
            await self._store_or_log(batch)
            self._storing = _stored()
            batch.stored.set()

    async def _store_or_log(self, batch: _Batch) -> None:
        """Stores a batch, or as much of it as can be: one record that can't be stored does not cost the others."""
        try:
            await self._store(batch)
        except Exception as error:  # noqa: BLE001  # the writer must go on, whatever a record did to the database
            parts = batch.parts()
            if len(parts) == 1 or isinstance(
                error, OperationalError | OSError
            ):  # the database, not a record, is at fault
                _log.error("a record could not be remembered: %s", type(error).__name__)  # no payloads in logs
                return
            for part in parts:
                await self._store_or_log(part)

    async def _store(self, batch: _Batch) -> None:
        async with writing(self.engine).begin() as connection:
            await store.forget(connection, batch.gone)
            await store.merge(connection, batch.news)
            await store.keep_lookups(connection, batch.lookups)


def _stored() -> _Batch:
    batch = _Batch()
    batch.stored.set()
    return batch


@dataclass(frozen=True)
class Records:
    """The memory of one environment."""

    memory: Memory
    environment: Environment

    async def keep(self, *seen: Record) -> None:
        """Remembers; returns when it is stored."""
        await self.memory.note(self.environment, seen).wait()

    async def drop(self, *gone: Key) -> None:
        """Forgets records that the vendor no longer has; returns when it is done."""
        await self.memory.note_gone(self.environment, gone).wait()

    def note(self, *seen: Record) -> None:
        """Remembers behind the caller's back."""
        if seen:
            self.memory.note(self.environment, seen)

    def note_lookups(self, vendor: Vendor, answers: Mapping[Identifier, bool]) -> None:
        """Remembers what a vendor was asked for, behind the caller's back."""
        self.memory.note_lookups(self.environment, vendor, answers)

    async def recall(self, keys: Sequence[Key]) -> dict[Key, Record]:
        """What is known of these records; the unknown are left out."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            known = await store.known(connection, [(self.environment, key) for key in keys])
        return {key: record for (_, key), record in known.items()}

    async def carriers(self, identifiers: Sequence[Identifier]) -> dict[Identifier, list[Key]]:
        """The records that carry each identifier; none for one that too many share."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            return await store.carriers(connection, self.environment, identifiers)

    async def identifiers(self, keys: Sequence[Key]) -> dict[Key, list[Identifier]]:
        """The identifiers of each record, in normal form."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            return await store.identifiers(connection, self.environment, keys)

    async def lookups(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> dict[Identifier, Lookup]:
        """When the vendor was last asked for each identifier, and what it said."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            return await store.lookups(connection, self.environment, vendor, identifiers)

    def circle_at_hand(self, start: Circle) -> Circle | None:
        """All that is remembered of a human being, if it is at hand."""
        return None

    def lookups_at_hand(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> tuple[dict[Identifier, Lookup], list[Identifier]]:
        return {}, list(identifiers)

    async def listed(
        self, vendor: Vendor, kind: str, after: tuple[int, str] | None, most: int
    ) -> list[tuple[int, Record]]:
        """Records of one kind in the order in which they were first seen, each with that moment in milliseconds."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            return await store.listed(connection, self.environment, vendor, kind, after, most)

    async def related(
        self, relation: tuple[Vendor, str, str], target: tuple[str, str], after: tuple[int, str] | None, most: int
    ) -> list[tuple[int, Record]]:
        """Records of a kind that stand in a relation to a target, the last seen first; `relation` is vendor, kind, name."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            return await store.related(connection, self.environment, relation, target, after, most)

    async def targets(self, keys: Sequence[Key], relation: str) -> dict[Key, list[str]]:
        """The own IDs of what each record stands in a relation to."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            return await store.targets(connection, self.environment, keys, relation)

    async def pointing_at(self, keys: Sequence[Key]) -> list[Key]:
        """The records that stand in any relation to one of these: a person's logs, a contact's activities."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            return await store.pointing_at(connection, self.environment, keys)

    async def shared(self, identifiers: Sequence[Identifier]) -> list[Identifier]:
        """Those of the identifiers that so many records carry that they link none of them."""
        await self.memory.settled()
        async with self.memory.engine.connect() as connection:
            carried = await store.carriers(connection, self.environment, identifiers, with_shared=True)
        return [each for each, keys in carried.items() if store.is_shared(each, keys)]
