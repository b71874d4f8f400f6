"""Where the time of one workload goes: samples of what the gateway does under load, by function and by package."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import psutil

from tests.bench.contender import Contender, Place
from tests.bench.gateway import CLI, ROOT, SWITCHBOARD
from tests.bench.measure import Target
from tests.bench.process import Command, Failed
from tests.bench.workloads import Workload

MOST = 30
SAMPLES = "samples.json"
PATIENCE = 10.0
"""In seconds: what it may take to write the samples."""


def sampled() -> Contender:
    """The gateway, noting what its main thread does once it is told to."""

    def command(place: Place) -> Command:
        plain = SWITCHBOARD.command(place)
        words = [CLI[0], "-m", "tests.bench.sampled", str(place.home / SAMPLES), CLI[2], *plain.words[len(CLI) :]]
        return Command(words, plain.cores, plain.folder, plain.environ)

    return Contender(SWITCHBOARD.name, command, SWITCHBOARD.headers, SWITCHBOARD.prepare)


def shares(target: Target, workload: Workload, seconds: float) -> str:
    """What cost most under load. Raises Failed where no samples were left."""
    target.measure(workload, workload.clients, max(1.0, seconds / 4))
    before = _by_thread(target.process)
    target.process.send_signal(signal.SIGUSR1)
    target.measure(workload, workload.clients, seconds)
    target.process.send_signal(signal.SIGUSR1)
    spent = {thread: used - before.get(thread, 0.0) for thread, used in _by_thread(target.process).items()}
    samples = _read(target.folder / SAMPLES)
    main = spent.pop(target.process.pid)
    whole = main + sum(spent.values())
    lines = [f"{main / whole:6.1%}  of the CPU is the main thread's, {(whole - main) / whole:.1%} other threads'", ""]
    lines += ["of the main thread, by package", *_lines(_packages(samples["own"])), "", "by function"]
    lines += [*_lines(samples["own"]), "", "by function, with what it calls", *_lines(_ours(samples["within"]))]
    return "\n".join(lines)


def _by_thread(process: psutil.Process) -> dict[int, float]:
    return {each.id: each.user_time + each.system_time for each in process.threads()}


def _read(file: Path) -> Mapping[str, Mapping[str, int]]:
    end = time.perf_counter() + PATIENCE
    while not file.is_file():
        if time.perf_counter() > end:
            raise Failed("the gateway left no samples")
        time.sleep(0.05)
    found: Mapping[str, Mapping[str, int]] = json.loads(file.read_text("utf-8"))
    return found


def _lines(counts: Mapping[str, int]) -> list[str]:
    whole = sum(counts.values()) if "" not in counts else counts[""]
    dearest = Counter({name: count for name, count in counts.items() if name}).most_common(MOST)
    return [f"{count / whole:6.1%}  {_short(name)}" for name, count in dearest]


def _ours(within: Mapping[str, int]) -> Mapping[str, int]:
    """The functions of this project alone, as shares of everything."""
    ours = {name: count for name, count in within.items() if "/app/" in name or "/schema/" in name}
    return {**ours, "": max(within.values())}


def _packages(own: Mapping[str, int]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for name, count in own.items():
        counts[_package(_short(name).split("  ")[1])] += count
    return counts


def _short(name: str) -> str:
    function, _, place = name.partition("  ")
    return f"{function}  {place.removeprefix(f'{ROOT}/').rpartition('site-packages/')[2]}" if place else name


def _package(place: str) -> str:
    if Path(place).is_absolute() or place.startswith("<"):
        return "the standard library"
    parts = Path(place.partition(":")[0]).parts
    return "/".join(parts[: 2 if parts[0] in ("app", "schema") else 1])
