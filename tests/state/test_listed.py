"""Pages from memory: in order, each record once, also while more come in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import records
from app.links.record import Record
from app.links.records import Records
from schema.vendor import Environment, Vendor
from tests.remembering import keep, remembering, tamper

LOG_OF = (Vendor.ARCHITECT, "person_log", "person")
ADA = ("person", "p1")
Place = tuple[int, str] | None


@pytest.fixture
async def kept(engine: AsyncEngine) -> AsyncIterator[Records]:
    """The memory of one environment over an empty database, with its writer at work."""
    async with remembering(engine) as records:
        yield records


async def test_records_are_listed_by_when_they_were_first_seen_then_by_id(kept: Records) -> None:
    """Seen again they keep their place; other kinds, vendors and environments are other lists."""
    await keep(kept, *(_person(each) for each in ("b", "c", "a")))
    await _first_seen(kept, "a", 3_000)
    await _first_seen(kept, "b", 1_000)
    await _first_seen(kept, "c", 1_000)
    await keep(kept, _person("b", name="Again"), Record(Vendor.ARCHITECT, "person_log", "a"))
    await keep(Records(kept.memory, Environment.LIVE), _person("live"))
    assert await kept.listed(Vendor.ARCHITECT, "person", None, 10) == [
        (1_000, _person("b", name="Again")),
        (1_000, _person("c")),
        (3_000, _person("a")),
    ]


async def test_pages_hold_each_record_once_while_more_are_added(kept: Records) -> None:
    """250 of the same moment are walked by their IDs; who comes later comes at the end."""
    ids = [f"{n:03d}" for n in range(250)]
    await keep(kept, *map(_person, ids))
    walked: list[str] = []
    place: Place = None
    for _ in range(30):
        page = await kept.listed(Vendor.ARCHITECT, "person", place, 20)
        if not page:
            break
        walked += [record.id for _, record in page]
        place = page[-1][0], page[-1][1].id
        if len(walked) == 100:
            await keep(kept, _person("late"))
            await _first_seen(kept, "late", place[0] + 1)
    assert walked == [*ids, "late"]


async def test_what_points_at_a_record_is_listed_the_last_first(kept: Records) -> None:
    """Only those in this relation to this one; pages go on behind a place, whatever has come in since."""
    await keep(kept, *(_log(f"l{n}", "p1") for n in range(5)), _log("other", "p2"))
    for n in range(5):
        await _first_seen(kept, f"l{n}", (1_000, 2_000, 2_000, 3_000, 4_000)[n])
    first = await kept.related(LOG_OF, ADA, None, 2)
    await keep(kept, _log("l9", "p1"))
    rest = await kept.related(LOG_OF, ADA, (3_000, "l3"), 10)
    assert first == [(4_000, _log("l4")), (3_000, _log("l3"))]
    assert rest == [(2_000, _log("l2")), (2_000, _log("l1")), (1_000, _log("l0"))]
    assert await kept.related((Vendor.ARCHITECT, "prospect_log", "person"), ADA, None, 10) == []
    assert await Records(kept.memory, Environment.LIVE).related(LOG_OF, ADA, None, 10) == []


def _person(own_id: str, **fields: str) -> Record:
    return Record(Vendor.ARCHITECT, "person", own_id, fields)


def _log(own_id: str, party: str | None = None) -> Record:
    """A log as it is handed in; as it comes back, without its relation."""
    relations = (("person", "person", party),) if party else ()
    return Record(Vendor.ARCHITECT, "person_log", own_id, relations=relations)


async def _first_seen(kept: Records, own_id: str, moment: int) -> None:
    await tamper(kept, update(records).where(records.c.id == own_id).values(first_ms=moment))
