"""Remembers the records that pass through: some vendors accept what they never give back.

What is handed in while a batch is being stored makes the next one, and the process's one writer stores it with whatever
else it has. What a mutation leaves is stored by the ledger, with the mutation's outcome; what a read remembers is stored behind
it, and seen by every later look.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.links import store
from app.links.identifiers import Identifier
from app.links.record import Key, Lookup, Record
from app.transactions import Transactions, Work
from app.writer import Writer, WriterEnded
from schema.vendor import Environment, Vendor

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass
class _Batch:
    """What is handed in while the one before is being stored."""

    news: dict[tuple[Environment, Key], list[Record]] = field(default_factory=dict)
    lookups: dict[tuple[Environment, Vendor, Identifier], bool] = field(default_factory=dict)
    stored: asyncio.Event = field(default_factory=asyncio.Event)

    def is_empty(self) -> bool:
        return not (self.news or self.lookups)

    def parts(self) -> list[_Batch]:
        """The same, each thing by itself."""
        news = [_Batch(news={where: seen}) for where, seen in self.news.items()]
        lookups = [_Batch(lookups={question: answer}) for question, answer in self.lookups.items()]
        return [*news, *lookups]


class Memory:
    """All records of both environments; `running()` stores what is handed in, by a writer that runs."""

    def __init__(self, reads: Transactions, writer: Writer) -> None:
        self._reads = reads
        self._writer = writer
        self._next = _Batch()
        self._storing = _stored()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hands over what is handed in; at the end all of it is stored."""
        storing = asyncio.create_task(self._store_all(), name="memory")
        try:
            yield
        finally:
            await self.settled()
            storing.cancel()
            with suppress(asyncio.CancelledError):
                await storing

    async def read(self, work: Work[T]) -> T:
        return await self._reads.run(work)

    async def write(self, work: Work[T]) -> T:
        """Raises what `work` raises; behind whatever was handed in before."""
        await self.settled()
        return await self._writer.run(work)

    def note(self, environment: Environment, seen: Iterable[Record]) -> None:
        """Hands records in without waiting."""
        for record in seen:
            self._next.news.setdefault((environment, record.key), []).append(record)
        self._handed_in()

    def note_lookups(self, environment: Environment, vendor: Vendor, answers: Mapping[Identifier, bool]) -> None:
        """Hands in what a vendor was asked for and whether it knew somebody."""
        for identifier, is_known in answers.items():
            self._next.lookups[environment, vendor, identifier] = is_known
        self._handed_in()

    async def settled(self) -> None:
        """Waits until everything handed in so far is stored."""
        for batch in (self._storing, self._next):
            if not batch.is_empty():
                await batch.stored.wait()

    def _handed_in(self) -> None:
        if not self._next.is_empty():
            self._wake.set()

    async def forget(self, environment: Environment, vendors: Sequence[Vendor]) -> None:
        """Forgets everything of these vendors in one environment."""
        await self.write(lambda connection: store.forget_vendors(connection, environment, vendors))

    async def _store_all(self) -> None:
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
            await self._writer.run(lambda connection: _store(connection, batch))
        except Exception as error:  # noqa: BLE001  # the writer must go on, whatever a record did to the database
            parts = batch.parts()
            is_the_database = isinstance(error, OperationalError | OSError | WriterEnded)
            if len(parts) == 1 or is_the_database:
                _log.error("a record could not be remembered: %s", type(error).__name__)  # no payloads in logs
                return
            for part in parts:
                await self._store_or_log(part)


@asynccontextmanager
async def memory_over(engine: AsyncEngine) -> AsyncIterator[Memory]:
    """A memory at work, with a writer of its own: for whoever has none."""
    reads, writer = Transactions(engine), Writer(engine)
    memory = Memory(reads, writer)
    try:
        async with writer.running(), memory.running():
            yield memory
    finally:
        reads.close()


def _store(connection: Connection, batch: _Batch) -> None:
    store.merge(connection, batch.news)
    store.keep_lookups(connection, batch.lookups)


def _stored() -> _Batch:
    batch = _Batch()
    batch.stored.set()
    return batch


@dataclass(frozen=True)
class Records:
    """The memory of one environment."""

    memory: Memory
    environment: Environment

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
        known = await self.memory.read(lambda c: store.known(c, [(self.environment, key) for key in keys]))
        return {key: record for (_, key), record in known.items()}

    async def carriers(self, identifiers: Sequence[Identifier]) -> dict[Identifier, list[Key]]:
        """The records that carry each identifier; none for one that too many share."""
        await self.memory.settled()
        return await self.memory.read(lambda c: store.carriers(c, self.environment, identifiers))

    async def identifiers(self, keys: Sequence[Key]) -> dict[Key, list[Identifier]]:
        """The identifiers of each record, in normal form."""
        await self.memory.settled()
        return await self.memory.read(lambda c: store.identifiers(c, self.environment, keys))

    async def lookups(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> dict[Identifier, Lookup]:
        """When the vendor was last asked for each identifier, and what it said."""
        await self.memory.settled()
        return await self.memory.read(lambda c: store.lookups(c, self.environment, vendor, identifiers))

    async def listed(
        self, vendor: Vendor, kind: str, after: tuple[int, str] | None, most: int
    ) -> list[tuple[int, Record]]:
        """Records of one kind in the order in which they were first seen, each with that moment in milliseconds."""
        await self.memory.settled()
        return await self.memory.read(lambda c: store.listed(c, self.environment, vendor, kind, after, most))

    async def related(
        self, relation: tuple[Vendor, str, str], target: tuple[str, str], after: tuple[int, str] | None, most: int
    ) -> list[tuple[int, Record]]:
        """Records of a kind that stand in a relation to a target, the last seen first; `relation` is vendor, kind, name."""
        await self.memory.settled()
        return await self.memory.read(lambda c: store.related(c, self.environment, relation, target, after, most))

    async def targets(self, keys: Sequence[Key], relation: str) -> dict[Key, list[str]]:
        """The own IDs of what each record stands in a relation to."""
        await self.memory.settled()
        return await self.memory.read(lambda c: store.targets(c, self.environment, keys, relation))

    async def pointing_at(self, keys: Sequence[Key]) -> list[Key]:
        """The records that stand in any relation to one of these: a person's logs, a contact's activities."""
        await self.memory.settled()
        return await self.memory.read(lambda c: store.pointing_at(c, self.environment, keys))

    async def shared(self, identifiers: Sequence[Identifier]) -> list[Identifier]:
        """Those of the identifiers that so many records carry that they link none of them."""
        await self.memory.settled()
        carried = await self.memory.read(lambda c: store.carriers(c, self.environment, identifiers, with_shared=True))
        return [each for each, keys in carried.items() if store.is_shared(each, keys)]
