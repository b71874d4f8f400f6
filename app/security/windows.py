"""Counts what is spent in windows of time, in this process; several processes count in a store (app.security.store)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

FEW = 1_000
"""Windows that are kept without a look at which of them are over."""


@dataclass(slots=True)  # not frozen: each request makes one, and that takes thrice the time
class Standing:
    """Whether it was within the limit, and if not it was not counted; what is left, and for how many seconds."""

    is_within: bool
    left: int
    seconds: int


class Windows:
    """So many in so many seconds, for each name; a window begins with the first that is spent in it.

    Those that are over are swept out before they are as many again as those that are not.
    """

    def __init__(self, most: int, seconds: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._open: dict[str, tuple[float, int]] = {}
        self._sweep_at = FEW

    def __len__(self) -> int:
        return len(self._open)

    def spend(self, name: str, cost: int) -> Standing:
        now = self._clock()
        end, spent = self._window(name, now)
        is_within = spent + cost <= self._most
        if is_within:
            spent += cost
            self._open[name] = (end, spent)
            if len(self._open) > self._sweep_at:
                self._sweep(now)
        return Standing(is_within, self._most - spent, math.ceil(end - now))

    def stands(self, name: str) -> Standing:
        """Where one that spends one more would stand; it counts nothing."""
        now = self._clock()
        end, spent = self._window(name, now)
        return Standing(spent < self._most, self._most - spent, math.ceil(end - now))

    def _window(self, name: str, now: float) -> tuple[float, int]:
        found = self._open.get(name)
        return found if found is not None and now < found[0] else (now + self._seconds, 0)

    def _sweep(self, now: float) -> None:
        self._open = {name: window for name, window in self._open.items() if now < window[0]}
        self._sweep_at = max(FEW, 2 * len(self._open))
