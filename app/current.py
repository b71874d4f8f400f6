"""What all calls of one request share: its ID, when it began, and by when it must be answered."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Current:
    """The request at hand; times are the event loop's, in seconds."""

    id: str
    began: float
    deadline: float

    def remaining(self, most: float) -> float:
        """Seconds that a call may take: `most`, or less if the request has less left."""
        return max(0.0, min(most, self.deadline - asyncio.get_running_loop().time()))


_CURRENT: ContextVar[Current | None] = ContextVar("current", default=None)


def begin(request_id: str, seconds: float) -> None:
    """Makes this task, and what it starts, belong to a request that has so many seconds."""
    now = asyncio.get_running_loop().time()
    _CURRENT.set(Current(request_id, now, now + seconds))


def current() -> Current:
    """The request at hand; outside of any, one that begins now and has no deadline."""
    return _CURRENT.get() or Current("", asyncio.get_running_loop().time(), float("inf"))
