"""What passes through is remembered, whoever else is remembering at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import migrate, records
from app.links.record import Key, Record
from app.links.records import Memory, Records
from schema.vendor import Environment, Vendor
from tests.databases import opened

WRITES = 200
PEOPLE = 7


async def test_what_is_kept_is_recalled_whole(engine: AsyncEngine) -> None:
    """Fields and identifiers come back as they were given; another environment, vendor or kind knows nothing of them."""
    fields = {"name": "Björn 🦉 שלום", "empty": "", "nested": {"list": [1, 2.5, True]}, "none": None}
    record = Record(Vendor.BIRD, "Contact", "c1", fields, (("email", "b@x.example"), ("phone", "+4912345678")))
    await migrate(engine)
    memory = Memory(engine)
    here, there = Records(memory, Environment.TEST), Records(memory, Environment.LIVE)
    async with memory.running():
        await here.keep(record)
        known = await here.recall([record.key, Key(Vendor.BIRD, "Contact", "c2")])
        elsewhere = [
            await there.recall([record.key]),
            await here.recall([Key(Vendor.ARTU, "Contact", "c1")]),
            await here.recall([Key(Vendor.BIRD, "Person", "c1")]),
        ]
    given = {name: value for name, value in fields.items() if value is not None}
    expected = Record(Vendor.BIRD, "Contact", "c1", given, record.identifiers)
    assert _undated(known) == {record.key: expected}
    assert elsewhere == [{}, {}, {}]


async def test_what_is_not_seen_again_stays_as_it_was(engine: AsyncEngine) -> None:
    """News is added to what is known: a field that is missing or null this time does not erase it."""
    await migrate(engine)
    memory = Memory(engine)
    kept = Records(memory, Environment.TEST)
    async with memory.running():
        await kept.keep(Record(Vendor.REEVO, "Activity", "a1", {"subject": "Call", "category": "CALL"}, (("x", "1"),)))
        await kept.keep(Record(Vendor.REEVO, "Activity", "a1", {"subject": None, "category": "TEXT"}, (("y", "2"),)))
        known = await kept.recall([Key(Vendor.REEVO, "Activity", "a1")])
    fields = {"subject": "Call", "category": "TEXT"}
    expected = Record(Vendor.REEVO, "Activity", "a1", fields, (("x", "1"), ("y", "2")))
    assert _undated(known) == {expected.key: expected}


async def test_two_hundred_writes_at_once_lose_nothing(engine: AsyncEngine) -> None:
    """Overlapping records of one process: every field and identifier of each is there in the end."""
    await migrate(engine)
    memory = Memory(engine)
    kept = Records(memory, Environment.TEST)
    async with memory.running():
        async with asyncio.TaskGroup() as writes:
            for number in range(WRITES):
                writes.create_task(kept.keep(_seen(number)))
        known = await kept.recall([_person(each) for each in range(PEOPLE)])
    _check_everything(known)


async def test_writers_of_two_processes_lose_nothing(database: URL) -> None:
    """The same over two engines with a memory each: reading and writing is one transaction, and they take turns."""
    async with opened(database) as one, opened(database) as other:
        await migrate(one)
        memories = (Memory(one), Memory(other))
        async with memories[0].running(), memories[1].running(), asyncio.TaskGroup() as writes:
            for number in range(WRITES):
                writes.create_task(Records(memories[number % 2], Environment.TEST).keep(_seen(number)))
        known = await Records(memories[0], Environment.TEST).recall([_person(each) for each in range(PEOPLE)])
    _check_everything(known)


async def test_what_was_only_noted_is_stored_before_the_end(engine: AsyncEngine) -> None:
    """A gateway that stops loses nothing that it was told behind a request's back."""
    await migrate(engine)
    memory = Memory(engine)
    async with memory.running():
        for number in range(WRITES):
            Records(memory, Environment.TEST).note(_seen(number))
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(records))).scalar_one() == PEOPLE


async def test_forgetting_is_of_these_vendors_in_this_environment(engine: AsyncEngine) -> None:
    """What others hold, and the other environment's records, stay."""
    await migrate(engine)
    memory = Memory(engine)
    async with memory.running():
        for environment in Environment:
            bird, artu = (Record(vendor, "Contact", "c1", {"n": 1}) for vendor in (Vendor.BIRD, Vendor.ARTU))
            await Records(memory, environment).keep(bird, artu)
        await memory.forget(Environment.TEST, [Vendor.BIRD])
        left = {
            (environment, vendor): bool(await Records(memory, environment).recall([Key(vendor, "Contact", "c1")]))
            for environment in Environment
            for vendor in (Vendor.BIRD, Vendor.ARTU)
        }
    assert left == {key: key != (Environment.TEST, Vendor.BIRD) for key in left}


def _seen(number: int) -> Record:
    identifiers = (("email", f"{number}@x.example"), ("phone", "+4912345678"))
    return Record(Vendor.BIRD, "Contact", f"c{number % PEOPLE}", {f"field{number}": number}, identifiers)


def _person(number: int) -> Key:
    return Key(Vendor.BIRD, "Contact", f"c{number}")


def _undated(known: Mapping[Key, Record]) -> dict[Key, Record]:
    """Without the moment at which each was last seen, which only the clock knows."""
    return {key: replace(record, seen_ms=0) for key, record in known.items()}


def _check_everything(known: Mapping[Key, Record]) -> None:
    for person in range(PEOPLE):
        numbers = set(range(person, WRITES, PEOPLE))
        record = known[_person(person)]
        assert record.fields == {f"field{number}": number for number in numbers}
        expected = {("phone", "+4912345678")} | {("email", f"{number}@x.example") for number in numbers}
        assert (set(record.identifiers), len(record.identifiers)) == (expected, len(expected))
