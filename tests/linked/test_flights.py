"""Single flight, by itself: who shares whose answer, and what is kept of it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.current import begin
from app.flights import Flights

NO_TIME = 60.0


@dataclass(frozen=True)
class Said:
    """An answer of so many bytes."""

    content: bytes = b"x"


@dataclass
class Vendor:
    """Counts what it is asked, and answers when it is let."""

    asked: list[str] = field(default_factory=list)
    let: asyncio.Event = field(default_factory=asyncio.Event)
    size: int = 1
    is_broken: bool = False

    def answer(self, question: str) -> Callable[[], Coroutine[Any, Any, Said]]:
        async def ask() -> Said:
            self.asked.append(question)
            await self.let.wait()
            if self.is_broken:
                raise ConnectionError(question)
            return Said(f"{len(self.asked)}".encode() * self.size)

        return ask


def open_vendor(**facts: Any) -> Vendor:
    """A vendor that answers at once."""
    vendor = Vendor(**facts)
    vendor.let.set()
    return vendor


async def test_those_who_ask_at_the_same_time_share_one_call() -> None:
    """Fifty callers, one question, one answer; another question is another call."""
    flights, vendor = Flights[Said](), Vendor()
    asking = [asyncio.create_task(flights.share("a", vendor.answer("a"))) for _ in range(50)]
    other = asyncio.create_task(flights.share("b", vendor.answer("b")))
    await _until(lambda: len(vendor.asked) == 2)
    vendor.let.set()
    answers = await asyncio.gather(*asking)
    assert all(each is answers[0] for each in answers)
    assert await other is not answers[0]
    assert vendor.asked == ["a", "b"]


async def test_a_request_that_began_before_the_answer_came_shares_it() -> None:
    """It overlapped, so the answer might as well be its own; one that began later asks anew."""
    flights, vendor = Flights[Said](), open_vendor()
    early, late = asyncio.Event(), asyncio.Event()

    async def request(may_ask: asyncio.Event) -> Said:
        begin("a request", NO_TIME)
        await may_ask.wait()
        return await flights.share("a", vendor.answer("a"))

    overlapping = asyncio.create_task(request(early))
    await asyncio.sleep(0)
    first = await flights.share("a", vendor.answer("a"))
    await _until_clock_moves()
    later = asyncio.create_task(request(late))
    await asyncio.sleep(0)
    early.set()
    assert await overlapping is first
    late.set()
    assert await later is not first
    assert vendor.asked == ["a", "a"]


async def test_a_failure_reaches_those_who_waited_and_nobody_later() -> None:
    """Not even a request that had begun before it."""
    flights, vendor = Flights[Said](), Vendor(is_broken=True)
    begin("a request", NO_TIME)
    asking = [asyncio.create_task(flights.share("a", vendor.answer("a"))) for _ in range(3)]
    await _until(lambda: vendor.asked == ["a"])
    vendor.let.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [str(each) for each in outcomes] == ["a"] * 3
    vendor.is_broken = False
    assert await flights.share("a", vendor.answer("a")) == Said(b"2")
    assert vendor.asked == ["a", "a"]


async def test_after_a_write_nobody_shares_what_was_asked_before_it() -> None:
    """Neither an answer that came nor one under way; who waits for that one still gets it, and it is not kept."""
    flights, vendor = Flights[Said](), Vendor()
    begin("a request", NO_TIME)
    before = asyncio.create_task(flights.share("a", vendor.answer("a")))
    await _until(lambda: vendor.asked == ["a"])
    flights.forget()
    after = asyncio.create_task(flights.share("a", vendor.answer("a")))
    await _until(lambda: vendor.asked == ["a", "a"])
    vendor.let.set()
    assert await before is not await after
    assert await flights.share("a", vendor.answer("a")) is await after
    flights.forget()
    assert await flights.share("a", vendor.answer("a")) is not await after


@pytest.mark.parametrize(
    ("flights", "size"),
    [(Flights[Said](most=2), 1), (Flights[Said](most_bytes=20), 10)],
    ids=["by number", "by bytes"],
)
async def test_the_oldest_answers_go_when_there_are_too_many(flights: Flights[Said], size: int) -> None:
    """Two are kept; the third costs the first its place, and only that."""
    vendor = open_vendor(size=size)
    begin("a request", NO_TIME)
    for question in ("a", "b", "c"):
        await flights.share(question, vendor.answer(question))
    for question in ("b", "c"):
        await flights.share(question, vendor.answer(question))
    assert vendor.asked == ["a", "b", "c"]
    await flights.share("a", vendor.answer("a"))
    assert vendor.asked == ["a", "b", "c", "a"]


async def test_an_answer_larger_than_all_room_is_given_and_not_kept() -> None:
    """And makes no room disappear: a small one is kept afterwards."""
    flights, vendor = Flights[Said](most_bytes=5), open_vendor(size=9)
    begin("a request", NO_TIME)
    assert await flights.share("a", vendor.answer("a")) == Said(b"1" * 9)
    await flights.share("a", vendor.answer("a"))
    vendor.size = 1
    await flights.share("b", vendor.answer("b"))
    await flights.share("b", vendor.answer("b"))
    assert vendor.asked == ["a", "a", "b"]


async def test_one_who_gives_up_does_not_take_the_answer_from_the_others() -> None:
    """One who waits with others is not missed; where it is the one who made the call, the next makes it, for all that are left."""
    flights, vendor = Flights[Said](), Vendor()
    first, second, third, fourth = (asyncio.create_task(flights.share("a", vendor.answer("a"))) for _ in range(4))
    await _until(lambda: vendor.asked == ["a"])
    await _gives_up(second)
    assert vendor.asked == ["a"]
    await _gives_up(first)
    await _until(lambda: vendor.asked == ["a", "a"])
    vendor.let.set()
    assert await third is await fourth
    assert vendor.asked == ["a", "a"]


async def test_who_joins_waits_no_longer_than_their_own_deadline() -> None:
    """The one who made the call goes on, and has the answer."""
    flights, vendor = Flights[Said](), Vendor()

    async def request(seconds: float) -> Said:
        begin("a request", seconds)
        return await flights.share("a", vendor.answer("a"))

    patient = asyncio.create_task(request(NO_TIME))
    await _until(lambda: vendor.asked == ["a"])
    hurried = asyncio.create_task(request(0.1))
    await _until(hurried.done)
    assert isinstance(hurried.exception(), TimeoutError)
    assert not patient.done()
    vendor.let.set()
    assert await patient == Said(b"1")
    assert vendor.asked == ["a"]


async def _gives_up(asking: asyncio.Task[Said]) -> None:
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  # what is under test knows of no event
            await asyncio.sleep(0)


async def _until_clock_moves() -> None:
    now = asyncio.get_running_loop().time()
    await _until(lambda: asyncio.get_running_loop().time() > now)
