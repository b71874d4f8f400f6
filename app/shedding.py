"""Sheds load that one process can't carry, so that what it takes it finishes, and what it refuses it refuses at once.

The measure is how late the event loop is, or what waits to be stored: that holds whatever the work is, and a slow vendor
doesn't count. As in CoDel (RFC 8289) a burst is no overload: only when there was lateness through most of a second are fewer
requests let in, and more again, one by one, once all is in time and the processor has time for more (additive increase,
multiplicative decrease). A loop that is late though its process hardly runs is kept from the processor by others: then fewer
requests would help less, and more of them are still let in. The more are refused, the later they are asked to come back, for a refusal is work too.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from statistics import median

TICK = 0.05
LATE = 0.01
"""In seconds: from when on the loop is late."""

LATE_TO_STORE = 0.1
"""In seconds: from when on what is to be stored is late. A slow disk's flush takes 30 ms, and gathers what comes in meanwhile."""

INTERVAL = 1.0
AT_FIRST = 128
"""Half as many again as the vendors take at a time. What is worked on beside it makes everything dearer."""

LEAST = 32
LEAST_WHEN_STARVED = 96
MOST = 2000
"""How many requests may be worked on at a time."""

_BUSY = 0.8
"""Of one processor: what a process uses whose load is its own."""

_LESS = 0.8
_MORE = 1

_REFUSALS_PER_SECOND = 10
"""For so many more in a second everybody is asked to wait a second longer."""

_LONGEST_WAIT = 30.0
"""In seconds, before the spread."""


class LoadShedder:
    """How many requests are worked on, and how many may be. `spread` is from 0 to 1: not all may come back at once."""

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, spread: Callable[[], float] = random.random
    ) -> None:
        self.limit: float = AT_FIRST
        self.at_work = 0
        self._clock = clock
        self._spread = spread
        self._lags: deque[float] = deque(maxlen=round(INTERVAL / TICK))
        self._used: deque[float] = deque(maxlen=round(INTERVAL / TICK))
        self._refused = 0
        """Since the last tick."""
        self._refusals: deque[int] = deque(maxlen=round(INTERVAL / TICK))

    def enter(self) -> float | None:
        """Takes a request to work on; in how many seconds to come back, where there is no room."""
        if self.at_work < self.limit:
            self.at_work += 1
            return None
        refused = self._refused + sum(self._refusals)
        self._refused += 1
        wait = min(1 + refused / _REFUSALS_PER_SECOND, _LONGEST_WAIT)
        return round(wait * (1 + self._spread()), 1)

    def leave(self) -> None:
        """A request that was taken has been answered."""
        self.at_work -= 1

    def note(self, lag: float, used: float) -> None:
        """Adapts, once every tick, to how late the loop was, in seconds, and to how much of a processor was used, from 0 to 1."""
        self._lags.append(lag)
        self._used.append(used)
        is_busy = sum(self._used) >= _BUSY * len(self._used)
        if len(self._lags) == self._lags.maxlen and median(self._lags) > LATE:
            least = LEAST if is_busy else LEAST_WHEN_STARVED
            self.limit = max(least, min(self.limit, self.at_work) * _LESS)
            self._lags.clear()  # what it comes to shows when those are done who were let in before
        elif lag <= LATE and self._refused and not is_busy:
            self.limit = min(MOST, self.limit + _MORE)
        self._refusals.append(self._refused)
        self._refused = 0

    @asynccontextmanager
    async def running(self, late_to_store: Callable[[], float] = lambda: 0.0) -> AsyncIterator[None]:
        """Watches the loop, and how many seconds what is to be stored has been waiting, for as long as the block lasts."""
        task = asyncio.create_task(self._watch(late_to_store), name="load shedder")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _watch(self, late_to_store: Callable[[], float]) -> None:
        while True:
            began, used = self._clock(), time.process_time()
            await asyncio.sleep(TICK)
            passed = self._clock() - began
            lag = max(passed - TICK, late_to_store() / LATE_TO_STORE * LATE)
            self.note(lag, (time.process_time() - used) / passed)
