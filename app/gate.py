"""Whether a write may be sent to a vendor now: the ledger asks before it stores one that somebody waits for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.breaker import Breaker
from app.budget import RetryBudget
from app.bulkhead import Bulkhead
from app.current import current
from app.telemetry import VendorCalls
from app.verdict import Verdicts, gateway_overloaded
from schema.errors import MutationError


class Gate(Protocol):
    """The way to a vendor for one kind of write."""

    def refusal(self) -> MutationError | None:
        """Why nothing may be sent now; None if it may."""

    def may_repeat(self) -> bool:
        """Whether a write that was provably not applied may be sent again; each yes uses up some of the budget."""


@dataclass(frozen=True)
class Open:
    """A gate that is never shut."""

    def refusal(self) -> MutationError | None:
        return None

    def may_repeat(self) -> bool:
        return True


OPEN = Open()


@dataclass(slots=True)  # not frozen: each write makes one, and that takes longer
class VendorGate:
    """Shut while the gateway is overloaded, while the operation's circuit is open, and while too many calls wait.

    `timeout` is a call's, in seconds.
    """

    breaker: Breaker
    bulkhead: Bulkhead
    budget: RetryBudget
    verdicts: Verdicts
    calls: VendorCalls
    timeout: float

    def refusal(self) -> MutationError | None:
        request = current()
        if (wait := request.room.take()) is not None:
            return gateway_overloaded(wait)
        if seconds := self.breaker.wait():
            self.calls.limited("circuit")
            return self.verdicts.circuit_open(seconds)
        full = self.bulkhead.refusal(request.id, request.remaining_for_call(self.timeout))
        if full is None:
            return None
        self.calls.limited("queue")
        return self.verdicts.overloaded(full)

    def may_repeat(self) -> bool:
        return self.budget.withdraw()
