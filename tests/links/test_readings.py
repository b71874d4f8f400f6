"""A page that many ask for at the same time is read once, unless something comes in between."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from app.links.record import Record
from app.links.records import Records
from schema.vendor import Vendor


@dataclass
class Nodes:
    """A page."""

    nodes: list[int]


class Unread(Exception):
    """What a reading fails with."""


class Reading:
    """Reads pages, each of which is there when it is let through."""

    def __init__(self) -> None:
        self.begun = 0
        self.through = asyncio.Event()

    async def __call__(self) -> Nodes:
        self.begun += 1
        number = self.begun
        await self.through.wait()
        return Nodes([number])


def _ask(records: Records, read: Reading, question: str = "all") -> asyncio.Task[Nodes]:
    return asyncio.create_task(records.page_of(Vendor.BIRD, "contact", question, read))


async def test_those_who_ask_while_a_page_is_read_get_it(records: Records) -> None:
    """Whoever asks something else does not; and whoever gives up takes it from nobody."""
    read = Reading()
    asking = [_ask(records, read) for _ in range(3)]
    other = _ask(records, read, "other")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    asking[0].cancel()
    read.through.set()
    assert (await asking[1]) is (await asking[2])
    assert ((await other).nodes, read.begun, records.memory.readings) == ([2], 2, {})


async def test_who_asks_after_something_came_in_sees_it(records: Records) -> None:
    """A reading that was begun before may not have."""
    read = Reading()
    before = _ask(records, read)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    records.note(Record(Vendor.BIRD, "contact", "c-1"))
    after = _ask(records, read)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    read.through.set()
    assert ((await before).nodes, (await after).nodes) == ([1], [2])


async def test_a_reading_that_fails_fails_all_who_wait_for_it(records: Records) -> None:
    """And is begun anew for the next."""

    async def fail() -> Nodes:
        raise Unread

    asking = [asyncio.create_task(records.page_of(Vendor.BIRD, "contact", "all", fail)) for _ in range(2)]
    for each in asking:
        with pytest.raises(Unread):
            await each
    assert records.memory.readings == {}
