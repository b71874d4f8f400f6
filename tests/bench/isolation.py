"""What one bad vendor does to the others, and what many bad ones are sent: `python -m tests.bench.isolation --help`.

Rounds of the same writes at the same pace, to all vendors: all is well; then one vendor takes every connection and never answers;
then all is well again; at last every vendor answers 500. Printed are the p99 of the writes to the other vendors while one is
silent beside that of the rounds before and after, how many writes the silent one was sent before and after its circuit
opened, and sends beside first attempts where all fail. The gateway has a core of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

from app.budget import SHARE
from schema.vendor import Environment
from tests.faults.lean import LeanPartner
from tests.faults.partner import FaultyVendor, Partner, faulty_vendor, gateway

SILENT = "syncContactMethods"
OTHERS = ("createPersonLog", "createContact", "logActivity")
LOAD_CORE, GATEWAY_CORE = 0, 1
RECOVERY = 20.0
"""In seconds: until the silent vendor's circuit is closed again."""


@dataclass
class Round:
    """Milliseconds of the writes to the others, how often each code was told, and when the first circuit was found open."""

    seconds: float
    times: list[float] = field(default_factory=list)
    codes: Counter[str | None] = field(default_factory=Counter)
    sent_at_opening: int | None = None

    @property
    def p99(self) -> float:
        return quantiles(self.times, n=100)[98]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each round")
    parser.add_argument("--pace", type=float, default=10.0, help="writes a second to each vendor")
    options = parser.parse_args()
    if (os.cpu_count() or 1) <= GATEWAY_CORE:
        sys.exit("The benchmark needs two cores: one for the load and the vendors, one for the gateway.")
    with tempfile.TemporaryDirectory(prefix="switchboard-bench-") as folder:
        asyncio.run(_main(Path(folder), options.seconds, options.pace))


async def _main(folder: Path, seconds: float, pace: float) -> None:
    as_by_default = {"SWITCHBOARD_VENDOR_TIMEOUT": "10"}
    os.sched_setaffinity(0, {LOAD_CORE})
    async with faulty_vendor(folder / "vendor") as vendor:
        os.sched_setaffinity(0, {GATEWAY_CORE})
        async with gateway(vendor, folder / "gateway", {}, **as_by_default) as partners:
            os.sched_setaffinity(0, {LOAD_CORE})
            usual = partners[Environment.TEST]
            await _measure(LeanPartner(usual.process, usual.http, usual.key), vendor, seconds, pace)


async def _measure(partner: Partner, vendor: FaultyVendor, seconds: float, pace: float) -> None:
    await _round("healthy", "healthy", partner, vendor, seconds / 4, pace)  # to warm up
    well = await _round("healthy", "healthy", partner, vendor, seconds / 2, pace)
    bad = await _round("silence", "healthy", partner, vendor, seconds, pace)
    sent = _sends((await vendor.truth()).sends, "silence")
    await _round("healthy", "healthy", partner, vendor, RECOVERY, pace)
    again = await _round("healthy", "healthy", partner, vendor, seconds / 2, pace)
    well.times += again.times
    failing = await _round("500", "500", partner, vendor, seconds, pace)
    sends = _sends((await vendor.truth()).sends, "500")
    first = sum(failing.codes.values())
    opening = bad.sent_at_opening
    _say(
        f"others    p99 {well.p99:6.1f} ms while all is well, {bad.p99:6.1f} ms while one is silent ({bad.p99 / well.p99 - 1:+.0%})"
    )
    when = (
        f"{opening} until its circuit was open, {sent - opening} after that"
        if opening is not None
        else "it never opened"
    )
    _say(f"silent    {sent} sends in {seconds:.0f} s: {when}; told: {dict(bad.codes)}")
    allowed = (1 + SHARE) * first + failing.seconds
    _say(
        f"failing   {sends} sends for {first} writes ({sends / first:.2f} each; at most {allowed:.0f}); told: {dict(failing.codes)}"
    )


async def _round(
    silent: str, others: str, partner: Partner, vendor: FaultyVendor, seconds: float, pace: float
) -> Round:
    figures = Round(seconds)
    mark = f"{time.monotonic_ns():x}"
    writers = [_writer(each, others, mark, partner, vendor, figures, pace) for each in OTHERS]
    tasks = [asyncio.create_task(each) for each in writers]
    tasks.append(asyncio.create_task(_writer(SILENT, silent, mark, partner, vendor, figures, pace)))
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return figures


async def _writer(
    operation: str, fault: str, mark: str, partner: Partner, vendor: FaultyVendor, figures: Round, pace: float
) -> None:
    """One write after the other begins, at this pace, whatever becomes of them."""

    async def write(number: int) -> None:
        told = await partner.write(operation, f"{fault}-at-{operation.lower()}{mark}x{number}")
        figures.codes[told.code] += fault != "healthy"
        if operation != SILENT:
            figures.times.append(told.seconds * 1000)
        if told.code == "CIRCUIT_OPEN" and figures.sent_at_opening is None:
            figures.sent_at_opening = _sends((await vendor.truth()).sends, fault)

    async with asyncio.TaskGroup() as under_way:
        number = 0
        while True:
            under_way.create_task(write(number))
            number += 1
            await asyncio.sleep(1 / pace)


def _sends(sends: Mapping[str, int], fault: str) -> int:
    return sum(count for mark, count in sends.items() if mark.startswith(f"{fault}-at-"))


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a report is what it is for


if __name__ == "__main__":
    main()
