"""Every metric of the gateway, in a registry of its own."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from app.telemetry.backlog import Backlog
from app.telemetry.series import Durations, Series

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""The upper bounds of the buckets of all that takes time."""

BREAKER_STATES = {"closed": 0, "half-open": 1, "open": 2}


class Metrics:
    """What is counted and measured. Label values come from lists in the code: never from what callers or vendors send."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # they would double the series
        self.registry = registry = Backlog()
        self.operations = Series(
            Counter(
                "graphql_operations_total",
                "GraphQL operations that were answered.",
                ("type", "operation", "outcome"),
                registry=registry,
            )
        )
        self.operation_seconds = Series(
            Durations(
                "graphql_operation_seconds",
                "How long a GraphQL operation took, from its document to its answer.",
                ("type", "operation"),
                buckets=SECONDS,
                registry=registry,
            )
        )
        self.refused = Series(
            Counter(
                "http_requests_refused_total", "Answers with an HTTP status above 399.", ("code",), registry=registry
            )
        )
        self.limits = Series(
            Counter("limits_hit_total", "How often a limit was reached.", ("limit",), registry=registry), most=50
        )
        self.vendor_calls = Series(
            Counter(
                "vendor_calls_total",
                "Calls to vendors, by the class of their status or the reason that there is none.",
                ("vendor", "environment", "operation", "outcome"),
                registry=registry,
            )
        )
        self.vendor_seconds = Series(
            Durations(
                "vendor_call_seconds",
                "How long a call to a vendor took, waiting for its turn included.",
                ("vendor", "environment", "operation"),
                buckets=SECONDS,
                registry=registry,
            )
        )
        self.shared = Series(
            Counter(
                "vendor_reads_shared_total",
                "Reads that were answered by the call of another one.",
                ("vendor", "environment"),
                registry=registry,
            )
        )
        self.breakers = Series(
            Gauge(
                "vendor_breaker_state",
                "Circuit breakers: 0 closed, 1 half-open, 2 open.",
                ("vendor", "environment", "operation"),
                registry=registry,
                multiprocess_mode="livemax",
            )
        )
        self.transitions = Series(
            Counter(
                "ledger_transitions_total",
                "Changes of a write's state; a new write comes from none.",
                ("from", "to"),
                registry=registry,
            )
        )
        self.lag = Histogram(
            "event_loop_lag_seconds",
            "How much later than asked for the event loop woke a task.",
            buckets=SECONDS,
            registry=registry,
        )
        self.tasks = Gauge(
            "event_loop_tasks",
            "Tasks of the event loop that have not ended.",
            registry=registry,
            multiprocess_mode="livesum",
        )
