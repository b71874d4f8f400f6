"""What passes through is remembered, whoever else is remembering at the same moment."""

from __future__ import annotations

import asyncio
import math

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import records
from app.links import store
from app.links.identifiers import Identifier, IdentifierKind
from app.links.record import Key, Record
from app.links.records import Records
from app.links.seen import Seen
from app.paging import Page
from app.transactions import Work
from schema.vendor import Environment, Vendor
from tests.databases import opened
from tests.remembering import drop, keep, remembering

WRITES = 200
PEOPLE = 7
EMAIL = Identifier(IdentifierKind.EMAIL, "ada@x.example")
WAITING = text("SELECT 1 FROM pg_locks WHERE NOT granted LIMIT 1")
KEYS = [Key(Vendor.BIRD, "contact", f"c{each}") for each in range(PEOPLE)]


async def test_what_is_kept_is_recalled_whole(engine: AsyncEngine) -> None:
    """Fields and identifiers come back as they were given; another environment, vendor or kind knows nothing of them."""
    fields = {"name": "Björn 🦉 שלום", "empty": "", "nested": {"list": [1, 2.5, True]}, "none": None}
    record = Record(Vendor.BIRD, "contact", "c1", fields, (("email", "b@x.example"), ("phone", "+4912345678")))
    other_keys = [
        Key(Vendor.BIRD, "contact", "c2"),
        Key(Vendor.ARTU, "contact", "c1"),
        Key(Vendor.BIRD, "person", "c1"),
    ]
    async with remembering(engine) as here:
        there = Records(here.memory, Environment.LIVE)
        await keep(here, record)
        known = await here.recall([record.key, *other_keys])
        assert await there.recall([record.key]) == {}
    given = {name: value for name, value in fields.items() if value is not None}
    assert known == {record.key: Record(Vendor.BIRD, "contact", "c1", given, record.identifiers)}


async def test_a_number_that_is_none_is_stored_as_null(engine: AsyncEngine) -> None:
    """JSON has no form for it, and a vendor's free JSON may hold it at any depth; all the rest is as it was."""
    record = Record(
        Vendor.REEVO, "activity", "a1", {"metadata": {"score": math.nan, "all": [math.inf, -math.inf, 1.5]}}
    )
    async with remembering(engine) as kept:
        await keep(kept, record)
    async with remembering(engine) as kept:  # with nothing at hand
        known = await kept.recall([record.key])
    assert known[record.key].fields == {"metadata": {"score": None, "all": [None, None, 1.5]}}


async def test_what_is_not_seen_again_stays_as_it_was(engine: AsyncEngine) -> None:
    """News is added to what is known: a field that is missing or null this time does not erase it."""
    key = Key(Vendor.REEVO, "activity", "a1")
    async with remembering(engine) as kept:
        await keep(kept, Record(*key, {"subject": "Call", "category": "CALL"}, (("x", "1"),)))
        await keep(kept, Record(*key, {"subject": None, "category": "TEXT"}, (("y", "2"),)))
        known = await kept.recall([key])
    fields = {"subject": "Call", "category": "TEXT"}
    assert known == {key: Record(*key, fields, (("x", "1"), ("y", "2")))}


async def test_two_hundred_writes_at_once_lose_nothing(engine: AsyncEngine) -> None:
    """Overlapping records of one process: every field and identifier of each is there in the end."""
    async with remembering(engine) as kept:
        async with asyncio.TaskGroup() as writes:
            for number in range(WRITES):
                writes.create_task(keep(kept, _seen(number)))
        known = await kept.recall(KEYS)
    _check_everything(known)


async def test_writers_of_two_processes_lose_nothing(database: URL) -> None:
    """The same over two engines with a memory each: reading and writing is one transaction, and they take turns."""
    async with (
        opened(database) as one,
        opened(database) as other,
        remembering(one) as first,
        remembering(other) as second,
    ):
        async with asyncio.TaskGroup() as writes:
            for number in range(WRITES):
                writes.create_task(keep((first, second)[number % 2], _seen(number)))
        async with remembering(one) as third:  # with nothing at hand
            known = await third.recall(KEYS)
    _check_everything(known)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite has one writer at a time
@pytest.mark.parametrize(
    "work",
    [
        lambda connection: store.keep_lookups(connection, {(Environment.TEST, Vendor.BIRD, EMAIL): True}),
        lambda connection: store.forget(connection, [(Environment.TEST, KEYS[-1])]),
        lambda connection: store.forget_vendors(connection, Environment.TEST, [Vendor.BIRD]),
        lambda connection: store.forget_lookups(connection, Environment.TEST, [EMAIL]),
    ],
    ids=["look-ups", "forgets", "forgets a vendor", "forgets look-ups"],
)
async def test_two_processes_store_in_either_order(database: URL, work: Work[None]) -> None:
    """One begins with what the other ends with, and neither waits for the other for ever."""
    news = [{(Environment.TEST, each.key): [each]} for each in map(_seen, range(2))]
    has_merged, has_begun = asyncio.Event(), asyncio.Event()

    async def merge_first(engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await connection.run_sync(store.merge, news[0])
            has_merged.set()
            while not has_begun.is_set() and not await connection.scalar(WAITING):  # noqa: ASYNC110  # it waits in the database
                await asyncio.sleep(0.01)
            await connection.run_sync(work)

    async def merge_last(engine: AsyncEngine) -> None:
        async with engine.begin() as connection:
            await has_merged.wait()
            await connection.run_sync(work)
            has_begun.set()
            await connection.run_sync(store.merge, news[1])

    async with opened(database) as one, opened(database) as other, asyncio.timeout(60):
        async with remembering(one) as first:
            first.note_lookups(Vendor.BIRD, {EMAIL: False})
            await keep(first, _seen(PEOPLE - 1))
        async with asyncio.TaskGroup() as both:
            both.create_task(merge_first(one))
            both.create_task(merge_last(other))
        async with remembering(one) as third:  # with nothing at hand
            assert KEYS[1] in await third.recall(KEYS)


async def test_what_was_only_noted_is_stored_before_the_end(engine: AsyncEngine) -> None:
    """A gateway that stops loses nothing that it was told behind a request's back."""
    async with remembering(engine) as kept:
        for number in range(WRITES):
            kept.note(_seen(number))
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(records))).scalar_one() == PEOPLE


async def test_forgetting_is_of_these_vendors_in_this_environment(engine: AsyncEngine) -> None:
    """What others hold, and the other environment's records, stay; so it is for identifiers and for look-ups."""
    email = Identifier(IdentifierKind.EMAIL, "ada@x.example")
    places = [(environment, vendor) for environment in Environment for vendor in (Vendor.BIRD, Vendor.ARTU)]
    async with remembering(engine) as kept:
        memory = kept.memory
        for environment, vendor in places:
            held = Records(memory, environment)
            held.note_lookups(vendor, {email: True})
            await keep(held, Record(vendor, "contact", "c1", {"n": 1}, ((email.kind.value, email.value),)))
        await memory.forget(Environment.TEST, [Vendor.BIRD])
        left = [(each, vendor) for each, vendor in places if await _holds(Records(memory, each), vendor, email)]
    assert left == [place for place in places if place != (Environment.TEST, Vendor.BIRD)]


async def test_memory_is_told_of_the_same_answer_once_and_again_after_it_forgot(engine: AsyncEngine) -> None:
    """When what was seen is stored there is nothing to tell; when it was forgotten there is, though the answer is the same."""
    record, page = _seen(0), Page(["Ada"], None)
    seen = Seen(record.vendor, record.kind, page, [record])
    told = 0

    async with remembering(engine) as kept:

        async def complete() -> Page[str]:
            nonlocal told
            told += 1
            await keep(kept, record)
            return page

        async def is_told() -> bool:
            before = told
            assert await kept.completed(seen, complete) is page
            return told > before

        assert await is_told()
        async with asyncio.timeout(120):
            while await is_told():
                pass
        await drop(kept, record.key)
        assert await is_told()
        assert (await kept.recall([record.key]))[record.key].fields == {"field0": 0}


async def _holds(held: Records, vendor: Vendor, email: Identifier) -> bool:
    """Whether memory holds what a vendor knows by an address: all of it; a part of it is an error."""
    key = Key(vendor, "contact", "c1")
    record, lookup = await held.recall([key]), await held.lookups(vendor, [email])
    carriers = (await held.carriers([email])).get(email, [])
    assert bool(record) is bool(lookup) is (key in carriers)
    return bool(record)


def _seen(number: int) -> Record:
    identifiers = (("email", f"{number}@x.example"), ("phone", "+4912345678"))
    return Record(*KEYS[number % PEOPLE], {f"field{number}": number}, identifiers)


def _check_everything(known: dict[Key, Record]) -> None:
    for person, key in enumerate(KEYS):
        numbers = set(range(person, WRITES, PEOPLE))
        record = known[key]
        assert record.fields == {f"field{number}": number for number in numbers}
        expected = {("phone", "+4912345678")} | {("email", f"{number}@x.example") for number in numbers}
        assert (set(record.identifiers), len(record.identifiers)) == (expected, len(expected))


async def test_what_another_process_stores_is_seen_within_its_second(database: URL) -> None:
    """What is at hand is dropped when anybody else has committed; one's own commits leave it there."""
    async with (
        opened(database) as one,
        opened(database) as other,
        remembering(one) as first,
        remembering(other) as second,
    ):
        await keep(first, _seen(0))
        assert (await first.recall([KEYS[0]]))[KEYS[0]].fields == {"field0": 0}
        await keep(second, _seen(PEOPLE))
        async with asyncio.timeout(120):
            while len((await first.recall([KEYS[0]]))[KEYS[0]].fields) < 2:  # noqa: ASYNC110  # another process, as it were
                await asyncio.sleep(0.05)
