"""A budget of repeats: what is sent again is at most a tenth of what is sent, and one a second.

Without it a vendor in trouble would get three times the load at the worst moment (Finagle's RetryBudget,
https://finagle.github.io/blog/2016/02/08/retry-budgets/; Google SRE, "Handling Overload").
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

SHARE = 0.1
"""Of what is sent, how much may be sent again."""

PER_SECOND = 1.0
AT_FIRST = 3.0
MOST = 10.0
"""How many repeats may be saved up."""


@dataclass
class RetryBudget:
    """What may still be repeated at one vendor."""

    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._balance = AT_FIRST
        self._at = self.clock()

    def sent(self) -> None:
        """Notes one send, of whatever kind."""
        self._balance += SHARE  # what is too much of it goes when it is next looked at

    def withdraw(self) -> bool:
        """Whether something may be sent again; each repeat pays also for the share that its own send will bring."""
        now = self.clock()
        self._balance = min(MOST, self._balance + (now - self._at) * PER_SECOND)
        self._at = now
        if self._balance < 1 - 1e-9:
            return False
        self._balance -= 1 + SHARE
        return True
