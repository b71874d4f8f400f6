"""What all calls of one request share: its ID, when it began, and by when it must be answered."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

RESERVE = 0.25
"""In seconds: what is left of a request's time after its last call, to note and to tell what came of it."""


class Shedder(Protocol):
    """Who says how much may be worked on at a time (app.shedding)."""

    def enter(self) -> float | None: ...
    def leave(self) -> None: ...


@dataclass(slots=True)
class Room:
    """The place of one request among those that are worked on: it is asked for once, when there is work to do."""

    shedder: Shedder | None = None
    wait: float | None = None
    """In how many seconds to come back, where there was no room."""
    is_taken: bool = False

    def take(self) -> float | None:
        """None if there is room, else the wait."""
        if self.shedder is None or self.is_taken or self.wait is not None:
            return self.wait
        self.wait = self.shedder.enter()
        self.is_taken = self.wait is None
        return self.wait

    def give_back(self) -> None:
        if self.shedder is not None and self.is_taken:
            self.is_taken = False
            self.shedder.leave()


class Current:
    """The request at hand, which has so many seconds; times are the event loop's, in seconds."""

    __slots__ = ("_ends", "_tasks", "began", "calls_end", "deadline", "id", "loop", "room")

    def __init__(self, request_id: str, seconds: float, shedder: Shedder | None = None) -> None:
        self.id = request_id
        self.loop = asyncio.get_running_loop()
        self.began = self.loop.time()
        self.deadline = self.began + seconds
        self.calls_end = self.deadline - min(RESERVE, seconds / 4)
        """By when its calls must have ended, so that there is time to answer it."""
        self.room = Room(shedder)
        self._tasks: list[asyncio.Task[Any]] = []
        self._ends: Callable[[], None] | None = None

    def owns(self, task: asyncio.Task[Any] | None) -> None:
        """Makes a task end with the request: it works for nobody else."""
        if task is not None:
            self._tasks.append(task)

    def ends_with(self, last: Callable[[], None]) -> None:
        """Has this called when nothing works for the request any more."""
        self._ends = last

    async def end(self) -> None:
        """Ends what still works for the request when it has been answered."""
        self.room.give_back()
        if self._tasks:
            await self._end_tasks()
        if self._ends is not None:
            self._ends()

    async def _end_tasks(self) -> None:
        left = [task for task in self._tasks if not task.done()]
        self._tasks.clear()
        for task in left:
            task.cancel()
        if left:
            await asyncio.gather(*left, return_exceptions=True)

    def remaining(self, most: float) -> float:
        """Seconds that a call may take: `most`, or less if the request has less left."""
        return max(0.0, min(most, self.deadline - self.loop.time()))

    def remaining_for_call(self, most: float) -> float:
        """The same, less what it takes to answer the request after its last call."""
        left = self.calls_end - self.loop.time()
        if left <= 0:
            return 0.0
        return left if left < most else most

    def remaining_for_repeat(self, most: float) -> float:
        """Seconds that may pass before a call is made again, so that it still has the time to end."""
        return self.remaining_for_call(most) - RESERVE


_CURRENT: ContextVar[Current | None] = ContextVar("current", default=None)


def begin(request_id: str, seconds: float, shedder: Shedder | None = None) -> Current:
    """Makes this task, and what it starts, belong to a request that has so many seconds. `shedder` may refuse its work."""
    request = Current(request_id, seconds, shedder)
    _CURRENT.set(request)
    return request


def current() -> Current:
    """The request at hand; outside of any, one that begins now and has no deadline."""
    return _CURRENT.get() or Current("", math.inf)
