"""Time of its own: an event loop that never waits, and threads that run at once, so that a run can be repeated step by step."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

START = 1_800_000_000_000
"""The moment at which every run begins, in milliseconds since 1970."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Whenever it would wait for a timer, the time has come."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self._now

    def pass_time(self, seconds: float) -> None:
        self._now += seconds

    def clock(self) -> int:
        """The same as milliseconds since 1970."""
        return START + round(self._now * 1000)

    def steps(self, number: int) -> None:
        """Lets every task that can go on do so, so many times."""
        self.run_until_complete(_yield(number))


class _Impatient(selectors.SelectSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready and timeout:
            self._loop.pass_time(timeout)
        return ready


class AtOnce(Executor):
    """Runs what it is given in the caller's thread, until its process is dead."""

    def __init__(self) -> None:
        self.is_dead = False
        self.goes_unheard = False
        """Whether the next step is done, and its caller told that it was not."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if self.is_dead:
            raise OSError("the process is dead")
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        if self.goes_unheard:
            self.goes_unheard = False
            raise OSError("the answer is lost")
        return done


async def _yield(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)
