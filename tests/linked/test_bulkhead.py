"""The bulkhead by itself: never more than its limit, turn by turn, and no place is lost."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from app.bulkhead import Bulkhead


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
        async with self.bulkhead.slot(requester):
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
    async with bulkhead.slot("holder"):
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
    with pytest.raises(ZeroDivisionError):
        async with bulkhead.slot("r"):
            raise ZeroDivisionError
    ship = Ship(bulkhead)
    inside = ship.call("r", "cancelled inside")
    await _until(lambda: ship.inside == 1)
    inside.cancel()
    await asyncio.wait([inside])
    after = ship.call("r", "after")
    await ship.let_all_pass(after)
    assert ship.entered == ["cancelled inside", "after"]


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110  # what is under test knows of no event
            await asyncio.sleep(0)
