"""Circuit breakers: a vendor's operation that fails is left alone for a while, then tried with care.

    closed ──▶ open      of the last 20 calls within 30 s half were bad, or four in five were slow
    open   ──▶ half-open after 15 s and up to a fifth more: one call may try, then three at a time
    half-open ─▶ closed  all of them were good; one that is bad opens the circuit again

A call that is still under way and already slow counts as slow: a vendor that swallows everything is noticed before the
first deadline. A refusal (4xx) is an answer, so it is good, but for 401: a key that was revoked is not to be hammered with.
A call that its caller cut short says nothing.
The numbers are those of the usual breakers (resilience4j, Polly), with a smaller window.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from itertools import count

Clock = Callable[[], float]
"""Seconds from any beginning, never going back."""

WINDOW = 20
WINDOW_SECONDS = 30.0
MOST_BAD = 0.5
MOST_SLOW = 0.8
FEWEST = min(MOST_BAD, MOST_SLOW) * WINDOW
"""With fewer calls that were not good no circuit opens."""

OPEN_SECONDS = 15.0
SPREAD = 0.2
"""How much longer than that a circuit may stay open, as a share: many gateways must not try at the same moment."""

TRIALS = (1, 3)
"""How many calls a circuit that was open lets through, stage by stage."""

_SOON = 1.0


class Outcome(Enum):
    """What a call says of the vendor."""

    GOOD = "good"
    SLOW = "slow"
    BAD = "bad"


class CircuitOpen(Exception):
    """The call was not made. `seconds`: when the next one may be tried."""

    def __init__(self, seconds: float) -> None:
        super().__init__("the circuit is open")
        self.seconds = seconds


@dataclass
class Breaker:
    """The circuit of one operation. `slow` is how long a good call may take, in seconds."""

    slow: float
    clock: Clock = time.monotonic
    spread: Callable[[], float] = random.random
    _calls: deque[tuple[float, Outcome]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _not_good: int = 0
    """How many of these were slow or bad."""
    _under_way: dict[int, float] = field(default_factory=dict)
    """When the calls under way began, by their tickets, the oldest first. What was let through before the circuit changed is
    none of them: it says nothing of it now.
    """
    _tickets: Iterator[int] = field(default_factory=count)
    _until: float | None = None
    _stage: int = 0
    _passed: int = 0

    def wait(self) -> float:
        """Seconds until a call may be made; 0 if now."""
        now = self.clock()
        self._open_if_slow(now)
        return 0.0 if self._until is None else self._wait(self._until - now)

    @property
    def is_open(self) -> bool:
        """Whether no call is let through until some time has passed."""
        now = self.clock()
        self._open_if_slow(now)
        return self._until is not None and self._until > now

    @property
    def state(self) -> str:
        """As it is drawn above."""
        if self.is_open:
            return "open"
        return "closed" if self._until is None else "half-open"

    def begin(self) -> int:
        """Lets a call through now, and returns its ticket. Raises CircuitOpen."""
        now = self.clock()
        if self._until is not None or (self._not_good + len(self._under_way) >= FEWEST and self._is_late(now)):
            self._open_if_slow(now)
            if self._until is not None and (seconds := self._wait(self._until - now)):
                raise CircuitOpen(seconds)
        ticket = next(self._tickets)
        self._under_way[ticket] = now
        return ticket

    def end(self, ticket: int, *, is_good: bool | None) -> None:
        """Notes how a call went; None says nothing of the vendor."""
        started = self._under_way.pop(ticket, None)
        if started is None:
            return
        now = self.clock()
        if is_good is False:
            self._note(Outcome.BAD, now)
        elif now - started >= self.slow:
            self._note(Outcome.SLOW, now)
        elif is_good:
            self._note(Outcome.GOOD, now)

    def blame(self) -> None:
        """Notes that an answer turned out to be bad after all."""
        self._note(Outcome.BAD, self.clock())

    def _wait(self, left: float) -> float:
        """The same, of a circuit that was opened, and lets nobody through for the seconds that are left."""
        if left > 0:
            return left
        return 0.0 if len(self._under_way) + self._passed < TRIALS[self._stage] else _SOON

    def _note(self, outcome: Outcome, now: float) -> None:
        if self._until is not None:
            self._go_on(outcome)
            return
        if self._not_good and len(self._calls) == WINDOW:
            self._not_good -= self._calls[0][1] is not Outcome.GOOD
        self._calls.append((now, outcome))
        self._not_good += outcome is not Outcome.GOOD
        if self._not_good and self._is_in_trouble(now):
            self._open()

    def _go_on(self, outcome: Outcome) -> None:
        """What a trial of a circuit that was open comes to."""
        if outcome is not Outcome.GOOD:
            self._open()
            return
        self._passed += 1
        if self._passed < TRIALS[self._stage]:
            return
        self._stage, self._passed = self._stage + 1, 0
        if self._stage == len(TRIALS):
            self._close()

    def _open(self) -> None:
        self._until = self.clock() + OPEN_SECONDS * (1 + SPREAD * self.spread())
        self._begin()

    def _close(self) -> None:
        self._until = None
        self._begin()

    def _begin(self) -> None:
        self._stage = self._passed = 0
        self._under_way.clear()
        self._calls.clear()
        self._not_good = 0

    def _open_if_slow(self, now: float) -> None:
        """By the mere passing of time only what is under way can have turned slow."""
        if self._until is None and self._is_late(now) and self._is_in_trouble(now):
            self._open()

    def _is_in_trouble(self, now: float) -> bool:
        """Every call asks, and nearly always all is well: then the calls need not be looked through."""
        not_good = self._not_good + (len(self._under_way) if self._is_late(now) else 0)
        return not_good >= FEWEST and _is_too_much(self._recent(now))

    def _is_late(self, now: float) -> bool:
        return bool(self._under_way) and now - next(iter(self._under_way.values())) >= self.slow

    def _recent(self, now: float) -> list[Outcome]:
        """The last calls, those first that are under way and slow already."""
        slow = [Outcome.SLOW for started in self._under_way.values() if now - started >= self.slow]
        since = now - WINDOW_SECONDS
        ended = [outcome for at, outcome in reversed(self._calls) if at >= since]
        return (slow + ended)[:WINDOW]


class Breakers(dict[str, Breaker]):
    """The circuits of one vendor in one environment, by operation; each is made when it is asked for."""

    def __init__(self, slow: float, clock: Clock = time.monotonic) -> None:
        super().__init__()
        self._slow = slow
        self._clock = clock

    def __missing__(self, operation: str) -> Breaker:
        made = self[operation] = Breaker(self._slow, self._clock)
        return made

    def states(self) -> dict[str, str]:
        """By operation."""
        return {operation: each.state for operation, each in self.items()}

    @property
    def are_closed(self) -> bool:
        """Whether calls of every operation are let through."""
        return not any(each.is_open for each in self.values())


def _is_too_much(recent: list[Outcome]) -> bool:
    if len(recent) < WINDOW:
        return False
    bad, slow = recent.count(Outcome.BAD), recent.count(Outcome.SLOW)
    return bad >= MOST_BAD * WINDOW or bad + slow >= MOST_SLOW * WINDOW
