"""Cuts off what takes too long, as `asyncio.timeout` does, without its two coroutines: every call to a vendor pays for it."""

from __future__ import annotations

import asyncio
from types import TracebackType


class Cutoff:
    """For the length of a block of one task: raises TimeoutError where it takes more than so many seconds."""

    __slots__ = ("_cancellations", "_is_over", "_seconds", "_task", "_timer")

    _task: asyncio.Task[object]
    _timer: asyncio.TimerHandle

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False

    def __enter__(self) -> None:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("only a task can be cut off")
        self._task = task
        self._cancellations = task.cancelling()
        self._timer = loop.call_later(self._seconds, self._cut)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._timer.cancel()
        if self._is_over and self._task.uncancel() <= self._cancellations and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _cut(self) -> None:
        self._is_over = True
        self._task.cancel()
