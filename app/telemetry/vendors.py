"""What operators see of the calls to one vendor in one environment."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.telemetry.backlog import Measure
from app.telemetry.metrics import BREAKER_STATES, Metrics
from app.telemetry.operations import OPERATION, Operation
from app.telemetry.series import measuring
from app.telemetry.sights import CallSeen

if TYPE_CHECKING:
    from app.telemetry.traces import Traces

_log = logging.getLogger(__name__)


class VendorCalls:
    """Counts, measures, traces and logs calls. `server`: the vendor's address and port; `paths`: without IDs, by operation."""

    def __init__(
        self,
        metrics: Metrics,
        traces: Traces | None,
        vendor: str,
        environment: str,
        server: tuple[str, int],
        paths: Mapping[str, str],
    ) -> None:
        self._metrics = metrics
        self._traces = traces
        self._vendor = vendor
        self._environment = environment
        self._server = server
        self._paths = paths
        self._measures: dict[tuple[str, str], Measure] = {}
        """By operation and outcome: words of the code, and statuses."""

    def called(self, operation: str, method: str, outcome: str, seconds: float) -> None:
        """A call has ended; what is told of it is explained at CallSeen."""
        measure = self._measures.get((operation, outcome)) or self._find_measure(operation, outcome)
        self._metrics.registry.add(measure, seconds)
        asking = OPERATION.get()
        if asking is not None and asking.calls is not None:
            _show(asking, self._vendor, operation, outcome, seconds)
        if self._traces is not None:
            path = self._paths.get(operation)
            seen = CallSeen(self._vendor, self._environment, self._server, operation, method, path, outcome, seconds)
            self._traces.call(asking.span if asking is not None else None, seen)
        if _log.isEnabledFor(logging.INFO):
            fields = {"vendor": self._vendor, "environment": self._environment, "operation": operation}
            _log.info(
                "vendor call", extra={**fields, "method": method, "outcome": outcome, "ms": round(seconds * 1000)}
            )

    def shared(self) -> None:
        """A read was answered by what another one had asked."""
        self._metrics.shared.of(self._vendor, self._environment).inc()

    def limited(self, limit: str) -> None:
        """A call was not made: its circuit is open, or too many wait."""
        self._metrics.limits.of(f"vendor-{limit}").inc()

    def breaker(self, operation: str, state: str) -> None:
        """A circuit breaker is `closed`, `half-open` or `open`."""
        self._metrics.breakers.of(self._vendor, self._environment, operation).set(BREAKER_STATES[state])

    def _find_measure(self, operation: str, outcome: str) -> Measure:
        vendor, environment = self._vendor, self._environment
        calls = self._metrics.vendor_calls.of(vendor, environment, operation, _class(outcome))
        seconds = self._metrics.vendor_seconds.of(vendor, environment, operation)
        found = self._measures[operation, outcome] = measuring(calls, seconds)
        return found


def _show(asking: Operation, vendor: str, operation: str, outcome: str, seconds: float) -> None:
    milliseconds = round(seconds * 1000, 1)
    asking.add({"vendor": vendor, "operation": operation, "milliseconds": milliseconds, "outcome": outcome})


def _class(outcome: str) -> str:
    """2xx, 4xx and so on, 429 apart; or the reason in lower case."""
    if not outcome.isdigit():
        return outcome.lower()
    return outcome if outcome == "429" else f"{outcome[0]}xx"
