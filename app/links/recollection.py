"""What memory answered lately, kept at hand: nearly all look-ups are of records that were just looked up.

An answer is at hand until something is handed in that may change it. Another process may write to the same database: therefore
all answers are at hand only for a second after it was last known what the others had changed.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence, Sized
from typing import Any, Generic, NamedTuple, TypeVar

from app.links.circle import Circle
from app.links.identifiers import Identifier
from app.links.record import Key, Lookup, Record, is_shared, merged
from app.links.said import Said
from schema.vendor import Vendor

LONGEST = 1.0
"""In seconds: how long it may be that another process has changed something and this one does not know."""

MEGABYTE = 1024 * 1024
RECORD_BYTES = 4 * MEGABYTE

MOST_DROPPED = 4_000
"""What was dropped is remembered one by one up to this number."""

MOST_CARRIED = 4_000
"""Of how many records it is kept what they are at hand for."""

MOST_STEPS = 200
"""How far a circle is followed from record to identifier to record; nearly all end after four."""

_QUESTION = 300
"""Bytes that any answer takes with its question; these numbers are measured, and rounded up."""

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Lease:
    """Until when answers may be given that were read before: while `clock() <= until`."""

    __slots__ = ("clock", "until")

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.until = clock() + LONGEST

    def renew(self, since: float) -> None:
        """What other processes had changed at that moment of the clock is not at hand any more."""
        self.until = since + LONGEST


class Shelf(Generic[K, V]):
    """Answers by question. An answer of None is that there is nothing. The oldest make room.

    `size` says about how many bytes an answer takes.
    """

    def __init__(self, lease: Lease, size: Callable[[V], int], most_bytes: int) -> None:
        self._lease = lease
        self._size = size
        self._most_bytes = most_bytes
        self._bytes = 0
        self._answers: OrderedDict[K, V | None] = OrderedDict()

    def find(self, questions: Iterable[K]) -> tuple[dict[K, V], list[K]]:
        """The answers at hand that are something, and the questions whose answers are not at hand."""
        if self._lease.clock() > self._lease.until:
            return {}, list(questions)
        found: dict[K, V] = {}
        missing: list[K] = []
        answers = self._answers
        for each in questions:
            if (answer := answers.get(each)) is not None:
                found[each] = answer
            elif each not in answers:
                missing.append(each)
        return found, missing

    def get(self, question: K) -> V | None:
        """The answer, or None if there is nothing, or nothing at hand."""
        return self._answers.get(question) if self._lease.clock() <= self._lease.until else None

    def put(self, answers: Mapping[K, V | None]) -> None:
        for question, answer in answers.items():
            self.drop(question)
            self._answers[question] = answer
            self._bytes += self._taken(answer)
        while self._bytes > self._most_bytes:
            self._bytes -= self._taken(self._answers.popitem(last=False)[1])

    def drop(self, question: K) -> None:
        if question in self._answers:
            self._bytes -= self._taken(self._answers.pop(question))

    def clear(self) -> None:
        self._answers.clear()
        self._bytes = 0

    def _taken(self, answer: V | None) -> int:
        return _QUESTION if answer is None else _QUESTION + self._size(answer)


def _each(answer: Sized) -> int:
    return 100 * len(answer)


def _all_with(carrying: Identifier, keys: Iterable[Key]) -> Record:
    """Says which records carry an identifier of Artu's: of no other vendor all are asked for."""
    return Record(Vendor.ARTU, f"all with {carrying.kind}", carrying.value, {"ids": sorted([each.id for each in keys])})


class _Made(NamedTuple):
    """What was made of answers that were read since then (`Recollection.now`)."""

    made: Any
    since: int


def _page(page: _Made) -> int:
    return 2_500 * len(page.made.nodes)  # with what is made of each when its links are asked for; measured, rounded up


def _circle(circle: _Made) -> int:
    return 1_800 + 200 * (len(circle.made.records) + len(circle.made.identifiers))


def _given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What memory keeps of them."""
    return {name: value for name, value in fields.items() if value is not None}


class Recollection:
    """What is at hand of one environment."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.lease = lease = Lease(clock)
        self.carriers: Shelf[Identifier, list[Key]] = Shelf(lease, _each, MEGABYTE)
        """Of what too many share as well: it links again when one of them is gone."""
        self.identifiers: Shelf[Key, list[Identifier]] = Shelf(lease, _each, MEGABYTE)
        self.records: Shelf[Key, Record] = Shelf(lease, lambda record: record.size, RECORD_BYTES)
        self.lookups: Shelf[tuple[Vendor, Identifier], Lookup] = Shelf(lease, lambda _: 0, 2 * MEGABYTE)
        self._circles: Shelf[int, _Made] = Shelf(lease, _circle, 6 * MEGABYTE)
        """By the hash of where each begins, which would take as much room again."""
        self._pages: Shelf[tuple[Vendor, str, Hashable], _Made] = Shelf(lease, _page, 6 * MEGABYTE)
        """What was made of lists of one kind of record: at hand until one of that kind changes."""
        self._said = Said()
        self._carried: dict[Key, set[Identifier]] = {}
        """By record, the identifiers of which it may be at hand that it carries them, whether or not the record is."""
        self._dropped: dict[Hashable, int] = {}
        self._all_dropped = 0
        self.now = 0
        """Counts what is dropped: a reading notes it when it begins."""

    def page(self, vendor: Vendor, kind: str, question: Hashable) -> Any | None:
        """What was made of a list, if it is at hand."""
        kept = self._pages.get((vendor, kind, question))
        return kept.made if kept is not None and self._is_unchanged(kept.since, [(vendor, kind)]) else None

    def keep_page(self, vendor: Vendor, kind: str, question: Hashable, page: Any, since: int) -> None:
        """Keeps what was made of a list that was read since then."""
        if self._is_unchanged(since, [(vendor, kind)]):
            self._pages.put({(vendor, kind, question): _Made(page, since)})

    def holds(self, vendor: Vendor, kind: str, since: int) -> bool:
        """Whether what was made of one kind of record since then may still be given."""
        return self._is_unchanged(since, [(vendor, kind)]) and self.lease.clock() <= self.lease.until

    def _is_unchanged(self, since: int, subjects: Iterable[Hashable]) -> bool:
        """Whether none of these was dropped since then."""
        dropped = self._dropped
        return since >= self._all_dropped and all(dropped.get(each, 0) <= since for each in subjects)

    def keep(self, shelf: Shelf[K, V], answers: Mapping[K, V | None], since: int) -> None:
        """Keeps what a reading brought that began at `since`, but for what was dropped meanwhile."""
        if since < self._all_dropped:
            return
        kept = {each: answer for each, answer in answers.items() if self._dropped.get(each, 0) <= since}
        shelf.put(self._noted(kept, since) if shelf is self.carriers else kept)

    def _noted(self, carriers: dict[Any, Any], since: int) -> dict[Any, Any]:
        """Those of which no record was dropped since; notes which identifiers each of their records is at hand for."""
        kept = {each: keys for each, keys in carriers.items() if self._is_unchanged(since, keys or ())}
        if len(self._carried) > MOST_CARRIED:
            self._carried.clear()
            self.carriers.clear()
        for each, keys in kept.items():
            for key in keys or ():
                self._carried.setdefault(key, set()).add(each)
        return kept

    def is_news(self, record: Record) -> bool:
        """Whether memory may learn something from a record that was seen: not if it says what is known to be stored."""
        if self.lease.clock() > self.lease.until:
            return True
        if self._said.has(record):
            return False
        before = self.records.get(record.key)
        return before is None or bool(record.relations) or merged(before, [record]) != before

    def is_all(self, record: Record) -> bool:
        """Whether a record that was seen says all that memory knows of it."""
        return self.lease.clock() <= self.lease.until and self._said.has_all(record)

    def note_stored(self, seen: Sequence[Record], after: Record, since: int) -> None:
        """Notes that what was seen of a record was stored, and what is known of it after that."""
        if not self._is_unchanged(since, [after.key]):
            return
        last = seen[-1]
        is_all = after.identifiers == last.identifiers and after.fields == _given(last.fields)
        self._said.note(last, is_all=is_all)
        if not is_all:
            self.records.put({after.key: after})

    def are_all(self, carrying: Identifier, keys: Iterable[Key]) -> bool:
        """Whether these are known to be all records that carry an identifier."""
        return self.lease.clock() <= self.lease.until and self._said.has(_all_with(carrying, keys))

    def note_all(self, carrying: Identifier, keys: Iterable[Key], since: int) -> None:
        """Notes that no others do, as was read since then."""
        if self._is_unchanged(since, [carrying]):
            self._said.note(_all_with(carrying, keys), is_all=True)

    def note_lookups(self, vendor: Vendor, answers: Mapping[Identifier, bool]) -> None:
        """Notes what a vendor was asked just now."""
        asked_ms = time.time_ns() // 1_000_000
        self.now += 1
        self._forget_if_many()
        self._dropped |= dict.fromkeys([(vendor, each) for each in answers], self.now)  # what is being read is older
        self.lookups.put({(vendor, each): Lookup(asked_ms, is_known) for each, is_known in answers.items()})

    def expect(self, record: Record) -> None:
        """Drops what a record that is about to be stored may change: itself, and who carries its identifiers, old and new."""
        self.drop([record.key], record.links)

    def drop(self, keys: Iterable[Key], links: Iterable[Identifier] = ()) -> None:
        self.now += 1
        carried = set(links)
        for key in keys:
            before = self.records.get(key)
            carried.update(before.links if before is not None else ())
            carried.update(self._carried.pop(key, ()))
            for shelf in (self.identifiers, self.records, self._said):
                shelf.drop(key)
            self._dropped[key] = self._dropped[key.vendor, key.kind] = self.now
        for each in carried:
            self.carriers.drop(each)
            self._said.drop(_all_with(each, ()).key)
            self._dropped[each] = self.now
        self._forget_if_many()

    def drop_lookups(self, questions: Iterable[tuple[Vendor, Identifier]]) -> None:
        """Drops what vendors said: one was asked again."""
        self.now += 1
        for each in questions:
            self.lookups.drop(each)
            self._dropped[each] = self.now
        self._forget_if_many()

    def _forget_if_many(self) -> None:
        if len(self._dropped) > MOST_DROPPED:
            self._dropped.clear()
            self._all_dropped = self.now

    def clear(self) -> None:
        """Drops everything."""
        self.now += 1
        self._all_dropped = self.now
        for shelf in (
            self.carriers,
            self.identifiers,
            self.records,
            self.lookups,
            self._circles,
            self._pages,
            self._said,
        ):
            shelf.clear()
        self._carried.clear()

    def circle(self, start: Circle) -> Circle | None:
        """All that memory holds of the human being to whom `start` belongs, if all of it is at hand."""
        kept = self._circles.get(hash(start))
        if kept is not None and start <= kept.made:
            circle: Circle = kept.made
            if self._is_unchanged(kept.since, circle.records) and self._is_unchanged(kept.since, circle.identifiers):
                return circle
        return self._followed(start)

    def keep_circle(self, start: Circle, circle: Circle, since: int) -> None:
        """Keeps what was read since then of the human being to whom `start` belongs; it is at hand until any of it changes.

        Not if so many share an identifier that it links nothing: with one of them gone it links again, whom it did not before.
        """
        self._circles.put({hash(start): _Made(circle, since)})

    def _followed(self, start: Circle) -> Circle | None:
        records, identifiers, has_shared = set(start.records), set(start.identifiers), False
        new_records, new_identifiers = records, identifiers
        for _ in range(MOST_STEPS):
            carriers, unknown = self.carriers.find(new_identifiers)
            carried, unread = self.identifiers.find(new_records)
            if unknown or unread:
                return None
            linking = [keys for each, keys in carriers.items() if not is_shared(each, keys)]
            has_shared = has_shared or len(linking) < len(carriers)
            new_records = {key for keys in linking for key in keys} - records
            new_identifiers = {each for found in carried.values() for each in found} - identifiers
            if not (new_records or new_identifiers):
                break
            records |= new_records
            identifiers |= new_identifiers
        circle = Circle(frozenset(records), frozenset(identifiers))
        if not has_shared:
            self.keep_circle(start, circle, self.now)
        return circle
