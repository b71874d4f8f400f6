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
        self.loop = asyncio.get_running_loop()
        self.due: dict[Cutoff, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self.goes_off = math.inf
        """When the next look at them is."""

    def look_at(self, due: float) -> None:
        """Brings the next look forward."""
        if self._timer is not None:
            self._timer.cancel()
        self.goes_off = due
        self._timer = self.loop.call_at(due, self._look)

    def _look(self) -> None:
        now = self.loop.time() + _RESOLUTION
        over = [cutoff for cutoff, due in self.due.items() if due <= now]
        for cutoff in sorted(over, key=self.due.__getitem__):
            del self.due[cutoff]
            cutoff.cut()
        self._timer, self.goes_off = None, math.inf
        if self.due:
            self.look_at(min(self.due.values()))


class Cutoff:
    """For the length of a block of one task: raises TimeoutError where it takes more than so many seconds."""

    __slots__ = ("_cancellations", "_deadlines", "_is_over", "_seconds", "_task")

    _task: asyncio.Task[object]

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._is_over = False

    def __enter__(self) -> None:
        deadlines = self._deadlines
        task = asyncio.current_task(deadlines.loop)
        if task is None:
            raise RuntimeError("only a task can be cut off")
        self._task = task
        self._cancellations = task.cancelling()
        due = deadlines.due[self] = deadlines.loop.time() + self._seconds
        if due < deadlines.goes_off:
            deadlines.look_at(due)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._deadlines.due.pop(self, None)
        if self._is_over and self._task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def cut(self) -> None:
        """Ends the block now."""
        self._is_over = True
        self._task.cancel()
