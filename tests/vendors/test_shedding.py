"""Load shedding by itself: how many requests are let in as the event loop is late or in time."""

from __future__ import annotations

import asyncio

import pytest

from app.call import Call
from app.current import begin, current
from app.shedding import AT_FIRST, INTERVAL, LATE, LATE_TO_STORE, LEAST, LEAST_WHEN_STARVED, MOST, TICK, LoadShedder
from schema.errors import RateLimited
from tests.vendors.test_repeats import CREATE, READ, vendor

TICKS = round(INTERVAL / TICK)


def shedder() -> LoadShedder:
    return LoadShedder(spread=lambda: 0.5)


def filled(of: LoadShedder) -> LoadShedder:
    while of.enter() is None:
        pass
    return of


def test_what_has_no_room_is_told_when_to_come_back() -> None:
    """Not everybody at the same moment; whoever leaves makes room for one."""
    full = filled(shedder())
    assert full.at_work == AT_FIRST
    full.leave()
    assert (full.enter(), 1.5 <= (full.enter() or 0) < 2) == (None, True)


def test_the_more_are_refused_the_later_they_come_back() -> None:
    """A refusal is work too; once nobody is refused any more, a second is enough again."""
    full = filled(shedder())
    waits = [full.enter() or 0.0 for _ in range(100)]
    assert waits == sorted(waits)
    assert waits[-1] == 16.5
    for _ in range(TICKS + 1):
        full.note(0.0, 1.0)
    full.limit = full.at_work
    assert full.enter() == 1.5


@pytest.mark.parametrize("refusals", [1000, 100_000])
def test_nobody_waits_for_longer_than_a_minute(refusals: int) -> None:
    """However many are refused."""
    full = filled(LoadShedder(spread=lambda: 1.0))
    assert max(full.enter() or 0.0 for _ in range(refusals)) == 60.0


def test_a_burst_is_no_overload() -> None:
    """However late the loop is for less than half a second."""
    full = filled(shedder())
    for _ in range(20):
        for number in range(TICKS):
            full.note(5.0 if number < TICKS / 2 - 1 else 0.0, 1.0)
    assert full.limit >= AT_FIRST


def test_a_loop_that_stays_late_gets_less_and_less_to_do() -> None:
    """From what it does, not from what it might, and once a second; never so little that it stands still."""
    full = filled(shedder())
    for _ in range(TICKS):
        full.note(LATE * 2, 0.9)
    assert full.limit == AT_FIRST * 0.8
    full.note(LATE * 2, 0.9)
    assert full.limit == AT_FIRST * 0.8
    for _ in range(20 * TICKS):
        full.note(LATE * 2, 0.9)
    assert full.limit == LEAST


def test_a_loop_that_others_keep_from_the_processor_may_do_more() -> None:
    """Its own load is not what makes it late."""
    full = filled(shedder())
    for _ in range(20 * TICKS):
        full.note(1.0, 0.2)
    assert full.limit == LEAST_WHEN_STARVED


def test_a_loop_that_is_in_time_gets_more_to_do_where_there_is_more() -> None:
    """One at a time, and within bounds."""
    full = shedder()
    full.note(0.0, 0.5)
    assert full.limit == AT_FIRST
    for _ in range(3 * MOST):
        filled(full).note(0.0, 0.5)
    assert full.limit == MOST


def test_a_processor_that_has_no_time_left_gets_no_more_to_do() -> None:
    """Though the loop is in time: what waits, waits elsewhere, and more of it would wait longer."""
    full = filled(shedder())
    for _ in range(10 * TICKS):
        full.enter()
        full.note(0.0, 1.0)
    assert full.limit == AT_FIRST


async def test_the_loop_is_watched_while_it_runs() -> None:
    """A loop that is held up is seen to be late."""
    watched = filled(shedder())
    async with asyncio.timeout(120), watched.running():
        while watched.limit >= AT_FIRST:
            for _ in range(3_000_000):
                pass  # work of the loop's own thread
            await asyncio.sleep(0)
    assert watched.limit < AT_FIRST


async def test_what_waits_to_be_stored_counts_too() -> None:
    """The loop may be in time while another thread has more to store than it can."""
    watched = filled(shedder())
    async with asyncio.timeout(120), watched.running(lambda: LATE_TO_STORE * 2):
        while watched.limit >= AT_FIRST:  # noqa: ASYNC110  # its clock is the loop
            await asyncio.sleep(TICK)
    assert watched.limit < AT_FIRST


async def test_only_new_work_at_a_vendor_is_shed() -> None:
    """A request takes its place once, when it has work, and gives it back; what is refused is told so, and sends nothing."""
    full = shedder()
    full.limit = 1
    async with vendor(200) as bird:
        first = begin("first", 10, full)
        assert [await bird.ask(), await bird.ask(), bird.rest.gate(CREATE.operation).refusal()] == [None] * 3
        assert full.at_work == 1
        second = begin("second", 10, full)
        refusals = [await bird.ask(Call("GET", "/another", operation=READ.operation)), bird.rest.gate("any").refusal()]
        for refusal in refusals:
            assert isinstance(refusal, RateLimited)
            assert (refusal.code, refusal.retryable, refusal.retry_after_seconds) == ("OVERLOADED", True, 1.5)
        assert (current().room.wait, bird.sends) == (1.5, 1)
        await first.end()
        await second.end()
        assert full.at_work == 0
        begin("a delivery in the background", 10)
        assert await bird.ask(Call("GET", "/more", operation=READ.operation)) is None
