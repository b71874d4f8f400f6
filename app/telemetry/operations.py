"""What operators see of one GraphQL operation: a count, its seconds, a line of the log, and a span where traces go out."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from app.telemetry.backlog import Measure
from app.telemetry.metrics import Metrics
from app.telemetry.series import OTHER, measuring
from app.telemetry.sights import ANONYMOUS, UNREAD, Shown

if TYPE_CHECKING:
    from app.telemetry.traces import OperationSpan, Traces

REFUSED = "refused"
MOST_CALLS = 1000
"""How many calls one answer lists."""

OPERATION: ContextVar[Operation | None] = ContextVar("operation", default=None)
"""The one that this task works for, if any."""

_log = logging.getLogger(__name__)


class _Error(Protocol):
    @property
    def path(self) -> Sequence[str | int] | None: ...


class Operations:
    """Watches operations; only `names` are shown, all other names are one."""

    def __init__(self, metrics: Metrics, traces: Traces | None, names: Collection[str]) -> None:
        self._metrics = metrics
        self._traces = traces
        self.shown: Mapping[str | None, str] = {None: ANONYMOUS, **{name: name for name in names}}
        self._measures: dict[tuple[str, str, str], Measure] = {}

    def watch(self, traceparent: str | None = None, *, lists_calls: bool = False) -> Operation:
        """A context manager around one operation; `lists_calls` keeps its calls to vendors."""
        span = self._traces.begin(traceparent) if self._traces is not None else None
        return Operation(self, span, [] if lists_calls else None)

    def end(self, operation: Operation, seconds: float) -> None:
        type_, name, outcome = operation.type, operation.name, operation.outcome
        measure = self._measures.get((type_, name, outcome)) or self._find_measure(type_, name, outcome)
        self._metrics.registry.add(measure, seconds)
        if operation.span is not None:
            operation.span.end(type_, name, outcome)
        if _log.isEnabledFor(logging.INFO):
            fields = {"type": type_, "operation": name, "outcome": outcome, "ms": round(seconds * 1000)}
            _log.info("operation", extra=fields)

    def _find_measure(self, type_: str, name: str, outcome: str) -> Measure:
        count = self._metrics.operations.of(type_, name, outcome)
        seconds = self._metrics.operation_seconds.of(type_, name)
        found = self._measures[type_, name, outcome] = measuring(count, seconds)
        return found


class Operation:
    """One operation; as long as it is told nothing else, it was refused."""

    __slots__ = ("_began", "_operations", "calls", "name", "outcome", "span", "type")

    def __init__(self, operations: Operations, span: OperationSpan | None, calls: list[Shown] | None) -> None:
        self._operations = operations
        self._began = time.perf_counter()
        self.span = span
        self.calls = calls
        self.type = UNREAD
        self.name = OTHER
        self.outcome = REFUSED

    def __enter__(self) -> Self:
        OPERATION.set(self)
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is not None and self.outcome != REFUSED:
            self.outcome = "failure" if issubclass(kind, Exception) else "cancelled"
        self._operations.end(self, time.perf_counter() - self._began)

    def asks(self, type_: str, name: str | None) -> None:
        """Tells what is asked for: query, mutation or subscription, and the name that its document gives it."""
        self.type = type_
        self.name = self._operations.shown.get(name, OTHER)

    def runs(self) -> None:
        """From here on, what goes wrong is no refusal."""
        self.outcome = "failure"

    def answers(self, data: Mapping[str, Any] | None, errors: Sequence[_Error] | None) -> None:
        """Tells how it went."""
        self.outcome = _outcome(data, errors) if errors else "success"

    def add(self, call: Shown) -> None:
        if self.calls is not None and len(self.calls) < MOST_CALLS:
            self.calls.append(call)


def trace_fields() -> Mapping[str, str]:
    """Where in the traces a log line belongs."""
    at_hand = OPERATION.get()
    return at_hand.span.ids if at_hand is not None and at_hand.span is not None else {}


def _outcome(data: Mapping[str, Any] | None, errors: Sequence[_Error]) -> str:
    if data is not None and any(value is not None for value in data.values()):
        return "partial"
    return REFUSED if data is None and all(error.path is None for error in errors) else "failure"
