"""The kill matrix: SIGKILL at each crash point x five writes; then a restart, a repeat with the same key, and an audit.

The gateway is a process of its own, the vendors are another one, with their own list of what was sent and made. `make test` kills
at each point with one write that the vendor takes a key for and one that it doesn't; `make test-all` kills with all five at
each point, three times over.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.kills.partner import KEYED, MADE, Partner, Told, Truth, Vendors, environ_of, partner_of, serving_vendors

OPERATIONS = tuple(MADE)
KEYLESS = tuple(each for each in OPERATIONS if each not in KEYED)
ROUNDS = 3
_AT_ONCE = 4
_PATIENCE = 300.0

pytestmark = pytest.mark.xdist_group("kill matrix")


@dataclass(frozen=True)
class Point:
    """Where the gateway dies. `failpoint`: by its own hand; without one the vendor holds the write, and the gateway is killed.

    `sends` are the requests of a write in all, with a key and without; `applied`: the vendor applies it in spite of the kill.
    """

    name: str
    failpoint: str | None
    sends: tuple[int, int]
    was_stored: bool = True
    in_doubt: bool = True
    applied: bool = True


POINTS = (
    Point("before-intent", "before_intent", (1, 1), was_stored=False, in_doubt=False),
    Point("stored", "intent_committed", (1, 1), in_doubt=False),
    Point("sending", "sending_committed", (1, 0), applied=False),
    Point("taken", None, (2, 1)),
    Point("applied", None, (2, 1)),
    Point("answered", "answer_in_hand", (2, 1)),
    Point("final", "terminal_committed", (1, 1), in_doubt=False),
)
"""The crash points of a write, in their order."""


@dataclass(frozen=True)
class Cell:
    point: Point
    operation: str
    round: int

    @property
    def mark(self) -> str:
        """What the vendor knows the write by; its idempotency key too."""
        return f"{self.point.name}-kill-{self.operation.lower()}-{self.round}"

    def __str__(self) -> str:
        return f"{self.point.name}-{self.operation}-{self.round}"


@dataclass(frozen=True)
class Observed:
    """What became of a write: its states before and after it was repeated, what was told, and what the vendors say."""

    before: list[str]
    after: list[str]
    told: list[Told]
    truth: Truth


CELLS = [Cell(point, operation, n) for n in range(ROUNDS) for point in POINTS for operation in OPERATIONS]
SAMPLE = frozenset(
    Cell(point, operations[n % len(operations)], 0) for n, point in enumerate(POINTS) for operations in (KEYED, KEYLESS)
)


@pytest.fixture(scope="module")
def observed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Cell, Observed]:
    """All cells that are to be tested, a few at a time: most of a cell is waiting."""
    wanted = [getattr(each, "callspec").params for each in request.session.items if hasattr(each, "callspec")]  # noqa: B009  # pytest's items don't tell
    cells = [params["cell"] for params in wanted if isinstance(params.get("cell"), Cell)]
    return asyncio.run(_try(cells, tmp_path_factory.mktemp("kills")))


@pytest.mark.parametrize(
    "cell", [pytest.param(each, id=str(each), marks=() if each in SAMPLE else pytest.mark.big) for each in CELLS]
)
def test_a_kill_doubles_nothing_and_loses_nothing(cell: Cell, observed: Mapping[Cell, Observed]) -> None:
    """The write is applied once, whatever was told of it is so, and only where nobody can know does it stay in doubt, listed
    and never sent again.
    """
    point, found = cell.point, observed[cell]
    is_keyed = cell.operation in KEYED
    stays_unknown = not point.applied and not is_keyed
    assert found.after[-1] == ("UNKNOWN" if stays_unknown else "SUCCEEDED")
    assert ("UNKNOWN" in found.after) is point.in_doubt
    assert len(found.truth.made) == (0 if stays_unknown else 1)
    assert found.truth.sent == point.sends[0 if is_keyed else 1]
    assert [each.record_id for each in found.told if each.record_id] == list(found.truth.made) * _given(found)
    assert found.told[-1] == Told(found.after[-1], next(iter(found.truth.made), None), replayed=True)
    assert bool(found.before) is point.was_stored


def test_nothing_was_doubled_lost_or_in_disagreement(
    observed: Mapping[Cell, Observed], record_property: Callable[[str, object], None]
) -> None:
    """The tally over all kills, by the vendors' own list."""
    doubled = [cell for cell, found in observed.items() if len(found.truth.made) > 1]
    lost = [cell for cell, found in observed.items() if found.after[-1] == "SUCCEEDED" and not found.truth.made]
    wrong = [cell for cell, found in observed.items() if _disagrees(found)]
    unknown = [cell for cell, found in observed.items() if found.after[-1] == "UNKNOWN"]
    figures = f"{len(doubled)} doubled, {len(lost)} lost, {len(wrong)} disagreements, {len(unknown)} unknown and listed"
    record_property("tally", f"kill matrix: {len(observed)} kills, {figures}")
    assert (doubled, lost, wrong) == ([], [], [])


def _given(found: Observed) -> int:
    """How often a record was given."""
    return len([each for each in found.told if each.record_id])


def _disagrees(found: Observed) -> bool:
    """Whether the partner was ever told something final that is not what the vendor says."""
    refused = any(each.state == "FAILED" for each in found.told) or found.after[-1] == "FAILED"
    mistaken = any(each.record_id not in (None, *found.truth.made) for each in found.told)
    return mistaken or (refused and bool(found.truth.made))


async def _try(cells: Iterable[Cell], folder: Path) -> dict[Cell, Observed]:
    places = asyncio.Semaphore(_AT_ONCE)
    async with serving_vendors() as vendors:
        partners = {cell: await _partner(cell, vendors, folder / cell.mark) for cell in cells}

        async def try_one(cell: Cell, partner: Partner) -> tuple[Cell, Observed]:
            async with places, asyncio.timeout(_PATIENCE):
                return cell, await _observe(cell, partner, vendors)

        return dict(await asyncio.gather(*itertools.starmap(try_one, partners.items())))


async def _partner(cell: Cell, vendors: Vendors, home: Path) -> Partner:
    await asyncio.to_thread(home.mkdir)
    return await partner_of(environ_of(vendors, home), cell.operation, cell.mark, home)


async def _observe(cell: Cell, partner: Partner, vendors: Vendors) -> Observed:
    await _kill(cell, partner, vendors)
    async with partner.gateway() as gateway:
        before = await partner.states(gateway)
        await partner.write(gateway)
        after = await partner.settled(gateway)
        await partner.write(gateway)
    return Observed(before, after, partner.told, await vendors.truth(cell.mark))


async def _kill(cell: Cell, partner: Partner, vendors: Vendors) -> None:
    """Sends the write to a gateway that dies of it. What the vendor holds goes on only when the gateway is dead."""
    failpoint = {"SWITCHBOARD_FAILPOINT": cell.point.failpoint} if cell.point.failpoint else {}
    async with partner.gateway(**failpoint) as gateway:
        writing = asyncio.create_task(partner.write(gateway))
        if cell.point.failpoint is None:
            await vendors.reached(cell.mark)
            assert (await gateway.interrupt(signal.SIGKILL)).code == -signal.SIGKILL
        assert await writing is None
        assert await gateway.process.wait() == -signal.SIGKILL
    await vendors.release(cell.mark)
