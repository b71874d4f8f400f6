"""Points at which the gateway can be made to kill itself, so that what is left behind can be looked at.

They do nothing unless SWITCHBOARD_FAILPOINT names one, and app.settings refuses that variable wherever any vendor but one on
loopback can be called: no gateway that reaches a real vendor can be made to fall over by it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

Reached = Callable[[str], None]
"""Is told the name of each point that is passed."""

POINTS = ("before_intent", "intent_committed", "sending_committed", "answer_in_hand", "terminal_committed")
"""In the order in which a write passes them: nothing is stored yet; it is stored; its first byte may leave; the vendor has
answered; what the answer means is stored.
"""


def nowhere(_: str) -> None:
    """Nothing happens at any point."""


@dataclass
class Failpoint:
    """Kills the process when a point is passed for the n-th time."""

    point: str
    passings: int = 1

    def __call__(self, point: str) -> None:
        if point != self.point:
            return
        self.passings -= 1
        if self.passings == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def read_failpoint(given: str) -> Failpoint:
    """Of `point` or `point:n`. Raises ValueError."""
    point, _, passings = given.partition(":")
    if point not in POINTS or not (passings or "1").isdecimal() or passings == "0":
        raise ValueError("no such point")
    return Failpoint(point, int(passings or "1"))
