"""Remembers the records that pass through: some vendors accept what they never give back.

What is handed in while a batch is being stored makes the next one, and the process's one writer stores it with whatever
else it has. What a mutation leaves is stored by the ledger, with the mutation's outcome; what a read remembers is stored behind
it, and seen by every later look.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Generic, TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from app.current import current
from app.database import AnyEngine
from app.links import changes, store
from app.links.identifiers import Identifier
from app.links.recollection import LONGEST, Recollection, Shelf
from app.links.record import Key, Lookup, Record, is_shared
from app.links.seen import Seen
from app.links.unstored import Batch, stored
from app.paging import Page
from app.transactions import Transactions, Work
from app.writer import Writer, WriterEnded
from schema.vendor import Environment, Vendor

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
_log = logging.getLogger(__name__)


PATIENCE = 1.0
"""In seconds: for how long the writer may have been storing something that reads still wait for it."""

SHARE = 0.25
"""How much of what is left of a request such a wait may take: it may have several, and vendors to ask after them."""


class Memory:
    """All records of both environments; `running()` stores what is handed in, by a writer that runs."""

    def __init__(self, reads: Transactions, writer: Writer) -> None:
        self._reads = reads
        self._writer = writer
        self._next = Batch()
        self._storing = stored()
        self._wake = asyncio.Event()
        self.readings: dict[Hashable, asyncio.Task[Any]] = {}
        """The pages that are being read."""
        self.at_hand = {environment: Recollection() for environment in Environment}

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Hands over what is handed in; at the end all of it is stored."""
        number = await self._catch_up(None)
        tasks = [
            asyncio.create_task(self._store_all(), name="memory"),
            asyncio.create_task(self._watch(number), name="watch"),
        ]
        try:
            yield
        finally:
            await self.settled()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def read(self, work: Work[T]) -> T:
        return await self._reads.run(work)

    async def write(self, work: Work[T]) -> T:
        """Raises what `work` raises; behind whatever was handed in before, and nothing is at hand after it."""
        await self.settled()
        try:
            return await self._writer.run(work)
        finally:
            self._drop_what_is_at_hand()

    def note(self, environment: Environment, seen: Iterable[Record]) -> None:
        """Hands records in without waiting; what is known to be stored is not stored again."""
        at_hand = self.at_hand[environment]
        for record in seen:
            if at_hand.is_news(record):
                at_hand.expect(record)
                self._next.add(environment, record)
        self._handed_in()

    def drop(self, environment: Environment, gone: Sequence[Key]) -> None:
        """Hands in without waiting that records are gone."""
        self.at_hand[environment].drop(gone)
        for key in gone:
            self._next.drop(environment, key)
        self._handed_in()

    def learned(self, environment: Environment, seen: Iterable[Record], gone: Sequence[Key]) -> None:
        """Takes note of what was stored by another way than through here."""
        for record in seen:
            self.at_hand[environment].expect(record)
        if gone:
            self.at_hand[environment].drop(gone)

    def note_lookups(self, environment: Environment, vendor: Vendor, answers: Mapping[Identifier, bool]) -> None:
        """Hands in what a vendor was asked for and whether it knew somebody."""
        for identifier, is_known in answers.items():
            self._next.lookups[environment, vendor, identifier] = is_known
        self.at_hand[environment].note_lookups(vendor, answers)
        self._handed_in()

    async def settled(self) -> None:
        """Waits until everything handed in so far is stored."""
        for batch in (self._storing, self._next):
            if not batch.is_empty():
                await batch.stored.wait()

    async def unstored(self) -> Sequence[Batch]:
        """Waits for that as long as a read may, and returns what is still not stored, the oldest first: nearly always nothing.

        Another process may hold SQLite's lock for long, and no read is to be late for it. What is read beside a batch is not at
        hand any longer than until that is stored.
        """
        batches = [each for each in (self._storing, self._next) if not each.is_empty()]
        if not batches:
            return ()
        most = min(PATIENCE - self._writer.late(), SHARE * current().remaining(PATIENCE / SHARE))
        if most > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(most):
                    await self.settled()
        left = [each for each in batches if not each.stored.is_set()]
        for each in left:
            each.is_overtaken = True
        return left

    def _handed_in(self) -> None:
        if not self._next.is_empty():
            self._wake.set()

    async def forget(self, environment: Environment, vendors: Sequence[Vendor]) -> None:
        """Forgets everything of these vendors in one environment."""
        await self.write(lambda connection: store.forget_vendors(connection, environment, vendors))

    async def _watch(self, number: int | None) -> None:
        """Lets answers be at hand for longer, but for what other processes have changed."""
        while True:
            await asyncio.sleep(LONGEST / 2)
            number = await self._catch_up(number)

    async def _catch_up(self, since: int | None) -> int | None:
        """Drops what others changed since a number of app.links.changes; the number up to which that is done."""
        began = time.monotonic()
        try:
            found = await self._reads.run(partial(store.changes_since, since=since, reader=self._writer.name))
            self._learn(found, began)
            if found.is_long:
                await self._writer.run(changes.shorten)
        except (SQLAlchemyError, OSError, WriterEnded) as error:
            _log.error("it can't be told whether memory has changed: %s", type(error).__name__)
            return since
        return found.number

    def _learn(self, found: changes.Reading, began: float) -> None:
        for environment, changed in found.changes.items():
            at_hand = self.at_hand[environment]
            if changed.of_all:
                at_hand.clear()
            elif changed.records or changed.lookups:
                at_hand.drop(changed.records, changed.links)
                at_hand.drop_lookups(changed.lookups)
            at_hand.lease.renew(began)

    async def _store_all(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._next = self._next, Batch()
            batch.began = {environment: at_hand.now for environment, at_hand in self.at_hand.items()}
            self._storing = batch
            await self._store_or_log(batch)
            if batch.is_overtaken:
                self._drop_what_overtook(batch)
            self._storing = stored()
            batch.stored.set()

    def _drop_what_is_at_hand(self) -> None:
        for at_hand in self.at_hand.values():
            at_hand.clear()

    def _drop_what_overtook(self, batch: Batch) -> None:
        for environment, key in batch.gone:
            self.at_hand[environment].drop([key])
        for (environment, _), seen in batch.news.items():
            for record in seen:
                self.at_hand[environment].expect(record)

    async def _store_or_log(self, batch: Batch) -> None:
        """Stores a batch, or as much of it as can be: one record that can't be stored does not cost the others."""
        try:
            known = await self._writer.run(lambda connection: _store(connection, batch))
        except Exception as error:  # noqa: BLE001  # the writer must go on, whatever a record did to the database
            parts = batch.parts()
            is_the_database = isinstance(error, OperationalError | OSError | WriterEnded)
            if len(parts) == 1 or is_the_database:
                _log.error("a record could not be remembered: %s", type(error).__name__)  # no payloads in logs
                if batch.lookups:
                    self._drop_what_is_at_hand()  # a vendor is said to know somebody of whom nothing is known now
                return
            for part in parts:
                await self._store_or_log(part)
        else:
            for (environment, key), after in known.items():
                self.at_hand[environment].note_stored(batch.news[environment, key], after, batch.began[environment])


@asynccontextmanager
async def memory_over(engine: AnyEngine) -> AsyncIterator[Memory]:
    """A memory at work, with a writer of its own: for whoever has none."""
    reads, writer = Transactions(engine), Writer(engine)
    memory = Memory(reads, writer)
    try:
        async with writer.running(), memory.running():
            yield memory
    finally:
        reads.close()


def _store(connection: Connection, batch: Batch) -> dict[store.Where, Record]:
    store.forget(connection, batch.gone)
    store.keep_lookups(connection, batch.lookups)
    return store.merge(connection, batch.news)


def _linking(carriers: Mapping[Identifier, list[Key]]) -> dict[Identifier, list[Key]]:
    return {each: keys for each, keys in carriers.items() if not is_shared(each, keys)}


@dataclass(frozen=True)
class _Question(Generic[K, V]):
    """What is asked of memory: where the answers may be at hand, how the others are read, and what adds what is not stored yet."""

    shelf: Shelf[K, V]
    asked: Sequence[K]
    read: Callable[[Connection, Sequence[K]], dict[K, V]]
    add: Callable[[Batch, Environment, Sequence[K], dict[K, V]], None]


@dataclass(frozen=True)
class Records:
    """The memory of one environment.

    Answers count in what was handed in and not stored in time. Without it are only `listed`, `related`, `pointing_at` and
    `shared`: a page of them may lack what another request has just seen, until the next read. What can't be stored at all is
    logged, and forgotten.
    """

    memory: Memory
    environment: Environment

    @cached_property
    def at_hand(self) -> Recollection:
        """What can be told without asking the database."""
        return self.memory.at_hand[self.environment]

    def note(self, *seen: Record) -> None:
        """Remembers behind the caller's back."""
        if seen:
            self.memory.note(self.environment, seen)

    def note_lookups(self, vendor: Vendor, answers: Mapping[Identifier, bool]) -> None:
        """Remembers what a vendor was asked for, behind the caller's back."""
        self.memory.note_lookups(self.environment, vendor, answers)

    async def drop(self, *gone: Key) -> None:
        """Forgets behind the caller's back what their vendor no longer has; of what is not known nothing is to be forgotten."""
        self._drop(list(await self.recall(gone)))

    async def recall(self, keys: Sequence[Key]) -> dict[Key, Record]:
        """What is known of these records; the unknown are left out."""

        def known(connection: Connection, missing: Sequence[Key]) -> dict[Key, Record]:
            found = store.known(connection, [(self.environment, key) for key in missing])
            return {key: record for (_, key), record in found.items()}

        [found] = await self._through(_Question(self.at_hand.records, keys, known, Batch.add_records))
        return found

    async def remembered(self, seen: Sequence[Record]) -> dict[Key, Record]:
        """What is known of records that a vendor shows; the unknown are left out, and when one was last seen is not told."""
        at_hand = self.at_hand
        found = {record.key: record for record in seen if at_hand.is_all(record)}
        rest = [record.key for record in seen if record.key not in found]
        return found | await self.recall(rest) if rest else found

    async def carriers(self, identifiers: Sequence[Identifier]) -> dict[Identifier, list[Key]]:
        """The records that carry each identifier; none for one that too many share."""
        [found] = await self._through(self._carriers(identifiers))
        return _linking(found)

    async def identifiers(self, keys: Sequence[Key]) -> dict[Key, list[Identifier]]:
        """The identifiers of each record, in normal form."""
        [found] = await self._through(self._identifiers(keys))
        return found

    async def reached(self, nodes: Sequence[Identifier | Key]) -> dict[Identifier | Key, list[Key] | list[Identifier]]:
        """One step on from each: `carriers` of an identifier, `identifiers` of a record, of all in one reading."""
        carriers, identifiers = await self._through(
            self._carriers([each for each in nodes if isinstance(each, Identifier)]),
            self._identifiers([each for each in nodes if isinstance(each, Key)]),
        )
        return {**_linking(carriers), **identifiers}

    async def lookups(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> dict[Identifier, Lookup]:
        """When the vendor was last asked for each identifier, and what it said."""
        questions = [(vendor, each) for each in identifiers]

        def asked(
            connection: Connection, missing: Sequence[tuple[Vendor, Identifier]]
        ) -> dict[tuple[Vendor, Identifier], Lookup]:
            found = store.lookups(connection, self.environment, vendor, [each for _, each in missing])
            return {(vendor, each): lookup for each, lookup in found.items()}

        [found] = await self._through(_Question(self.at_hand.lookups, questions, asked, Batch.add_lookups))
        return {each: lookup for (_, each), lookup in found.items()}

    def _drop(self, gone: Sequence[Key]) -> None:
        if gone:
            self.memory.drop(self.environment, gone)

    def _carriers(self, identifiers: Sequence[Identifier]) -> _Question[Identifier, list[Key]]:
        def carriers(connection: Connection, missing: Sequence[Identifier]) -> dict[Identifier, list[Key]]:
            return store.carriers(connection, self.environment, missing, with_shared=True)

        return _Question(self.at_hand.carriers, identifiers, carriers, Batch.add_carriers)

    def _identifiers(self, keys: Sequence[Key]) -> _Question[Key, list[Identifier]]:
        def identifiers(connection: Connection, missing: Sequence[Key]) -> dict[Key, list[Identifier]]:
            return store.identifiers(connection, self.environment, missing)

        return _Question(self.at_hand.identifiers, keys, identifiers, Batch.add_identifiers)

    async def _through(self, *questions: _Question[Any, Any]) -> list[dict[Any, Any]]:
        """To each what is at hand, and the rest from the database, with what is not in there yet."""
        looked_up = [(each, *each.shelf.find(each.asked)) for each in questions]
        if any(missing for _, _, missing in looked_up):
            began = self.at_hand.now  # before waiting: what is handed in meanwhile may not be stored when this is read
            unstored = await self.memory.unstored()
            answers = await self.memory.read(
                lambda connection: [each.read(connection, missing) for each, _, missing in looked_up if missing]
            )
            rest = [part for part in looked_up if part[2]]
            for (question, found, missing), fresh in zip(rest, answers, strict=True):
                for batch in unstored:
                    question.add(batch, self.environment, missing, fresh)
                self.at_hand.keep(question.shelf, {each: fresh.get(each) for each in missing}, began)
                found.update(fresh)
        return [found for _, found, _ in looked_up]

    async def page_of(self, vendor: Vendor, kind: str, question: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """What `read` makes of a list of one kind of record (its `nodes` are counted), unless the answer to the same question is at hand.

        It is shared between requests: nobody may change it.
        """
        found: T | None = self.at_hand.page(vendor, kind, question)
        return found if found is not None else await self._read_page(vendor, kind, question, read)

    async def _read_page(self, vendor: Vendor, kind: str, question: Hashable, read: Callable[[], Awaitable[T]]) -> T:
        """Read once for all who ask while it is read, as long as nothing is handed in meanwhile."""
        began = self.at_hand.now
        reading = (self.environment, vendor, kind, question, began)

        async def read_and_keep() -> T:
            page = await read()
            self.at_hand.keep_page(vendor, kind, question, page, began)
            return page

        def end(task: asyncio.Task[T]) -> None:
            del self.memory.readings[reading]
            task.cancelled() or task.exception()  # or asyncio would say that nobody looked

        task = self.memory.readings.get(reading)
        if task is None:
            task = self.memory.readings[reading] = asyncio.create_task(read_and_keep())
            task.add_done_callback(end)
        return cast(T, await asyncio.shield(task))  # whoever is cancelled takes it from nobody

    def told(self, seen: Seen[T]) -> Page[T]:
        """A vendor's answer, of which memory is told; again only if a record of the kind changed: until then it has it all."""
        at_hand = self.at_hand
        if not at_hand.holds(seen.vendor, seen.kind, seen.since):
            seen.since = at_hand.now
            self.note(*seen.records)
        return seen.page

    async def told_all(self, seen: Seen[T], carrying: Identifier, asked_ms: int) -> Page[T]:
        """The same of an answer with all records of its kind that carry an identifier: any other one that memory knew before the
        vendor was asked is gone.
        """
        at_hand = self.at_hand
        if not at_hand.holds(seen.vendor, seen.kind, seen.since):
            shown, began = {record.key for record in seen.records}, at_hand.now
            if not at_hand.are_all(carrying, shown):
                carriers = (await self.carriers([carrying])).get(carrying, ())
                missing = [each for each in carriers if each[:2] == (seen.vendor, seen.kind) and each not in shown]
                known = await self.recall(missing) if missing else {}
                self._drop([key for key, record in known.items() if record.seen_ms < asked_ms])
                if not missing:
                    at_hand.note_all(carrying, shown, began)
        return self.told(seen)

    async def completed(self, seen: Seen[T], complete: Callable[[], Awaitable[Page[T]]]) -> Page[T]:
        """The same with what memory adds; `complete` makes it, and hands in what was seen."""
        page = seen.completed
        if page is None or not self.at_hand.holds(seen.vendor, seen.kind, seen.since):
            began = self.at_hand.now
            page = await complete()
            seen.completed, seen.since = page, began
        return page

    async def listed(
        self, vendor: Vendor, kind: str, after: tuple[int, str] | None, most: int
    ) -> list[tuple[int, Record]]:
        """Records of one kind in the order in which they were first seen, each with that moment in milliseconds."""
        await self.memory.unstored()
        return await self.memory.read(lambda c: store.listed(c, self.environment, vendor, kind, after, most))

    async def related(
        self, relation: tuple[Vendor, str, str], target: tuple[str, str], after: tuple[int, str] | None, most: int
    ) -> list[tuple[int, Record]]:
        """Records of a kind that stand in a relation to a target, the last seen first; `relation` is vendor, kind, name."""
        await self.memory.unstored()
        return await self.memory.read(lambda c: store.related(c, self.environment, relation, target, after, most))

    async def targets(self, keys: Sequence[Key], relation: str) -> dict[Key, list[str]]:
        """The own IDs of what each record stands in a relation to."""
        unstored = await self.memory.unstored()
        found = await self.memory.read(lambda c: store.targets(c, self.environment, keys, relation))
        for batch in unstored:
            batch.add_targets(self.environment, keys, relation, found)
        return found

    async def pointing_at(self, keys: Sequence[Key]) -> list[Key]:
        """The records that stand in any relation to one of these: a person's logs, a contact's activities."""
        await self.memory.unstored()
        return await self.memory.read(lambda c: store.pointing_at(c, self.environment, keys))

    async def shared(self, identifiers: Sequence[Identifier]) -> list[Identifier]:
        """Those of the identifiers that so many records carry that they link none of them."""
        await self.memory.unstored()
        carried = await self.memory.read(lambda c: store.carriers(c, self.environment, identifiers, with_shared=True))
        return [each for each, keys in carried.items() if is_shared(each, keys)]
