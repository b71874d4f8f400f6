"""Who is who: records are one human being when they share an identifier in normal form, within one environment.

Memory answers first. Where it doesn't know, a vendor is asked by identifier, and its answer, also "nobody", is remembered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Protocol, TypeVar

from aiodataloader import DataLoader

from app.current import current
from app.links.circle import Circle
from app.links.identifiers import Identifier, IdentifierKind
from app.links.recollection import MOST_STEPS
from app.links.record import Key, Lookup
from app.links.records import Records
from app.loaders import many_at_once
from schema.errors import Refusal
from schema.vendor import Vendor

T = TypeVar("T")

MOST_ROUNDS = 3
"""How often vendors are asked again for what others of them brought up."""


class Finder(Protocol):
    """Asks one vendor for records by identifier. What it finds has been noted in memory when it returns."""

    @property
    def takes_many(self) -> bool:
        """Whether many identifiers are one call; if not, they are asked for one by one until one is known."""

    async def find(self, identifiers: Sequence[Identifier]) -> Mapping[Identifier, bool | Refusal]:
        """Whether the vendor knows somebody by each identifier, or why that one could not be asked. Raises Refusal."""

    async def read(self, own_id: str) -> bool:
        """Whether the vendor has the party with this ID of its own; if it has, memory knows it then. Raises Refusal."""


@dataclass
class Links:
    """The links of one request. `max_age_ms`: how long a vendor's answer is remembered."""

    records: Records
    max_age_ms: int
    finders: Mapping[Vendor, Finder] = field(default_factory=dict)
    _known: dict[tuple[Vendor, Identifier], bool] = field(default_factory=dict, init=False)
    _circles: dict[Circle, Circle] = field(default_factory=dict, init=False)
    _since: int = field(default=0, init=False)
    """What `Recollection.now` was before anything was read of what the loaders have."""

    def __post_init__(self) -> None:
        self._since = self.records.at_hand.now

    @cached_property
    def _reached(self) -> DataLoader[Identifier | Key, Collection[Any] | None]:
        return many_at_once(self.records.reached)

    @cached_property
    def _lookups(self) -> Mapping[Vendor, DataLoader[Identifier, Lookup | None]]:
        return {vendor: many_at_once(partial(self.records.lookups, vendor)) for vendor in Vendor}

    @cached_property
    def _answers(self) -> Mapping[Vendor, DataLoader[Identifier, bool | Refusal]]:
        return {vendor: DataLoader(partial(self._find, vendor)) for vendor in Vendor}

    async def remembered(self, start: Circle) -> Circle:
        """All that memory holds of the human being to whom `start` belongs."""
        circles = self._circles  # if something comes in while this looks, it is not for whoever asks after that
        circle = circles.get(start)
        if circle is None:
            circle = circles[start] = self.records.at_hand.circle(start) or await self._walk(start)
        return circle

    async def _walk(self, start: Circle) -> Circle:
        since, circle, rim, is_shared = self._since, start, start, False
        for _ in range(MOST_STEPS):
            reading = await self._reached.load_many([*rim.identifiers, *rim.records])
            carriers, identifiers = reading[: len(rim.identifiers)], reading[len(rim.identifiers) :]
            is_shared = is_shared or not all(carriers)
            reached = Circle(_union(carriers), _union(identifiers))
            rim = Circle(reached.records - circle.records, reached.identifiers - circle.identifiers)
            circle |= rim
            if not (rim.records or rim.identifiers):
                break
        if not is_shared:  # it may link again by the change of a record that is none of these
            self.records.at_hand.keep_circle(start, circle, since)
        return circle

    async def known_to(self, vendor: Vendor, start: Circle) -> Circle:
        """The same, after making sure that one vendor was asked. Raises Refusal if it can't be."""
        circle = self._circles.get(start) or await self.remembered(start)
        asked = not self._knows_somebody(vendor, circle.asked_for) and await self._ask(vendor, circle.asked_for)
        if asked or vendor not in circle.vendors:  # another request may have asked meanwhile
            self.forget()
            circle = await self.remembered(start)
        return circle

    async def is_anybody(self, start: Circle) -> bool:
        """Whether any record belongs to it: as soon as memory or the first vendor says so.

        Raises Refusal if none does and one could not be asked.
        """
        circle = await self.remembered(start)
        if circle.records or circle.clients:
            return True
        asking = [asyncio.create_task(self.known_to(vendor, start)) for vendor in self.finders]
        for each in asking:
            _with_request(each)
        failure: Refusal | None = None
        for answer in asyncio.as_completed(asking):
            try:
                found = await answer
            except Refusal as refusal:
                failure = refusal
            else:
                if found.records or found.clients:
                    return True
        if failure is not None:
            raise failure
        return False

    async def known_to_all(self, start: Circle) -> Circle:
        """The same for all vendors that can be asked, and for what one brings up also the others.

        A vendor that is slow is waited for only half of the time that is left: what the others know is still to be read.
        """
        circle = await self.remembered(start)
        slow: set[Vendor] = set()
        for _ in range(MOST_ROUNDS):
            before = circle
            asking = {
                vendor: asyncio.create_task(self._explore(vendor, start))
                for vendor in self.finders
                if vendor not in slow
            }
            for task in asking.values():
                _with_request(task)
            await asyncio.wait(asking.values(), timeout=current().remaining(60.0) / 2)
            slow |= {vendor for vendor, task in asking.items() if not task.done()}
            self.forget()
            circle = await self.remembered(start)
            if circle == before or len(slow) == len(self.finders):
                break
        return circle

    async def nearest_first(self, start: Circle, own_ids: Sequence[str], vendor: Vendor, kind: str) -> list[str]:
        """Own IDs in this order: those that were given, those that carry what was given itself, and the rest."""
        if len(own_ids) < 2:
            return list(own_ids)
        carriers = _union(await self._reached.load_many(list(start.identifiers)))
        places = {own: Key(vendor, kind, own) for own in own_ids}
        return sorted(own_ids, key=lambda own: (places[own] not in start.records, places[own] not in carriers, own))

    def forget(self) -> None:
        """Makes the next look into memory a new one: something came in."""
        self._circles = {}
        self._since = self.records.at_hand.now
        self.__dict__.pop("_reached", None)  # the next look makes another, if there is one

    async def _explore(self, vendor: Vendor, start: Circle) -> None:
        """Asks one vendor, if it can be asked; a client that Artu finds by one of its contact methods has others."""
        circle = await self.remembered(start)
        await self._ask_if_possible(vendor, circle.asked_for)
        if vendor is not Vendor.ARTU:
            return
        self.forget()
        clients = (await self.remembered(start)).clients
        each_alone = ([Identifier(IdentifierKind.CLIENT, client_id)] for client_id in clients)
        await asyncio.gather(*(self._ask_if_possible(vendor, each) for each in each_alone))

    async def _ask_if_possible(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> None:
        if self._knows_somebody(vendor, identifiers):
            return
        with suppress(Refusal):
            await self._ask(vendor, identifiers)

    async def _ask(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> bool:
        """Whether the vendor was asked anything: not if it said not long ago that it knows one of them. That it did so as far as
        is at hand, callers have seen before (`_knows_somebody`): here memory is asked.
        """
        said = await self._said_lately(vendor, identifiers)
        if any(said.values()):
            return False
        unasked = [each for each in identifiers if each not in said]
        if not unasked:
            return False
        if self.finders[vendor].takes_many:
            await self._answers[vendor].load_many(unasked)
            return True
        for each in unasked:
            if await self._answers[vendor].load(each):
                break
        return True

    def _knows_somebody(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> bool:
        """Whether it said so lately of one of these, as far as that is at hand: mostly it is, and there is nothing to wait for."""
        lookups = self.records.at_hand.lookups
        too_old_ms = time.time_ns() // 1_000_000 - self.max_age_ms
        for each in identifiers:
            question = vendor, each
            is_known = self._known.get(question)
            if is_known is None and (lookup := lookups.get(question)) is not None:
                is_known = lookup.is_known and lookup.asked_ms > too_old_ms
            if is_known:
                return True
        return False

    async def _said_lately(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> dict[Identifier, bool]:
        """What the vendor said of these in this request, or within the time for which its answers are remembered."""
        said = {each: self._known[vendor, each] for each in identifiers if (vendor, each) in self._known}
        rest = [each for each in identifiers if each not in said] if self.max_age_ms else []
        looked_up = await self._looked_up(vendor, rest)
        too_old_ms = time.time_ns() // 1_000_000 - self.max_age_ms
        return said | {each: lookup.is_known for each, lookup in looked_up.items() if lookup.asked_ms > too_old_ms}

    async def _looked_up(self, vendor: Vendor, identifiers: Sequence[Identifier]) -> Mapping[Identifier, Lookup]:
        """The questions to a vendor that memory knows of."""
        at_hand, missing = self.records.at_hand.lookups.find((vendor, each) for each in identifiers)
        found = {each: lookup for (_, each), lookup in at_hand.items()}
        if missing:
            unknown = [each for _, each in missing]
            loaded = await self._lookups[vendor].load_many(unknown)
            found |= {each: lookup for each, lookup in zip(unknown, loaded, strict=True) if lookup is not None}
        return found

    async def _find(self, vendor: Vendor, identifiers: list[Identifier]) -> list[bool | Refusal]:
        current().owns(asyncio.current_task())
        try:
            answers = await self.finders[vendor].find(identifiers)
        except Refusal as refusal:  # as each one's answer it is remembered for this request
            return [refusal for _ in identifiers]
        known = {each: answer for each, answer in answers.items() if isinstance(answer, bool)}
        self._known |= {(vendor, each): answer for each, answer in known.items()}
        self.records.note_lookups(vendor, known)
        return [answers[each] for each in identifiers]


def _with_request(task: asyncio.Task[Any]) -> None:
    """Ends a task with its request; a refusal in it, for which nobody waits any longer, is no stray exception."""
    current().owns(task)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())


def _union(groups: Iterable[Iterable[T] | None]) -> frozenset[T]:
    return frozenset(each for group in groups for each in group or ())
