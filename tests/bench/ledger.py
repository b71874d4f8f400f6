"""What the ledger's durability costs: createContact from many clients, through one gateway process, to a vendor that answers
at once. `make bench`, or `python -m tests.bench.ledger --help`.

Rounds over a database on disk are interleaved with rounds over one in /dev/shm. That is the nearest thing to a store in
memory: same code, same SQLite, same WAL and `synchronous=FULL`, only that a flush costs nothing there. (SQLite's `:memory:` is
another database for every connection, and `synchronous=OFF` still writes to the disk behind one's back.) The database in memory
is therefore what everything but the disk costs, and the ratio what is left of it on this disk.
"""

from __future__ import annotations

import argparse
import asyncio
import pstats
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.load import Figures, measure
from tests.bench.served import GATEWAY, ROOT, create_key, environ_of, started

MEMORY = Path("/dev/shm")  # noqa: S108  # what lies there is no secret, and is removed
PROFILED = "profile"
Four = tuple[float, float, float, float]
"""Mutations per second, p50, p99 and CPU of each in milliseconds."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round, after a warm-up")
    parser.add_argument("--warm-up", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--disk", type=Path, default=Path(tempfile.gettempdir()), help="a folder on the disk to measure"
    )
    parser.add_argument("--profile", action="store_true", help="one more round on disk under cProfile: what costs most")
    options = parser.parse_args()
    if not MEMORY.is_dir():
        sys.exit(f"There is no {MEMORY} here: the rounds in memory need a file system in memory.")
    asyncio.run(_main(options))


async def _main(options: argparse.Namespace) -> None:
    where = {"disk": options.disk, "memory": MEMORY}
    rounds: dict[str, list[Figures]] = {name: [] for name in where}
    for number in range(options.rounds):
        for name in list(where) if number % 2 == 0 else reversed(where):
            figures = await _round(where[name], options)
            rounds[name].append(figures)
            _say(f"round {number + 1} {name:8}{_line(_of(figures))}")
    _summarise(rounds)
    if options.profile:
        await _round(options.disk, options, profile=True)


def _summarise(rounds: Mapping[str, list[Figures]]) -> None:
    _say("")
    medians = {name: _medians(each) for name, each in rounds.items()}
    for name, figures in medians.items():
        _say(f"median  {name:8}{_line(figures)}")
    disk, memory = medians["disk"], medians["memory"]
    _say(f"ratio of throughput {disk[0] / memory[0]:.2f}")
    _say(f"the disk adds       {disk[1] - memory[1]:+.1f} ms to p50, {disk[2] - memory[2]:+.1f} ms to p99")


def _medians(rounds: list[Figures]) -> Four:
    per_second, p50, p99, cpu = zip(*map(_of, rounds), strict=True)
    return median(per_second), median(p50), median(p99), median(cpu)


def _of(figures: Figures) -> Four:
    return figures.per_second, figures.p50, figures.p99, figures.cpu


def _line(figures: Four) -> str:
    per_second, p50, p99, cpu = figures
    return f"{per_second:8.1f} mutations/s   p50 {p50:7.1f} ms   p99 {p99:7.1f} ms   CPU {cpu:5.1f} ms each"


async def _round(folder: Path, options: argparse.Namespace, *, profile: bool = False) -> Figures:
    """A new database, gateway and vendor, and what they sustained."""
    home = Path(tempfile.mkdtemp(prefix="switchboard-bench-", dir=folder))
    try:
        async with started("-m", "tests.bench.vendor", environ={}) as (_, port):
            environ = environ_of(home, port)
            key = await create_key(environ)
            command = ("-m", "cProfile", "-o", str(home / PROFILED), *GATEWAY) if profile else GATEWAY
            async with started(*command, "serve", "--port", "0", environ=environ) as (pid, announced):
                url = announced.split()[1]
                figures = await measure(
                    url, key, pid, clients=options.clients, warm_up=options.warm_up, seconds=options.seconds
                )
        if profile:
            _say_costs(pstats.Stats(str(home / PROFILED)))
        return figures
    finally:
        shutil.rmtree(home)


def _say_costs(profile: pstats.Stats) -> None:
    """The shares of the event loop's thread, by package; what is built in counts for whoever calls it."""
    spent: Counter[str] = Counter()
    functions: dict[tuple[str, int, str], Any] = vars(profile)["stats"]
    for (file, _, name), (_, _, own, _, callers) in functions.items():
        if "epoll" in name:
            continue  # waiting
        if file != "~":
            spent[_package(file)] += own
        for (caller, _, _), (_, _, part, _) in callers.items() if file == "~" else ():
            spent[_package(caller)] += part
    whole = sum(spent.values())
    for package, seconds in spent.most_common(12):
        _say(f"{seconds / whole:6.1%}  {package}")
    profile.sort_stats("tottime").print_stats(25)


def _package(file: str) -> str:
    parts = Path(file).parts
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    return "this project" if file.startswith(str(ROOT)) else "the standard library"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a report is what it is for


if __name__ == "__main__":
    main()
