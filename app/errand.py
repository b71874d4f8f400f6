"""What several want and one does: whoever asks first, in its own task. If it gives up, the next may do it.

The outcome is a future, with whose result the one who works for it tells the others that it is done.
"""

from __future__ import annotations

import asyncio
from typing import TypeVar

T = TypeVar("T")


class GivenUp(Exception):
    """Nothing has come of it, neither good nor bad: who worked for it was cancelled."""


async def wait_for(outcome: asyncio.Future[T]) -> T:
    """For all but the one who works. Raises GivenUp, or what the work failed with."""
    return await asyncio.shield(outcome)


def fail(outcome: asyncio.Future[T], error: BaseException) -> None:
    """Tells the others what came of it in place of a result."""
    outcome.set_exception(error if isinstance(error, Exception) else GivenUp())
    outcome.exception()  # or asyncio would say that nobody looked, where nobody waits
