"""How long the request at hand may still take: one deadline, shared by all its calls."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

_DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)


def start(seconds: float) -> None:
    """Sets the deadline of the request that this task serves."""
    _DEADLINE.set(asyncio.get_running_loop().time() + seconds)


def remaining(most: float) -> float:
    """Seconds that a call may take: `most`, or less if the request has less left."""
    deadline = _DEADLINE.get()
    return most if deadline is None else max(0.0, min(most, deadline - asyncio.get_running_loop().time()))
