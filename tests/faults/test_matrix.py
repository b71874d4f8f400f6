"""The fault matrix: every fault on the wire x five writes x connections fresh and used before, a gateway and a vendor as processes of their own.

Each cell checks what the partner is told and when, the receipt, how often the vendor was sent the write and how often it
applied it, by the vendor's own list; and again after everything in doubt was taken up. `make test` runs each row with one
of the writes, `make test-all` with all five, on both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from schema.vendor import Environment, Vendor
from tests.faults.matrix import CONNECTION_ROWS, REQUEST_ROWS, Row
from tests.faults.partner import KEYED, SLACK, VENDOR_OF, FaultyVendor, Partner, Told, Truth, faulty_vendor, gateway

OPERATIONS = tuple(VENDOR_OF)
_AT_ONCE = 3
"""Cells of one operation in one environment. More bad calls at a time would open its circuit, which is another test's matter."""

_HEALTHY_BETWEEN = 3
_GATEWAYS = 4
FRESH, KEPT = "fresh", "kept"
_WHERE = {KEPT: Environment.TEST, FRESH: Environment.LIVE}
_LATE_BY = 0.25
"""In seconds: how long after its deadline an answer may come."""

pytestmark = pytest.mark.xdist_group("fault matrix")


@dataclass(frozen=True)
class Cell:
    """A fault that befalls a write, on a connection that was used before or on a fresh one."""

    row: Row
    operation: str
    connection: str = FRESH

    @property
    def mark(self) -> str:
        return f"{self.row.fault}-at-{self.operation.lower()}{self.connection}"

    def __str__(self) -> str:
        return f"{self.row.number}-{self.row.fault}-{self.operation}-{self.connection}"


@dataclass(frozen=True)
class Observed:
    """What became of a cell: what was told; the state after everything was taken up; and what the vendor knows of it all."""

    told: Told
    state: str
    truth: Truth


def at_gateway(number: int) -> dict[tuple[Vendor, Environment], Row]:
    """What befalls the connections of one of four gateways: each vendor, and so each row, is at two of eight places."""
    return {
        (vendor, environment): CONNECTION_ROWS[(2 * number + 2 * v + e) % len(CONNECTION_ROWS)]
        for v, vendor in enumerate(Vendor)
        for e, environment in enumerate(Environment)
    }


def _sample() -> Iterable[Cell]:
    """Each row once: the writes in turn; for the connections those that one gateway will do for."""
    for n, ((vendor, _), row) in enumerate(at_gateway(0).items()):
        [*names] = [name for name, of in VENDOR_OF.items() if of is vendor]
        yield Cell(row, names[n % len(names)])
    for n, row in enumerate(REQUEST_ROWS):
        befallen = _befallen(row)
        yield Cell(row, befallen[n % len(befallen)], (KEPT, FRESH)[n // len(OPERATIONS) % 2])


def _befallen(row: Row) -> list[str]:
    return [each for each in OPERATIONS if each not in row.spared]


SAMPLE = frozenset(_sample())
CELLS = [
    *(Cell(row, operation) for row in CONNECTION_ROWS for operation in OPERATIONS),
    *(
        Cell(row, operation, connection)
        for row in REQUEST_ROWS
        for operation in _befallen(row)
        for connection in _WHERE
    ),
]


@pytest.fixture(scope="module")
def observed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Mapping[Cell, Observed]:
    """All cells that are to be tested, tried together."""
    wanted = [getattr(each, "callspec").params for each in request.session.items if hasattr(each, "callspec")]  # noqa: B009  # pytest's items don't tell
    cells = [params["cell"] for params in wanted if isinstance(params.get("cell"), Cell)]
    return asyncio.run(_try(cells, tmp_path_factory.mktemp("faults")))


@pytest.mark.parametrize(
    "cell", [pytest.param(each, id=str(each), marks=() if each in SAMPLE else pytest.mark.big) for each in CELLS]
)
def test_a_fault_is_told_as_it_is_and_doubles_nothing(cell: Cell, observed: Mapping[Cell, Observed]) -> None:
    """The answer is the row's and in time; the vendor has seen and done what the row says, then and in the end."""
    expected, found = cell.row.expected, observed[cell]
    told, truth = found.told, found.truth
    assert (told.state, told.code, told.retryable) == expected[:3]
    assert told.seconds <= cell.row.deadline + _LATE_BY + SLACK
    sends, made = truth.sent(cell.mark, until=told.at), truth.made(cell.mark, until=told.at)
    assert sends == expected.sends if isinstance(expected.sends, int) else sends in expected.sends
    assert len(made) == expected.effects
    assert ([told.record_id] if told.record_id else []) == (made if told.state == "SUCCEEDED" else [])
    _assert_ended_well(cell, found, sends)


def _assert_ended_well(cell: Cell, found: Observed, sends: int) -> None:
    """In doubt, a write with a key is sent again and has one effect; one without is never sent again."""
    made, sends_in_all = found.truth.made(cell.mark), found.truth.sent(cell.mark)
    if found.told.state == "UNKNOWN" and cell.operation in KEYED:
        assert (found.state, sends_in_all, len(made)) == ("SUCCEEDED", sends + 1, 1)
    else:
        effects = 1 if cell.row.is_late else cell.row.expected.effects
        assert (found.state, sends_in_all, len(made)) == (found.told.state, sends, effects)


def test_nothing_was_doubled_lost_or_told_wrong(
    observed: Mapping[Cell, Observed], record_property: Callable[[str, object], None]
) -> None:
    """The tally over all cells, by the vendor's own list."""
    ended = {cell: (found.state, len(found.truth.made(cell.mark))) for cell, found in observed.items()}
    doubled = [cell for cell, (_, effects) in ended.items() if effects > 1]
    lost = [cell for cell, (state, effects) in ended.items() if state == "SUCCEEDED" and not effects]
    wrong = [cell for cell, (state, effects) in ended.items() if state == "FAILED" and effects]
    unknown = [cell for cell, (state, _) in ended.items() if state == "UNKNOWN"]
    astray = max(found.truth.astray for found in observed.values())
    figures = f"{len(doubled)} doubled, {len(lost)} lost, {len(wrong)} wrong, {len(unknown)} unknown and listed"
    record_property("tally", f"fault matrix: {len(observed)} cells, {figures}")
    assert (doubled, lost, wrong, astray) == ([], [], [], 0)


async def _try(cells: Sequence[Cell], folder: Path) -> dict[Cell, Observed]:
    """One gateway for all that befalls requests, others for what befalls connections."""
    async with AsyncExitStack() as stack:
        vendor = await stack.enter_async_context(faulty_vendor(folder / "vendor"))
        told: dict[Cell, tuple[Partner, Told]] = {}
        on_requests = [each for each in cells if each.row in REQUEST_ROWS]
        closing = {(of, _WHERE[FRESH]): "closing" for of in Vendor}
        main = await stack.enter_async_context(gateway(vendor, folder / "main", closing))
        lanes = [(name, connection) for name in OPERATIONS for connection in _WHERE]
        tasks = [_try_lane(*lane, on_requests, main[_WHERE[lane[1]]], told) for lane in lanes]
        for number in range(_GATEWAYS):
            rows = at_gateway(number)
            here = [
                each
                for each in cells
                if each.row in [row for (of, _), row in rows.items() if of is VENDOR_OF[each.operation]]
            ]
            if here:
                ports = {place: row.fault for place, row in rows.items()}
                partners = await stack.enter_async_context(gateway(vendor, folder / f"connections-{number}", ports))
                tasks += [_try_connection(each, partners, rows, told) for each in here]
        await asyncio.gather(*tasks)
        return await _settled(vendor, told)


async def _try_lane(
    operation: str,
    connection: str,
    cells: Sequence[Cell],
    partner: Partner,
    told: dict[Cell, tuple[Partner, Told]],
) -> None:
    places = asyncio.Semaphore(_AT_ONCE)

    async def try_one(number: int, cell: Cell) -> None:
        async with places:
            for n in range(_HEALTHY_BETWEEN):
                healthy = await partner.write(operation, f"healthy-at-{operation.lower()}{connection}{number}x{n}")
                assert healthy.state == "SUCCEEDED", healthy
            row = cell.row
            answer = await partner.write(operation, cell.mark, deadline=row.deadline, large=row.large)
            told[cell] = partner, answer

    await asyncio.gather(
        *(
            try_one(n, each)
            for n, each in enumerate(cells)
            if (each.operation, each.connection) == (operation, connection)
        )
    )


async def _try_connection(
    cell: Cell,
    partners: Mapping[Environment, Partner],
    rows: Mapping[tuple[Vendor, Environment], Row],
    told: dict[Cell, tuple[Partner, Told]],
) -> None:
    [environment] = [e for (of, e), row in rows.items() if of is VENDOR_OF[cell.operation] and row is cell.row]
    partner = partners[environment]
    answer = await partner.write(cell.operation, cell.mark, deadline=cell.row.deadline)
    told[cell] = partner, answer


async def _settled(vendor: FaultyVendor, told: Mapping[Cell, tuple[Partner, Told]]) -> dict[Cell, Observed]:
    """After the writes with a key were sent again, and those without were looked for."""
    in_doubt = {cell for cell, (_, answer) in told.items() if answer.state == "UNKNOWN"}
    states: dict[str, dict[str, str]] = {}
    for partner in {partner.key: partner for partner, _ in told.values()}.values():
        keyed = {cell.mark for cell in in_doubt if cell.operation in KEYED and told[cell][0] is partner}
        states[partner.key] = await partner.settled(keyed)
    truth = await _with_late(vendor, {cell.mark for cell in told if cell.row.is_late})
    return {cell: Observed(answer, states[partner.key][cell.mark], truth) for cell, (partner, answer) in told.items()}


async def _with_late(vendor: FaultyVendor, late: set[str]) -> Truth:
    """What really happened, once what is applied late has been."""
    async with asyncio.timeout(60):
        truth = await vendor.truth()
        while not late <= {mark for mark, _ in truth.effects}:
            await asyncio.sleep(0.2)
            truth = await vendor.truth()
    return truth
