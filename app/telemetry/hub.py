"""All telemetry of one gateway: each part of it is handed what it has to tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.telemetry.lag import watch_lag
from app.telemetry.metrics import Metrics
from app.telemetry.operations import Operation, Operations
from app.telemetry.vendors import VendorCalls

if TYPE_CHECKING:
    from app.telemetry.traces import Traces


class Telemetry:
    """`traces` is None where no collector is configured; `names` are the operations that are shown by name."""

    def __init__(self, traces: Traces | None = None, names: Collection[str] = ()) -> None:
        self.metrics = Metrics()
        self._traces = traces
        self._operations = Operations(self.metrics, traces, names)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Watches the event loop; at the end, sends the spans that are left."""
        lag = asyncio.create_task(watch_lag(self.metrics.lag), name="event loop lag")
        try:
            yield
        finally:
            lag.cancel()
            with suppress(asyncio.CancelledError):
                await lag
            if self._traces is not None:
                await asyncio.to_thread(self._traces.close)

    def operation(self, traceparent: str | None = None, *, lists_calls: bool = False) -> Operation:
        """A context manager around one operation; `lists_calls` keeps its calls to vendors."""
        return self._operations.watch(traceparent, lists_calls=lists_calls)

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

    def limit_hit(self, limit: str) -> None:
        """A limit was reached; its name comes from the code."""
        self.metrics.limits.of(limit).inc()

    def moved(self, before: str | None, after: str) -> None:
        """A write of the ledger has another state; a new one had none."""
        self.metrics.transitions.of(before or "NONE", after).inc()
