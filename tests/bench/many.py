"""What a list costs where there are more people than a gateway has at hand: `python -m tests.bench.many --help`.

The list of the benchmark, asked for in no order, over vendors that have so many contacts, each of whom passed through before.
Printed are its CPU, how much that is beside the first number, and the memory after it.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import psutil

from tests.bench import stub, world
from tests.bench.contender import Place
from tests.bench.gateway import SWITCHBOARD
from tests.bench.measure import Asker, Target
from tests.bench.process import free_port, running, wait_until
from tests.bench.workloads import Workload, workloads

CONTACTS = (320, 2_400, 8_000)
LOAD_CORE, GATEWAY_CORE = 0, 1
MEET = "query Meet($id: ID!) { contact(by: {id: $id}) { activities(first: 1) { nodes { id } } } }"


@dataclass(frozen=True)
class Found:
    """Milliseconds of CPU and of waiting for one list, and megabytes (PSS)."""

    contacts: int
    cpu: float
    p50: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, nargs="+", default=CONTACTS, help="whole pages of twenty")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each round; there are two")
    options = parser.parse_args()
    if (os.cpu_count() or 1) <= GATEWAY_CORE:
        sys.exit("The benchmark needs two cores: one for the load and the vendors, one for the gateway.")
    first: Found | None = None
    for contacts in options.contacts:
        with tempfile.TemporaryDirectory(prefix="switchboard-bench-") as folder:
            found = _measure(Path(folder), contacts, options.seconds)
        first = first or found
        beside = f"{found.cpu:6.1f} ms of CPU ({found.cpu / first.cpu:.1f})"
        print(f"{contacts:6,} contacts: {beside}, p50 {found.p50:.0f} ms, {found.memory:.0f} MB", flush=True)  # noqa: T201


def _measure(home: Path, contacts: int, seconds: float) -> Found:
    world.PAGES = contacts // world.PAGE
    with stub.serving(home / "vendors", LOAD_CORE, finds_one=True) as vendors:
        (home / "gateway").mkdir()
        place = Place(home / "gateway", free_port(), [GATEWAY_CORE], vendors)
        command, headers = SWITCHBOARD.command(place), SWITCHBOARD.headers(place)
        at = f"http://127.0.0.1:{place.port}"
        with (
            running(command) as process,
            httpx.Client(base_url=at, headers=headers, timeout=30, trust_env=False) as http,
        ):
            asker = Asker(http)
            wait_until(asker.is_ready, process)
            for number in world.numbers():
                asker.ask(MEET, {"id": world.contact_id(number)})
            target = Target(process, asker, vendors, home, LOAD_CORE)
            workload = _in_no_order(workloads(SWITCHBOARD.prepare(asker)))
            target.measure(workload, workload.clients, seconds)
            found = target.measure(workload, workload.clients, seconds)
            return Found(contacts, found.cpu / found.requests * 1e3, found.p50, _megabytes(process))


def _in_no_order(asked: Sequence[Workload]) -> Workload:
    """The list, its pages shuffled the same way each time."""
    [workload] = [each for each in asked if each.name == "list"]
    order = random.Random(1).sample(range(len(workload.variables)), len(workload.variables))  # noqa: S311  # no secret
    return replace(
        workload,
        variables=[workload.variables[index] for index in order],
        expected=[workload.expected[index] for index in order],
    )


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_full_info().pss) / 1e6


if __name__ == "__main__":
    main()
