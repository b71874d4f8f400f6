"""Runs a module as `python -m` would, and notes a thousand times per second of CPU what its main thread is doing.

    python -m tests.bench.sampled FILE MODULE ARGUMENTS…      SIGUSR1 begins and ends it; FILE is written when it ends

What C does counts for the function that is called next: what the event loop spends on sockets for whoever gets the data.
cProfile can't be used here: it takes a switch of greenlets, of which SQLAlchemy makes many, for the end of a call.
"""

from __future__ import annotations

import json
import runpy
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType

INTERVAL = 0.001
"""In seconds of the process's CPU."""


class Sampler:
    """Notes where the main thread is, in microseconds of its own CPU since the sample before, for the timer counts that of
    other threads too: `own` the innermost function, `within` all that it is called by.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._own: Counter[str] = Counter()
        self._within: Counter[str] = Counter()
        self._is_running = False
        self._last = 0

    def toggle(self, _number: int, _frame: FrameType | None) -> None:
        self._is_running = not self._is_running
        self._last = time.thread_time_ns()
        seconds = INTERVAL if self._is_running else 0.0
        signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
        if not self._is_running:
            self._write()

    def take(self, _number: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        now = time.thread_time_ns()
        spent, self._last = (now - self._last) // 1000, now
        self._own[_place(frame)] += spent
        seen: set[str] = set()
        inner: FrameType | None = frame
        while inner is not None:
            seen.add(_place(inner))
            inner = inner.f_back
        self._within.update(dict.fromkeys(seen, spent))

    def _write(self) -> None:
        """All at once, so that whoever waits for the file finds it whole."""
        part = self._file.with_suffix(".part")
        part.write_text(json.dumps({"own": self._own, "within": self._within}), "utf-8")
        part.rename(self._file)


def _place(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname}  {frame.f_code.co_filename}:{frame.f_code.co_firstlineno}"


if __name__ == "__main__":
    file, module, *arguments = sys.argv[1:]
    sampler = Sampler(Path(file))
    signal.signal(signal.SIGPROF, sampler.take)
    signal.signal(signal.SIGUSR1, sampler.toggle)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
