"""When a read that failed is asked again: at most twice, soon, and not at once with all others."""

from __future__ import annotations

import random
from collections.abc import Callable

from app.call import Answer, CallFailed, Reason

MOST_REPEATS = 2
_FIRST_WAIT = 0.1
_WORTH_A_REPEAT = frozenset({Reason.NOT_REACHED, Reason.BROKE_OFF})
_PASSING = frozenset({408, 421, 425, 500, 502, 503, 504})


def wait_before_repeat(
    repeats: int, ended: Answer | CallFailed, asked: float | None, spread: Callable[[], float] = random.random
) -> float | None:
    """Seconds to wait, after so many repeats; None if another would end no better.

    `asked`: the wait that the vendor asks for. Without one, 429 is not asked again: nobody knows when that is welcome.
    """
    if repeats >= MOST_REPEATS or not _is_passing(ended, asked):
        return None
    return asked if asked is not None else _FIRST_WAIT * 2**repeats * (0.5 + spread())


def _is_passing(ended: Answer | CallFailed, asked: float | None) -> bool:
    if isinstance(ended, CallFailed):
        return ended.reason in _WORTH_A_REPEAT
    return ended.status in _PASSING or (ended.status == 429 and asked is not None)
