"""Bounds how many calls to one vendor are under way, fairly: one large request does not starve a small one.

Nobody waits in vain: a call whose turn would come too late for it is told so at once, and comes back when it is told to.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

MOST_WAITING = 50
"""For each place: how many calls may wait, however fast the vendor is."""

_SMOOTHING = 0.1


class BulkheadFull(Exception):
    """The call can't have its turn in time. `seconds`: when it is worth to try again."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the bulkhead is full")
        self.seconds = seconds


class Bulkhead:
    """At most `limit` at a time. Who waits is let in turn by turn: one call of each requester, then the next of each."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._clock = clock
        self._inside = 0
        self._entered = 0.0
        """The sum of the moments at which those inside entered."""
        self._given = 0
        """Places that were given to calls that have not woken up yet."""
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()
        self._number_waiting = 0
        self._typical: float | None = None
        """How long a place is held, in seconds, smoothed; None as long as nobody has left."""

    def enter(self) -> float | None:
        """Takes a free place, and returns the moment, with which it is given back; None if there is none."""
        if self._inside + self._given >= self._limit:
            return None
        now = self._clock()
        self._inside += 1
        self._entered += now
        return now

    async def turn(self, requester: Hashable, patience: float) -> float:
        """The same, when it is this requester's turn. Raises BulkheadFull where so many seconds would not be enough."""
        if (seconds := self.refusal(requester, patience)) is not None:
            raise BulkheadFull(seconds)
        while (entered := self.enter()) is None:
            turn = self._line_up(requester)
            try:
                await turn
            except asyncio.CancelledError:
                self._give_up(requester, turn)
                raise
            self._given -= 1
        return entered

    def leave(self, entered: float) -> None:
        """Gives a place back, which was taken at that moment."""
        self._inside -= 1
        self._entered = self._entered - entered if self._inside else 0.0  # so that errors of rounding don't add up
        held = self._clock() - entered
        before = held if self._typical is None else self._typical
        self._typical = before + (held - before) * _SMOOTHING
        if self._waiting:
            self._let_in()

    def refusal(self, requester: Hashable, patience: float) -> float | None:
        """In how many seconds to try again; None if a call of this requester would have its turn, and its answer, in time."""
        if not self._is_full():
            return None
        held = self._held()
        wait = (self._ahead_of(requester) + 1) / self._limit * held
        if wait + held <= patience and self._number_waiting < MOST_WAITING * self._limit:
            return None
        return round(min(max(1.0, wait), 60.0), 3)

    def _is_full(self) -> bool:
        """Whether a call would have to wait for its turn."""
        return self._inside + self._given >= self._limit

    def _ahead_of(self, requester: Hashable) -> int:
        """How many are let in before it. Turn by turn: a long queue of one other is no longer than its own."""
        turns = len(self._waiting.get(requester, ())) + 1
        return min(self._number_waiting, turns * len(self._waiting))

    def _held(self) -> float:
        """How long a place is held: as of late, or longer where those inside have been there longer already."""
        age = self._clock() - self._entered / self._inside if self._inside else 0.0
        return max(self._typical or 0.0, age)

    def _line_up(self, requester: Hashable) -> asyncio.Future[None]:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(requester, deque()).append(turn)
        self._number_waiting += 1
        return turn

    def _give_up(self, requester: Hashable, turn: asyncio.Future[None]) -> None:
        if not turn.cancelled():  # the place was given at the moment of giving up
            self._given -= 1
            self._let_in()
            return
        turns = self._waiting.get(requester, deque())
        if turn not in turns:
            return  # passed over already
        turns.remove(turn)
        self._number_waiting -= 1
        if not turns:
            del self._waiting[requester]

    def _let_in(self) -> None:
        """Gives a free place to the first call of the requester who has waited longest for a turn."""
        while self._waiting:
            requester, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            self._number_waiting -= 1
            if turns:
                self._waiting[requester] = turns
            if not turn.done():
                turn.set_result(None)
                self._given += 1
                return
