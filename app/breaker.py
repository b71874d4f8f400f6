"""Circuit breakers: a vendor's operation that fails is left alone for a while, then tried with care.

    closed ──▶ open      of the last 20 calls within 30 s half were bad, or four in five were slow
    open   ──▶ half-open after 15 s and up to a fifth more: one call may try, then three at a time
    half-open ─▶ closed  all of them were good; one that is bad opens the circuit again

A call that is still under way and already slow counts as slow: a vendor that swallows everything is noticed before the
first deadline. A refusal (4xx) is an answer, so it is good; a call that its caller cut short says nothing.
The numbers are those of the usual breakers (resilience4j, Polly), with a smaller window.
"""

from __future__ import annotations

import random
import time
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

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


class Trial:
    """One call that was let through."""

    __slots__ = ("epoch", "started")

    def __init__(self, started: float, epoch: int) -> None:
        self.started = started
        self.epoch = epoch


@dataclass
class Breaker:
    """The circuit of one operation. `slow` is how long a good call may take, in seconds."""

    slow: float
    clock: Clock = time.monotonic
    spread: Callable[[], float] = random.random
    _calls: deque[tuple[float, Outcome]] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _not_good: int = 0
    """How many of these were slow or bad."""
    _under_way: list[Trial] = field(default_factory=list)
    """The oldest first."""
    _until: float | None = None
    _epoch: int = 0
    """Counts how often the circuit changed: what was let through before says nothing of it now."""
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

    def begin(self) -> Trial:
        """Notes that a call is made now. Raises CircuitOpen."""
        now = self.clock()
        if self._until is not None or (self._under_way and now - self._under_way[0].started >= self.slow):
            self._open_if_slow(now)
            if self._until is not None and (seconds := self._wait(self._until - now)):
                raise CircuitOpen(seconds)
        trial = Trial(now, self._epoch)
        self._under_way.append(trial)
        return trial

    def end(self, trial: Trial, *, is_good: bool | None) -> None:
        """Notes how a call went; None says nothing of the vendor."""
        self._under_way.remove(trial)
        self._note(trial, is_good=is_good)

    def blame(self) -> None:
        """Notes that an answer turned out to be bad after all."""
        self._note(Trial(self.clock(), self._epoch), is_good=False)

    def _wait(self, left: float) -> float:
        """The same, of a circuit that was opened, and lets nobody through for the seconds that are left."""
        if left > 0:
            return left
        trying = sum(each.epoch == self._epoch for each in self._under_way)
        return 0.0 if trying + self._passed < TRIALS[self._stage] else _SOON

    def _note(self, trial: Trial, *, is_good: bool | None) -> None:
        now = self.clock()
        outcome = _outcome(is_good, is_slow=now - trial.started >= self.slow)
        if trial.epoch != self._epoch or outcome is None:
            return
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
        self._epoch += 1
        self._stage = self._passed = 0
        self._calls.clear()
        self._not_good = 0

    def _open_if_slow(self, now: float) -> None:
        """By the mere passing of time only what is under way can have turned slow."""
        if self._until is None and self._under_way and self._is_in_trouble(now):
            self._open()

    def _is_in_trouble(self, now: float) -> bool:
        """Every call asks, and nearly always all is well: then the calls need not be looked through."""
        is_late = bool(self._under_way) and self._is_slow(self._under_way[0], now)
        not_good = self._not_good + (len(self._under_way) if is_late else 0)
        return not_good >= FEWEST and _is_too_much(self._recent(now))

    def _recent(self, now: float) -> list[Outcome]:
        """The last calls, those first that are under way and slow already."""
        slow = [Outcome.SLOW for each in self._under_way if each.epoch == self._epoch and self._is_slow(each, now)]
        since = now - WINDOW_SECONDS
        ended = [outcome for at, outcome in reversed(self._calls) if at >= since]
        return (slow + ended)[:WINDOW]

    def _is_slow(self, trial: Trial, now: float) -> bool:
        return now - trial.started >= self.slow


class Breakers:
    """The circuits of one vendor in one environment, by operation."""

    def __init__(self, slow: float, clock: Clock = time.monotonic) -> None:
        self._breakers: defaultdict[str, Breaker] = defaultdict(lambda: Breaker(slow, clock))

    def __getitem__(self, operation: str) -> Breaker:
        return self._breakers[operation]

    def states(self) -> dict[str, str]:
        """By operation."""
        return {operation: each.state for operation, each in self._breakers.items()}

    @property
    def are_closed(self) -> bool:
        """Whether calls of every operation are let through."""
        return not any(each.is_open for each in self._breakers.values())


def _outcome(is_good: bool | None, *, is_slow: bool) -> Outcome | None:
    if is_good is False:
        return Outcome.BAD
    if is_slow:
        return Outcome.SLOW
    return Outcome.GOOD if is_good else None


def _is_too_much(recent: list[Outcome]) -> bool:
    if len(recent) < WINDOW:
        return False
    bad, slow = recent.count(Outcome.BAD), recent.count(Outcome.SLOW)
    return bad >= MOST_BAD * WINDOW or bad + slow >= MOST_SLOW * WINDOW
