"""Vendors are asked when memory doesn't know, and not again until their answer has grown old."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from sqlalchemy import update

from app.database import lookups
from app.links.circle import Circle
from app.links.identifiers import Identifier
from app.links.record import Key
from app.links.records import Records
from app.links.resolve import Links
from schema.errors import Refusal, VendorUnavailable
from schema.vendor import Vendor
from tests.links.finders import Directory, at, keys, record
from tests.remembering import keep, tamper

EMAIL, OTHER, PHONE = "ada@x.example", "ada@y.example", "+31612345678"
MINUTE = 60_000
DOWN = Refusal(VendorUnavailable(vendor=Vendor.BIRD, message="Bird does not answer."))
"""What a client raises for a vendor that is down."""


def _links(records: Records, max_age_ms: int, **finders: Directory) -> Links:
    """The links of a new request."""
    return Links(records, max_age_ms, {Vendor[name]: finder for name, finder in finders.items()})


async def test_an_answer_is_remembered_for_its_time(records: Records) -> None:
    """The first request asks, the next ones don't; when the answer is too old, it is asked for again."""
    ada = record(Vendor.BIRD, "b1", EMAIL)
    bird = Directory(records, [ada])
    for _ in range(3):
        circle = await _links(records, MINUTE, BIRD=bird).known_to(Vendor.BIRD, at(EMAIL))
        assert circle == Circle(keys(ada), at(EMAIL).identifiers)
    assert bird.asked == [[EMAIL]]
    await _grow_old(records, MINUTE)
    await _links(records, MINUTE, BIRD=bird).known_to(Vendor.BIRD, at(EMAIL))
    assert bird.asked == [[EMAIL]] * 2


async def test_nobody_is_an_answer_too(records: Records) -> None:
    """What a vendor does not know it is not asked again, until it may have learnt it."""
    bird = Directory(records)
    for _ in range(2):
        assert (await _links(records, MINUTE, BIRD=bird).known_to(Vendor.BIRD, at(EMAIL))).records == frozenset()
    assert bird.asked == [[EMAIL]]
    bird.known = [record(Vendor.BIRD, "b1", EMAIL)]
    await _grow_old(records, MINUTE)
    assert (await _links(records, MINUTE, BIRD=bird).known_to(Vendor.BIRD, at(EMAIL))).records == keys(*bird.known)


async def test_without_an_age_every_request_asks_once(records: Records) -> None:
    """However often it needs to know; the next one asks anew."""
    bird = Directory(records, [record(Vendor.BIRD, "b1", EMAIL)])
    for number in (1, 2):
        links = _links(records, 0, BIRD=bird)
        await asyncio.gather(*(links.known_to(Vendor.BIRD, at(EMAIL)) for _ in range(3)))
        await links.known_to(Vendor.BIRD, at(EMAIL))
        assert bird.asked == [[EMAIL]] * number


async def test_one_by_one_ends_with_the_first_that_is_known(records: Records) -> None:
    """E-mail addresses before phone numbers; a vendor that takes many is asked for all in one call."""
    bird = Directory(records, [record(Vendor.BIRD, "b1", OTHER, PHONE)])
    reevo = Directory(records, [record(Vendor.REEVO, "r1", PHONE)], takes_many=True)
    links = _links(records, MINUTE, BIRD=bird, REEVO=reevo)
    for vendor in (Vendor.BIRD, Vendor.REEVO):
        await links.known_to(vendor, at(EMAIL, OTHER, PHONE))
    assert bird.asked == [[EMAIL], [OTHER]]
    assert reevo.asked == [[EMAIL, OTHER, PHONE]]


async def test_a_linkedin_profile_alone_is_no_question(records: Records) -> None:
    """No vendor can be asked for it: memory alone knows."""
    bird = Directory(records)
    assert (await _links(records, 0, BIRD=bird).known_to(Vendor.BIRD, at("linkedin.com/in/ada"))).records == frozenset()
    assert bird.asked == []


async def test_what_one_vendor_brings_up_the_others_are_asked_for(records: Records) -> None:
    """Reevo knows the e-mail address, and with it the phone number by which Bird knows him."""
    bird = Directory(records, [record(Vendor.BIRD, "b1", PHONE)])
    reevo = Directory(records, [record(Vendor.REEVO, "r1", EMAIL, PHONE)], takes_many=True)
    circle = await _links(records, MINUTE, BIRD=bird, REEVO=reevo).known_to_all(at(EMAIL))
    assert circle == Circle(keys(*bird.known, *reevo.known), at(EMAIL, PHONE).identifiers)
    assert bird.asked == [[EMAIL], [PHONE]]


async def test_a_refusal_is_raised_where_the_vendor_is_needed_and_only_there(records: Records) -> None:
    """known_to needs it, known_to_all takes what the others know; and a refusal is no answer to remember."""
    bird = Directory(records, refusal=DOWN)
    reevo = Directory(records, [record(Vendor.REEVO, "r1", EMAIL)], takes_many=True)
    with pytest.raises(Refusal) as raised:
        await _links(records, MINUTE, BIRD=bird, REEVO=reevo).known_to(Vendor.BIRD, at(EMAIL))
    assert raised.value is DOWN
    whole = await _links(records, MINUTE, BIRD=bird, REEVO=reevo).known_to_all(at(EMAIL))
    assert whole.records == keys(*reevo.known)
    assert bird.asked == [[EMAIL]] * 2, "once for each request, however many rounds it takes"
    assert await records.lookups(Vendor.BIRD, list(at(EMAIL).identifiers)) == {}


async def test_one_vendor_that_knows_somebody_is_enough(records: Records) -> None:
    """is_anybody doesn't need the one that is down; where nobody knows, it can't tell."""
    bird, reevo = Directory(records, refusal=DOWN), Directory(records, [record(Vendor.REEVO, "r1", EMAIL)])
    assert await _links(records, 0, BIRD=bird, REEVO=reevo).is_anybody(at(EMAIL)) is True
    with pytest.raises(Refusal):
        await _links(records, 0, BIRD=bird, REEVO=reevo).is_anybody(at(OTHER))
    assert await _links(records, 0, REEVO=reevo).is_anybody(at(OTHER)) is False


async def test_requests_that_overlap_agree(records: Records) -> None:
    """Both began before the vendor had answered either; both see what it said."""
    bird = Directory(records, [record(Vendor.BIRD, "b1", EMAIL, PHONE)])
    bird.open.clear()
    both = [asyncio.create_task(_links(records, MINUTE, BIRD=bird).known_to_all(at(EMAIL))) for _ in range(2)]
    await bird.was_asked.wait()
    bird.open.set()
    assert await asyncio.gather(*both) == [Circle(keys(*bird.known), at(EMAIL, PHONE).identifiers)] * 2


@dataclass(frozen=True)
class Held(Records):
    """Records of which the first that are reached are handed over when they are let through."""

    was_read: asyncio.Event = field(default_factory=asyncio.Event)
    through: asyncio.Event = field(default_factory=asyncio.Event)

    async def reached(self, nodes: Sequence[Identifier | Key]) -> dict[Identifier | Key, list[Key] | list[Identifier]]:
        found = await super().reached(nodes)
        if not self.was_read.is_set():
            self.was_read.set()
            await self.through.wait()
        return found


async def test_a_look_that_began_before_something_came_in_is_for_nobody_who_asks_after_it(records: Records) -> None:
    """However late it ends: whoever began it may be told nobody, all others who it is."""
    ada, held = record(Vendor.BIRD, "b1", EMAIL), Held(records.memory, records.environment)
    links = _links(held, 0)
    before = asyncio.create_task(links.remembered(at(EMAIL)))
    await held.was_read.wait()
    await keep(records, ada)
    links.forget()
    assert (await links.remembered(at(EMAIL))).records == keys(ada)
    held.through.set()
    assert (await before).records == frozenset()
    assert (await links.remembered(at(EMAIL))).records == keys(ada)


async def _grow_old(records: Records, by_ms: int) -> None:
    """Makes every remembered answer older."""
    await tamper(records, update(lookups).values(asked_ms=lookups.c.asked_ms - by_ms))
