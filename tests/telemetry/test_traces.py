"""Spans: their names, attributes and parents by the semantic conventions, and nothing that a caller sent."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from time import monotonic

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from app.telemetry import Telemetry
from app.telemetry.traces import Traces, open_traces

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


def _traced(
    act: Callable[[Telemetry], None], parents: str = "parent", traceparent: str | None = None
) -> list[ReadableSpan]:
    """The spans of one operation, the operation's own at the end."""
    exporter = InMemorySpanExporter()
    traces = Traces(exporter, parents)
    telemetry = Telemetry(traces, {"contacts"})
    with telemetry.operation(traceparent) as watched:
        watched.asks("query", "contacts")
        watched.runs()
        act(telemetry)
        watched.answers({}, None)
    traces.close()
    return list(exporter.get_finished_spans())


def _call(outcome: str) -> Callable[[Telemetry], None]:
    paths = {"contacts.get": "/workspaces/{workspaceId}/contacts/{contactId}"}

    def act(telemetry: Telemetry) -> None:
        bird = telemetry.vendor("BIRD", "LIVE", "https://api.bird.example", paths)
        bird.called("contacts.get", "GET", outcome, 0.25)

    return act


def _nothing(_: Telemetry) -> None: ...


def test_an_operation_is_a_server_span() -> None:
    """Named by its type (GraphQL server spans), with its trusted name; without document and variables."""
    [span] = _traced(_nothing)
    assert (span.name, span.kind, span.status.status_code) == ("query", SpanKind.SERVER, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {
        "graphql.operation.type": "query",
        "graphql.operation.name": "contacts",
        "switchboard.outcome": "success",
    }
    assert span.resource.attributes["service.name"] == "switchboard"


def test_a_call_to_a_vendor_is_a_client_span_below_it() -> None:
    """Named by its method and its path without IDs (HTTP client spans); as long as the call was."""
    call, operation = _traced(_call("200"))
    assert (call.name, call.kind) == ("GET /workspaces/{workspaceId}/contacts/{contactId}", SpanKind.CLIENT)
    assert call.parent is not None
    assert call.parent == operation.get_span_context()
    assert (call.end_time or 0) - (call.start_time or 0) == 250_000_000
    assert dict(call.attributes or {}) == {
        "http.request.method": "GET",
        "url.template": "/workspaces/{workspaceId}/contacts/{contactId}",
        "server.address": "api.bird.example",
        "server.port": 443,
        "switchboard.vendor": "BIRD",
        "switchboard.vendor.operation": "contacts.get",
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("404", {"http.response.status_code": 404, "error.type": "404"}),
        ("503", {"http.response.status_code": 503, "error.type": "503"}),
        ("TOO_SLOW", {"error.type": "TOO_SLOW"}),
    ],
)
def test_a_call_that_failed_says_by_what(outcome: str, told: Mapping[str, object]) -> None:
    """Every status from 400 on is an error of a client's span, and so is the lack of an answer."""
    call, _ = _traced(_call(outcome))
    shown = {
        name: value
        for name, value in (call.attributes or {}).items()
        if name in {"http.response.status_code", "error.type"}
    }
    assert (shown, call.status.status_code, call.status.description) == (told, StatusCode.ERROR, None)


def test_an_operation_that_failed_is_an_error() -> None:
    """Without the exception and its text."""
    exporter = InMemorySpanExporter()
    traces = Traces(exporter, "parent")
    with suppress(RuntimeError), Telemetry(traces).operation() as watched:
        watched.asks("mutation", "ada@example.com")
        watched.runs()
        raise RuntimeError("secret 42")
    traces.close()
    [span] = exporter.get_finished_spans()
    assert (span.name, span.status.status_code, span.status.description) == ("mutation", StatusCode.ERROR, None)
    assert (list(span.events), "secret 42" in span.to_json(), "ada@" in span.to_json()) == ([], False, False)


def test_a_document_that_can_not_be_read_has_a_span_too() -> None:
    """By the name that the conventions give it."""
    exporter = InMemorySpanExporter()
    traces = Traces(exporter, "parent")
    with Telemetry(traces).operation():
        pass
    traces.close()
    [span] = exporter.get_finished_spans()
    assert (span.name, dict(span.attributes or {})) == ("GraphQL Operation", {"switchboard.outcome": "refused"})


@pytest.mark.parametrize(
    ("parents", "parent", "links"),
    [("parent", PARENT, []), ("link", None, [PARENT]), ("ignore", None, [])],
)
def test_the_callers_trace_goes_on_as_a_setting_says(parents: str, parent: str | None, links: list[str]) -> None:
    """As the parent, as a link, or not at all; without a tracestate, which could hold anything."""
    [span] = _traced(_nothing, parents, TRACEPARENT)
    assert (f"{span.parent.span_id:016x}" if span.parent else None) == parent
    assert [f"{link.context.span_id:016x}" for link in span.links] == links
    own = span.get_span_context()
    assert own is not None
    assert (f"{own.trace_id:032x}" == TRACE) is (parents == "parent")
    assert dict(own.trace_state) == {}


@pytest.mark.parametrize(
    "header", ["", "x", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", "00-" + "g" * 9999]
)
@pytest.mark.parametrize("parents", ["parent", "link"])
def test_a_traceparent_that_is_none_begins_a_new_trace(header: str, parents: str) -> None:
    """And stops nothing."""
    [span] = _traced(_nothing, parents, header)
    assert (span.parent, list(span.links)) == (None, [])


def test_how_long_a_collector_may_take_is_the_sdks_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """In seconds: a stop waits no longer for one that never answers."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "0.2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        traces = open_traces(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces", "parent")
        traces.begin(None).end("query", "other", "success")
        before = monotonic()
        traces.close()
        assert monotonic() - before < 2
