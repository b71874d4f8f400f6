"""Cuts off what takes too long, as `asyncio.timeout` does, at a fraction of its cost: every call to a vendor pays for it.

Nearly nothing takes too long, so all that is under way shares one timer, which goes off at the earliest deadline there was.
"""

from __future__ import annotations

import asyncio
import math
from types import TracebackType

_RESOLUTION = 0.001
"""Of the event loop's timers, in seconds."""


class Deadlines:
    """By when the blocks that are under way must have ended, in the event loop's time."""

    def __init__(self) -> None:
        self._due: dict[Cutoff, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._goes_off = math.inf

    def add(self, cutoff: Cutoff, due: float) -> None:
        self._due[cutoff] = due
        if due < self._goes_off:
            self._set_timer(due)

    def drop(self, cutoff: Cutoff) -> None:
        self._due.pop(cutoff, None)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._goes_off = due
        self._timer = asyncio.get_running_loop().call_at(due, self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time() + _RESOLUTION
        over = [cutoff for cutoff, due in self._due.items() if due <= now]
        for cutoff in sorted(over, key=self._due.__getitem__):
            del self._due[cutoff]
            cutoff.cut()
        self._timer, self._goes_off = None, math.inf
        if self._due:
            self._set_timer(min(self._due.values()))


class Cutoff:
    """For the length of a block of one task: raises TimeoutError where it takes more than so many seconds."""

    __slots__ = ("_cancellations", "_deadlines", "_is_over", "_seconds", "_task")

    _task: asyncio.Task[object]

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._is_over = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task can be cut off")
        self._task = task
        self._cancellations = task.cancelling()
        self._deadlines.add(self, loop.time() + self._seconds)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._deadlines.drop(self)
        if self._is_over and self._task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def cut(self) -> None:
        """Ends the block now."""
        self._is_over = True
        self._task.cancel()
