"""What several want and one does: whoever asks first, in its own task. If it gives up, the next may do it."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class GivenUp(Exception):
    """Nothing has come of it, neither good nor bad: who worked for it was cancelled."""


class Errand(Generic[T]):
    """The outcome for which one works and others wait."""

    __slots__ = ("_outcome",)

    def __init__(self) -> None:
        self._outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    async def outcome(self) -> T:
        """For those who wait. Raises GivenUp, or what the work came to."""
        return await asyncio.shield(self._outcome)

    def succeed(self, answer: T) -> None:
        """Tells those who wait, and who may still ask."""
        self._outcome.set_result(answer)

    def fail(self, error: BaseException) -> None:
        """The same."""
        self._outcome.set_exception(error if isinstance(error, Exception) else GivenUp())
        self._outcome.exception()  # or asyncio would say that nobody looked, where nobody waits
