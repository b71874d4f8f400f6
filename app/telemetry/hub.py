"""All telemetry of one gateway: each part of it is handed what it has to tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from app.telemetry.metrics import Metrics
from app.telemetry.operations import Operations
from app.telemetry.pulse import beat
from app.telemetry.vendors import VendorCalls

if TYPE_CHECKING:
    from app.telemetry.traces import Traces

LIMITS = {
    "OVERLOADED": "load",
    "PAYLOAD_TOO_LARGE": "body",
    "RATE_LIMITED": "rate",
    "REQUEST_TIMEOUT": "body-seconds",
}
"""The limits behind codes that don't name theirs."""


class Telemetry:
    """`traces` is None where no collector is configured; `names` are the operations that are shown by name."""

    def __init__(self, traces: Traces | None = None, names: Collection[str] = ()) -> None:
        self.metrics = Metrics()
        self._traces = traces
        self.operation = Operations(self.metrics, traces, names).watch
        self._looks: list[Callable[[], None]] = [self.metrics.registry.settle, self._count_tasks]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks twice a second at what only a look can tell; at the end, sends the spans that are left."""
        pulse = asyncio.create_task(beat(self.metrics.lag, self._looks), name="pulse")
        try:
            yield
        finally:
            pulse.cancel()
            with suppress(asyncio.CancelledError):
                await pulse
            self.metrics.registry.settle()
            if self._traces is not None:
                await asyncio.to_thread(self._traces.close)

    def looks(self, look: Callable[[], None]) -> None:
        """Has something told twice a second; it must be quick, and never fail."""
        self._looks.append(look)

    def vendor(
        self, vendor: str, environment: str, base_url: str, paths: Mapping[str, str] = MappingProxyType({})
    ) -> VendorCalls:
        """For the calls to one vendor in one environment; `paths` as in VendorCalls."""
        parts = urlsplit(base_url)
        server = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
        return VendorCalls(self.metrics, self._traces, vendor, environment, server, paths)

    def refused(self, status: int) -> None:
        """A request was answered with an HTTP status above 399."""
        self.metrics.refused.of(str(status)).inc()

    def turned_away(self, code: str, facts: Mapping[str, Any]) -> None:
        """A request was refused with this code, and these facts beside it; counts if a limit was reached."""
        named = facts.get("limit")
        limit = named if isinstance(named, str) else LIMITS.get(code)
        if limit is not None:
            self.metrics.limits.of(limit).inc()

    def moved(self, before: str | None, after: str, count: int) -> None:
        """So many writes of the ledger have another state; new ones had none before."""
        self.metrics.transitions.of(before or "NONE", after).inc(count)

    def _count_tasks(self) -> None:
        self.metrics.tasks.set(len(asyncio.all_tasks()))
