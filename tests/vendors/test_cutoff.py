"""The cutoff by itself: what takes too long ends in time, and nothing else does."""

from __future__ import annotations

import asyncio

import pytest

from app.cutoff import Cutoff, Deadlines

NEVER = 3600.0


async def stay(deadlines: Deadlines, seconds: float) -> None:
    with Cutoff(deadlines, seconds):
        await asyncio.Event().wait()


async def test_what_takes_too_long_is_cut_off_each_at_its_own_time() -> None:
    """The later one's deadline was set first; one that has time is left alone."""
    deadlines, ended = Deadlines(), list[str]()

    async def note(name: str, seconds: float) -> None:
        with pytest.raises(TimeoutError):
            await stay(deadlines, seconds)
        ended.append(name)

    patient = asyncio.create_task(stay(deadlines, NEVER))
    await asyncio.gather(note("late", 0.05), note("early", 0.01), note("at once", 0.0))
    assert (ended, patient.done()) == (["at once", "early", "late"], False)
    patient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await patient


async def test_what_has_ended_is_not_cut_off_any_more() -> None:
    """Though the timer that was set for it still goes off; it finds the next one's deadline then."""
    deadlines = Deadlines()
    with Cutoff(deadlines, 0.01):
        pass
    with pytest.raises(TimeoutError):
        await stay(deadlines, 0.03)


async def test_a_cancellation_from_outside_stays_one() -> None:
    """Also one that comes in the same moment as the deadline."""
    deadlines = Deadlines()
    cancelled = asyncio.create_task(stay(deadlines, NEVER))
    at_the_same_time = asyncio.create_task(stay(deadlines, 0.0))
    await asyncio.sleep(0)
    cancelled.cancel()
    at_the_same_time.get_loop().call_later(0, at_the_same_time.cancel)
    ended = await asyncio.gather(cancelled, at_the_same_time, return_exceptions=True)
    assert isinstance(ended[0], asyncio.CancelledError)
    assert isinstance(ended[1], asyncio.CancelledError)


async def test_an_error_is_not_hidden_by_the_deadline() -> None:
    """What was raised in the block is what is told, and nothing is left of the cancellation."""

    async def fail() -> None:
        try:
            await stay(Deadlines(), NEVER)
        except asyncio.CancelledError:
            raise ZeroDivisionError from None

    async def fail_late() -> int:
        with pytest.raises(ZeroDivisionError), Cutoff(Deadlines(), 0.0):
            await fail()
        task = asyncio.current_task()
        return task.cancelling() if task is not None else -1

    assert await asyncio.create_task(fail_late()) == 0


async def test_only_a_task_can_be_cut_off() -> None:
    """A callback of the event loop has nothing that could be cancelled."""
    refused: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def enter() -> None:
        try:
            with Cutoff(Deadlines(), 1.0):
                refused.set_result("entered")
        except RuntimeError as error:
            refused.set_result(str(error))

    asyncio.get_running_loop().call_soon(enter)
    assert await refused == "only a task can be cut off"
