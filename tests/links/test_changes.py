"""Processes over one database: each learns what the others changed, and keeps at hand what they did not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import memory_changes
from app.links import changes, privacy
from app.links.identifiers import Identifier, IdentifierKind
from app.links.record import Key, Record
from app.links.records import Records
from app.links.resolve import Links
from schema.vendor import Environment, Vendor
from tests.links.finders import at
from tests.remembering import caught_up, drop, keep, remembering

ADA, BOB = (Identifier(IdentifierKind.EMAIL, f"{name}@x.example") for name in ("ada", "bob"))
WHERE = Environment.TEST


def _contact(own_id: str, *emails: Identifier, **fields: Any) -> Record:
    given = tuple(("email", each.value) for each in emails)
    return Record(Vendor.BIRD, "contact", own_id, fields, given)


async def _everything(records: Records, keys: Sequence[Key]) -> list[Any]:
    carriers, identifiers = await records.carriers([ADA, BOB]), await records.identifiers(keys)
    return [
        [await Links(records, 0).remembered(at(each.value)) for each in (ADA, BOB)],
        {each: set(found) for each, found in carriers.items()},
        {each: set(found) for each, found in identifiers.items()},
        await records.recall(keys),
        {each: found.is_known for each, found in (await records.lookups(Vendor.BIRD, [ADA, BOB])).items()},
    ]


async def test_what_another_process_does_is_learned(engine: AsyncEngine) -> None:
    """A record that is new, that changes, that goes; what a vendor said; all of it forgotten: each time all answers are anew."""
    ada, bob = _contact("1", ADA), _contact("2", BOB)
    keys = [ada.key, bob.key]
    async with remembering(engine) as here, remembering(engine) as there:
        steps: list[Callable[[], Awaitable[None]]] = [
            lambda: keep(there, ada),
            lambda: keep(there, bob),
            lambda: keep(there, _contact("1", ADA, BOB, name="Ada")),
            lambda: drop(there, bob.key),
            lambda: _answered(there, ADA, is_known=False),
            lambda: _answered(there, ADA, is_known=True),
            lambda: keep(there, bob),
            lambda: there.memory.forget(WHERE, [Vendor.BIRD]),
        ]
        for change in steps:
            before = await _everything(here, keys)
            await change()
            await caught_up(here)
            async with remembering(engine) as with_nothing_at_hand:
                now = await _everything(with_nothing_at_hand, keys)
            assert before != now == await _everything(here, keys)


async def test_a_relation_alone_is_a_change(engine: AsyncEngine) -> None:
    """Pages of records of that kind are made of relations too; one that is known already changes nothing."""
    logged = Record(Vendor.ARCHITECT, "person_log", "1", {}, relations=(("of", "person", "p1"),))
    other = Record(Vendor.ARCHITECT, "person_log", "1", {}, relations=(("of", "person", "p2"),))

    async def page() -> Any:
        return _Page()

    async with remembering(engine) as here, remembering(engine) as there:
        await keep(there, logged)
        await caught_up(here)
        first = await here.page_of(Vendor.ARCHITECT, "person_log", "all", page)
        async with remembering(engine) as a_third:
            await keep(a_third, logged)
        await caught_up(here)
        assert await here.page_of(Vendor.ARCHITECT, "person_log", "all", page) is first
        await keep(there, other)
        await caught_up(here)
        assert await here.page_of(Vendor.ARCHITECT, "person_log", "all", page) is not first


class _Page:
    nodes = ()


async def test_what_another_process_does_not_touch_stays_at_hand(engine: AsyncEngine) -> None:
    """It costs a reading for each record that changed, not one of everything again."""
    ada, bob = _contact("1", ADA), _contact("2", BOB)
    async with remembering(engine) as here, remembering(engine) as there:
        await keep(here, ada)
        await _everything(here, [ada.key])
        for number in range(3):
            await keep(there, bob, _contact("3", name=str(number)))
            await caught_up(here)
            assert here.at_hand.carriers.get(ADA) == [ada.key]
            assert here.at_hand.records.get(ada.key) is not None
            assert not here.at_hand.is_news(ada)


async def test_what_a_process_changes_itself_is_not_learned_again(engine: AsyncEngine) -> None:
    """It knows it already."""
    async with remembering(engine) as here:
        await keep(here, _contact("1", ADA))
        await here.carriers([ADA])
        await caught_up(here)
        assert here.at_hand.carriers.get(ADA) is not None


async def test_more_changes_than_are_read_one_by_one_are_a_change_of_all(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a long stop of this process."""
    monkeypatch.setattr(changes, "MOST", 3)
    async with remembering(engine) as here, remembering(engine) as there:
        await keep(here, _contact("1", ADA))
        await here.carriers([ADA])
        await keep(there, *(_contact(f"other {number}") for number in range(4)))
        await caught_up(here)
        assert here.at_hand.carriers.get(ADA) is None


async def test_what_nobody_reads_any_more_is_deleted(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And whoever has not read for that long takes everything for changed."""
    monkeypatch.setattr(changes, "KEPT", 5)
    async with remembering(engine) as here:
        for number in range(12):
            await keep(here, _contact(str(number)))
        await caught_up(here)
        assert await here.memory.read(_noted) == 5
        late = await here.memory.read(lambda c: changes.read(c, 1, "another"))
        assert all(each.of_all for each in late.changes.values())
        in_time = await here.memory.read(lambda c: changes.read(c, late.number - 5, "another"))
        assert len(in_time.changes[WHERE].records) == 5


async def test_nothing_is_left_of_whom_the_gateway_forgets(engine: AsyncEngine) -> None:
    """Neither the IDs of what was deleted, nor what a vendor was asked for."""
    async with remembering(engine) as here:
        await keep(here, _contact("1", ADA))
        await _answered(here, ADA, is_known=True)
        await privacy.forget(here, at(ADA.value))
        rows = await here.memory.read(lambda c: [tuple(row) for row in c.execute(select(memory_changes))])
        assert [row[3:] for row in rows] == [("ALL", "", "", "")]


async def _answered(records: Records, identifier: Identifier, *, is_known: bool) -> None:
    records.note_lookups(Vendor.BIRD, {identifier: is_known})
    await records.memory.settled()


def _noted(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(memory_changes)).scalar_one()
