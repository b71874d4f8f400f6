"""The bulkhead by itself: never more than its limit, turn by turn, and no place is lost."""

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from app.bulkhead import Bulkhead, BulkheadFull
from tests.vendors.clockwork import Clockwork


@contextmanager
def place(bulkhead: Bulkhead, entered: float | None) -> Iterator[None]:
    """Has been taken, and is given back."""
    assert entered is not None
    try:
        yield
    finally:
        bulkhead.leave(entered)


@dataclass
class Ship:
    """Calls that pass a bulkhead. `entered` are their names in the order in which they came in."""

    bulkhead: Bulkhead
    inside: int = 0
    most: int = 0
    entered: list[str] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    def call(self, requester: str, name: str) -> asyncio.Task[None]:
        self.gates[name] = asyncio.Event()
        return asyncio.create_task(self._call(requester, name))

    async def _call(self, requester: str, name: str) -> None:
        with place(self.bulkhead, await self.bulkhead.turn(requester, math.inf)):
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.entered.append(name)
            await self.gates[name].wait()
            self.inside -= 1

    async def let_all_pass(self, *calls: asyncio.Task[None]) -> None:
        for gate in self.gates.values():
            gate.set()
        await asyncio.gather(*calls)


async def test_never_more_than_the_limit_are_inside() -> None:
    """Thirty calls of three requesters through three places, every one of them in the end."""
    ship = Ship(Bulkhead(3))
    calls = [ship.call(f"r{n % 3}", f"{n}") for n in range(30)]
    await _until(lambda: ship.inside == 3)
    await ship.let_all_pass(*calls)
    assert (ship.most, ship.inside, len(ship.entered)) == (3, 0, 30)


async def test_one_call_of_each_requester_is_let_in_in_turn() -> None:
    """A small request that comes behind a large one is next but one, not last; each keeps its own order."""
    ship = Ship(Bulkhead(1))
    calls = [ship.call("large", f"large {n}") for n in range(5)]
    await _until(lambda: ship.inside == 1)
    calls += [ship.call("small", f"small {n}") for n in range(2)]
    calls.append(ship.call("third", "third 0"))
    await asyncio.sleep(0)
    await ship.let_all_pass(*calls)
    assert ship.entered == [
        *("large 0", "large 1", "small 0", "third 0", "large 2", "small 1"),
        *("large 3", "large 4"),
    ]


async def test_who_gives_up_while_waiting_takes_no_place() -> None:
    """The next one gets it, and afterwards all places are free."""
    ship = Ship(Bulkhead(1))
    first, second, third = (ship.call("r", name) for name in "abc")
    await _until(lambda: ship.inside == 1)
    second.cancel()
    await asyncio.wait([second])
    await ship.let_all_pass(first, third)
    assert (ship.entered, second.cancelled()) == (["a", "c"], True)
    await ship.let_all_pass(ship.call("r", "d"))
    assert ship.entered == ["a", "c", "d"]


async def test_a_place_given_at_the_moment_of_giving_up_goes_to_the_next() -> None:
    """The cancellation and the turn come in the same tick."""
    bulkhead = Bulkhead(1)
    ship = Ship(bulkhead)
    with place(bulkhead, bulkhead.enter()):
        given_up, next_one = ship.call("r", "given up"), ship.call("r", "next")
        await asyncio.sleep(0)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    await ship.let_all_pass(next_one)
    assert ship.entered == ["next"]


async def test_a_call_that_fails_gives_its_place_back() -> None:
    """As does one that is cancelled inside."""
    bulkhead = Bulkhead(1)
    with pytest.raises(ZeroDivisionError), place(bulkhead, bulkhead.enter()):
        raise ZeroDivisionError
    ship = Ship(bulkhead)
    inside = ship.call("r", "cancelled inside")
    await _until(lambda: ship.inside == 1)
    inside.cancel()
    await asyncio.wait([inside])
    after = ship.call("r", "after")
    await ship.let_all_pass(after)
    assert ship.entered == ["cancelled inside", "after"]


async def test_nobody_waits_who_would_be_served_too_late() -> None:
    """Two inside for four seconds each: who has ten seconds may wait, who has five is told when to come back."""
    clock = Clockwork()
    ship = Ship(bulkhead := Bulkhead(2, clock))
    calls = [ship.call("r", f"{n}") for n in range(2)]
    await _until(lambda: ship.inside == 2)
    clock.passes(4)
    assert (bulkhead.refusal("other", 10), bulkhead.refusal("other", 5)) == (None, 2.0)
    with pytest.raises(BulkheadFull) as full:
        await bulkhead.turn("other", 5)
    assert full.value.seconds == 2.0
    await ship.let_all_pass(*calls)
    assert bulkhead.refusal("other", 0) is None


async def test_a_large_request_does_not_keep_a_small_one_out() -> None:
    """Thirty calls of one wait, and would wait for a minute; the first call of another waits for one turn."""
    clock = Clockwork()
    ship = Ship(bulkhead := Bulkhead(1, clock))
    calls = [ship.call("large", f"{n}") for n in range(31)]
    await _until(lambda: ship.inside == 1)
    clock.passes(2)
    assert (bulkhead.refusal("large", 10), bulkhead.refusal("small", 10)) == (60.0, None)
    await ship.let_all_pass(*calls)


async def test_so_many_may_wait_and_no_more() -> None:
    """Fifty for each place, however fast the vendor is; who gives up makes room."""
    ship = Ship(bulkhead := Bulkhead(1, Clockwork()))
    calls = [ship.call("r", f"{n}") for n in range(51)]
    await asyncio.sleep(0)
    assert bulkhead.refusal("r", 10) == 1.0
    calls[-1].cancel()
    await asyncio.wait(calls[-1:])
    assert bulkhead.refusal("r", 10) is None
    await ship.let_all_pass(*calls[:-1])


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  # what is under test knows of no event
            await asyncio.sleep(0)
