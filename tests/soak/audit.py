"""Compares what partners were told, what the receipts say, and what the vendors did."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median, quantiles

from tests.faults.partner import FaultyVendor, Told
from tests.soak.life import Life, Measured
from tests.soak.load import Load

_PATIENCE = 90.0
_FINAL = ("SUCCEEDED", "FAILED")


@dataclass(frozen=True)
class Figures:
    """One line of a soak: nothing may be doubled, lost or wrong. Times in milliseconds."""

    rounds: int
    kills: int
    writes: int
    reads: int
    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    wrong: tuple[str, ...]
    unknown: int
    p50: float
    p99: float
    measured: tuple[Measured, Measured]
    stories: Mapping[str, str]
    """What was told of each write that is one of these, what its receipt says, and what was made of it."""
    leaked: tuple[str, ...] = ()

    def is_clean(self) -> bool:
        return not (self.doubled or self.lost or self.wrong or self.leaked)

    def __str__(self) -> str:
        first, last = self.measured
        bad = "".join(
            f"\n{self.stories.get(each, each)}" for each in (*self.doubled, *self.lost, *self.wrong, *self.leaked)[:20]
        )
        return (
            f"rounds {self.rounds} (kills {self.kills})  writes {self.writes}  reads {self.reads}  "
            f"doubled {len(self.doubled)}  lost {len(self.lost)}  wrong {len(self.wrong)}  leaked {len(self.leaked)}  unknown listed {self.unknown}  "
            f"p50 {self.p50:.0f} ms  p99 {self.p99:.0f} ms  memory {first.memory:.0f} -> {last.memory:.0f} MiB  "
            f"sockets {first.sockets} -> {last.sockets}  tasks {first.tasks} -> {last.tasks}{bad}"
        )


async def audited(life: Life, load: Load, vendor: FaultyVendor, measured: tuple[Measured, Measured]) -> Figures:
    """The figures, once the gateway has done all that it can by itself."""
    states = await _at_rest(life)
    truth = await vendor.truth()
    made: dict[str, list[str]] = {}
    for mark, record_id in truth.effects:
        if mark in load.told:  # what died with a gateway before its mark had come is nobody's write
            made.setdefault(mark, []).append(record_id)
    times = load.times or [0.0, 0.0]
    doubled = tuple(mark for mark, records in made.items() if len(records) > 1)
    lost = tuple(_lost(load, states, made))
    wrong = tuple(mark for mark in load.told if _is_wrong(load.told[mark], states.get(mark), made.get(mark, [])))
    return Figures(
        life.rounds,
        life.kills,
        len(load.told),
        load.reads_answered,
        doubled=doubled,
        lost=lost,
        wrong=wrong,
        unknown=Counter(states.values())["UNKNOWN"],
        p50=median(times),
        p99=quantiles(times, n=100)[98],
        measured=measured,
        stories={
            mark: f"{mark}: told {load.told.get(mark)}; receipt {states.get(mark)}; made {made.get(mark)}"
            for mark in (*doubled, *lost, *wrong)
        },
    )


def _lost(load: Load, states: dict[str, str], made: dict[str, list[str]]) -> list[str]:
    """What succeeded and was not applied, what was applied and is not listed, and what a receipt was given of and is none."""
    unapplied = [mark for mark, state in states.items() if state == "SUCCEEDED" and mark not in made]
    unlisted = [mark for mark in made if mark not in states]
    forgotten = [mark for mark, told in load.told.items() if any(each.state for each in told) and mark not in states]
    return [*unapplied, *unlisted, *forgotten]


def _is_wrong(told: list[Told], state: str | None, made: list[str]) -> bool:
    """Whether a receipt or anything that was told is not what the vendors have."""
    refused = state == "FAILED" and bool(made)
    mistaken = any(each.record_id is not None and each.record_id not in made for each in told)
    turned = any(each.state == "SUCCEEDED" and state != "SUCCEEDED" for each in told)
    return refused or mistaken or turned


async def _at_rest(life: Life) -> dict[str, str]:
    """The states of all writes, once those with a key are settled and nothing is under way."""
    loop = asyncio.get_running_loop()
    end = loop.time() + _PATIENCE
    await asyncio.sleep(8.0)  # until what the last kill left in doubt has been looked at: nothing tells from outside
    states = await life.partner.receipts()
    while set(states.values()) & {"PENDING", "SENDING"} and loop.time() < end:
        await asyncio.sleep(1.0)
        states = await life.partner.receipts()
    return states
