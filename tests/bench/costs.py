"""Where the time of one workload goes: the gateway under cProfile, by function and by package. Only shares mean anything there."""

from __future__ import annotations

import pstats
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from tests.bench.contender import Contender, Place
from tests.bench.gateway import CLI, ROOT, SWITCHBOARD
from tests.bench.process import Command, Failed

MOST = 30
DUMP = "profile"


def profiled() -> Contender:
    """The gateway, noting what its main thread does."""

    def command(place: Place) -> Command:
        plain = SWITCHBOARD.command(place)
        words = [CLI[0], "-m", "cProfile", "-o", str(place.home / DUMP), *CLI[1:], *plain.words[len(CLI) :]]
        return Command(words, plain.cores, plain.folder, plain.environ)

    return Contender(SWITCHBOARD.name, command, SWITCHBOARD.headers, SWITCHBOARD.prepare)


def shares(process: psutil.Process, home: Path) -> str:
    """Ends the process, and says what cost most. Raises Failed where it left no profile."""
    process.send_signal(signal.SIGINT)
    psutil.wait_procs([process], timeout=30)
    if not (home / DUMP).is_file():
        raise Failed("the gateway left no profile")
    functions: dict[tuple[str, int, str], Any] = vars(pstats.Stats(str(home / DUMP)))["stats"]
    own = {
        place: found[2] for place, found in functions.items() if "poll" not in place[2] and place[2] != "run_forever"
    }
    whole = sum(own.values())
    packages: Counter[str] = Counter()
    for (file, _, _), seconds in own.items():
        packages[_package(file)] += seconds
    lines = [f"{seconds / whole:6.1%}  {name}" for name, seconds in packages.most_common(12)]
    dearest = sorted(own.items(), key=lambda item: -item[1])[:MOST]
    return "\n".join([*lines, "", *(f"{seconds / whole:6.1%}  {_name(*place)}" for place, seconds in dearest)])


def _name(file: str, line: int, function: str) -> str:
    return function if file == "~" else f"{function}  {_short(file)}:{line}"


def _short(file: str) -> str:
    return file.removeprefix(f"{ROOT}/").rpartition("site-packages/")[2]


def _package(file: str) -> str:
    if file == "~":
        return "built in"
    short = _short(file)
    if not Path(short).is_absolute():
        return "/".join(Path(short).parts[: 2 if short.startswith(("app/", "schema/")) else 1])
    return "the standard library"
