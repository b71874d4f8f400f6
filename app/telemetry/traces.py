"""Traces by OpenTelemetry: a span for each operation, and one below it for each call to a vendor.

Names and attributes follow the semantic conventions for GraphQL servers and HTTP clients (opentelemetry.io/docs/specs/semconv),
but for what could hold personal data: there is no graphql.document, and no url.full, since paths hold IDs. Vendors are told
nothing of a trace. This module is imported only where traces go out: the SDK would make every start slower.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_EXPORTER_OTLP_TIMEOUT, OTEL_EXPORTER_OTLP_TRACES_TIMEOUT
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.semconv._incubating.attributes.graphql_attributes import (
    GRAPHQL_OPERATION_NAME,
    GRAPHQL_OPERATION_TYPE,
)
from opentelemetry.semconv._incubating.attributes.url_attributes import URL_TEMPLATE
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv.attributes.http_attributes import HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE
from opentelemetry.semconv.attributes.server_attributes import SERVER_ADDRESS, SERVER_PORT
from opentelemetry.semconv.schemas import Schemas
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from app.telemetry.exports import bounded_session
from app.telemetry.series import OTHER
from app.telemetry.sights import ANONYMOUS, UNREAD, CallSeen

OUTCOME = "switchboard.outcome"
VENDOR = "switchboard.vendor"
VENDOR_OPERATION = "switchboard.vendor.operation"

_SEND_SECONDS = 3.0
"""How long an export may take, and what is left when the gateway stops, unless the SDK's variables say otherwise."""

_PROVIDERS = (
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_TRACES_CREDENTIAL_PROVIDER",
    "OTEL_PYTHON_EXPORTER_OTLP_HTTP_CREDENTIAL_PROVIDER",
)
"""The SDK's variables that name a plugin with a session of its own."""

_FAILED = frozenset({"failure", "cancelled"})
_log = logging.getLogger(__name__)


def open_traces(endpoint: str, parents: str) -> Traces:
    """Traces that go in batches to an OTLP collector, by HTTP to the full URL; `parents` as in Traces."""
    seconds = _send_seconds()
    session = None if any(os.environ.get(name) for name in _PROVIDERS) else bounded_session()
    return Traces(OTLPSpanExporter(endpoint, timeout=seconds, session=session), parents, seconds)


class Traces:
    """Makes spans. `parents`: what a caller's traceparent becomes: `parent`, `link`, or nothing (`ignore`).

    `seconds`: how long what is left may take to go out at the end.
    """

    def __init__(self, exporter: SpanExporter, parents: str, seconds: float = _SEND_SECONDS) -> None:
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("switchboard", schema_url=Schemas.V1_44_0.value)
        self._parents = parents
        self._seconds = seconds

    def begin(self, traceparent: str | None) -> OperationSpan:
        """The span of an operation that begins now; `traceparent` is the caller's header (W3C Trace Context)."""
        given = _remote(traceparent) if traceparent is not None and self._parents != "ignore" else Context()
        context, links = (Context(), _links(given)) if self._parents == "link" else (given, [])
        return OperationSpan(self._tracer.start_span("GraphQL Operation", context, SpanKind.SERVER, links=links))

    def call(self, parent: OperationSpan | None, seen: CallSeen) -> None:
        """A call to a vendor that has just ended."""
        end = time.time_ns()
        span = self._tracer.start_span(
            f"{seen.method} {seen.path}" if seen.path is not None else seen.method,
            parent.context if parent is not None else Context(),
            SpanKind.CLIENT,
            _attributes(seen),
            start_time=end - round(seen.seconds * 1e9),
        )
        if _is_error(seen):
            span.set_status(Status(StatusCode.ERROR))
        span.end(end)

    def close(self) -> None:
        """Sends what is left; blocks meanwhile. What has not gone out when the time is over is lost."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(self._seconds)


class OperationSpan:
    """The span of one operation. `ids` are what a log line names it by."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self.context = set_span_in_context(span, Context())
        known = span.get_span_context()
        self.ids: Mapping[str, str] = {"trace_id": f"{known.trace_id:032x}", "span_id": f"{known.span_id:016x}"}

    def end(self, type_: str, name: str, outcome: str) -> None:
        if type_ != UNREAD:
            self._span.update_name(type_)
            self._span.set_attribute(GRAPHQL_OPERATION_TYPE, type_)
        if name not in {ANONYMOUS, OTHER}:
            self._span.set_attribute(GRAPHQL_OPERATION_NAME, name)
        self._span.set_attribute(OUTCOME, outcome)
        if outcome in _FAILED:
            self._span.set_attribute(ERROR_TYPE, outcome)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


def _send_seconds() -> float:
    given = os.environ.get(OTEL_EXPORTER_OTLP_TRACES_TIMEOUT) or os.environ.get(OTEL_EXPORTER_OTLP_TIMEOUT)
    if not given:
        return _SEND_SECONDS
    with suppress(ValueError):
        seconds = float(given)
        if 0 < seconds <= threading.TIMEOUT_MAX:
            return seconds
    _log.warning("the timeout for OTLP is not a number of seconds above 0: it is %d seconds", _SEND_SECONDS)
    return _SEND_SECONDS


def _resource() -> Resource:
    """The service's name is `switchboard`, unless the SDK's variables say otherwise."""
    resource = Resource.create()
    is_named = not str(resource.attributes[SERVICE_NAME]).startswith("unknown_service")
    return resource if is_named else resource.merge(Resource({SERVICE_NAME: "switchboard"}))


def _remote(traceparent: str) -> Context:
    """The caller's span; the tracestate beside it is left alone: it could hold anything."""
    return TraceContextTextMapPropagator().extract({"traceparent": traceparent}, Context())


def _links(given: Context) -> list[Link]:
    span = get_current_span(given).get_span_context()
    return [Link(span)] if span.is_valid else []


def _attributes(seen: CallSeen) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        HTTP_REQUEST_METHOD: seen.method,
        SERVER_ADDRESS: seen.server[0],
        SERVER_PORT: seen.server[1],
        VENDOR: seen.vendor,
        VENDOR_OPERATION: seen.operation,
    }
    if seen.path is not None:
        attributes[URL_TEMPLATE] = seen.path
    if seen.outcome.isdigit():
        attributes[HTTP_RESPONSE_STATUS_CODE] = int(seen.outcome)
    if _is_error(seen):
        attributes[ERROR_TYPE] = seen.outcome
    return attributes


def _is_error(seen: CallSeen) -> bool:
    return not seen.outcome.isdigit() or int(seen.outcome) >= 400
