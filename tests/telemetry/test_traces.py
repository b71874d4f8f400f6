"""Spans: their names, attributes and parents by the semantic conventions, and nothing that a caller sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from time import monotonic, sleep

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from requests import RequestException

from app.telemetry import Telemetry
from app.telemetry.exports import bounded_session
from app.telemetry.traces import Traces, open_traces
from tests.telemetry.collector import collecting

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture(autouse=True)
def no_export_outlives_its_test() -> Iterator[None]:
    """What a stop no longer waits for goes on for a while; beside other tests it would draw from `random`, as they may not."""
    yield
    exports = [each for each in threading.enumerate() if each.name.startswith("OtelBatch")]
    for each in exports:
        each.join(60)
    assert [each for each in exports if each.is_alive()] == []


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


def _silence(_: socket.socket) -> None: ...


def _drip(connected: socket.socket) -> None:
    """A byte now and then, of a head that never ends."""
    connected.sendall(b"HTTP/1.1 200 OK\r\nx-a: ")
    while True:
        connected.sendall(b"x")
        sleep(0.05)


def _drip_body(connected: socket.socket) -> None:
    connected.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
    while True:
        connected.sendall(b"x")
        sleep(0.05)


def _hint(connected: socket.socket) -> None:
    """Early hints without end (RFC 9110, section 15.2)."""
    while True:
        connected.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        sleep(0.05)


@contextmanager
def _collector(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """The URL of one that answers every connection so, until the block ends or the other side has enough."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as threads:
        opened: list[socket.socket] = []

        def serve(connected: socket.socket) -> None:
            with suppress(OSError):
                answer(connected)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    opened.append(listening.accept()[0])
                    threads.submit(serve, opened[-1])

        threads.submit(accept)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/v1/traces"
        for each in (listening, *opened):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@pytest.mark.parametrize("answer", [_silence, _drip, _drip_body, _hint])
@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT"])
def test_how_long_a_collector_may_take_is_the_sdks_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, answer: Callable[[socket.socket], None]
) -> None:
    """In seconds, for an export as a whole: a stop waits no longer for one that never answers, or never ends to."""
    monkeypatch.setenv(variable, "0.2")
    with _collector(answer) as url:
        traces = open_traces(url, "parent")
        traces.begin(None).end("query", "other", "success")
        before = monotonic()
        traces.close()
        assert monotonic() - before < 2


@pytest.mark.parametrize("answer", [_silence, _drip, _drip_body, _hint])
def test_a_request_to_a_collector_ends_with_its_timeout(answer: Callable[[socket.socket], None]) -> None:
    """Whatever comes meanwhile; and the session is good for the next one."""
    with bounded_session() as session:
        with _collector(answer) as url:
            before = monotonic()
            with pytest.raises(RequestException):
                session.request("POST", url, data=b"spans", timeout=0.2)
            assert 0.1 < monotonic() - before < 2
        with collecting() as collector:
            assert session.request("POST", collector.url, data=b"spans", timeout=5.0).status_code == 200


def test_no_more_of_an_answer_is_read_than_64_kib() -> None:
    """Its status has said all."""
    sent = []

    def flood(connected: socket.socket) -> None:
        connected.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            connected.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            sent.append(65_536)

    with _collector(flood) as url, bounded_session() as session:
        before = monotonic()
        answer = session.request("POST", url, data=b"spans", timeout=20.0)
        assert (answer.status_code, answer.content) == (200, b"")
        assert monotonic() - before < 10
    assert sum(sent) < 64 * 1024 * 1024


@pytest.mark.parametrize(
    "answer", [b"content-length: 2\r\n\r\n{}", b"transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"]
)
def test_a_connection_to_a_collector_is_used_again(answer: bytes) -> None:
    """One that has answered is good for the next batch."""
    connections = []

    def serve(connected: socket.socket) -> None:
        connections.append(connected)
        received = b""
        while more := connected.recv(65_536):
            received += more
            if received.endswith(b"spans"):
                received = b""
                connected.sendall(b"HTTP/1.1 200 OK\r\n" + answer)

    with _collector(serve) as url, bounded_session() as session:
        answered = [session.request("POST", url, data=b"spans", timeout=5.0).status_code for _ in range(4)]
    assert (answered, len(connections)) == ([200] * 4, 1)


def test_all_that_is_left_has_the_time_of_one_export(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is several batches, each of which would wait."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1")
    with _collector(_silence) as url:
        traces = open_traces(url, "parent")
        for _ in range(5):
            traces.begin(None).end("query", "other", "success")
        before = monotonic()
        traces.close()
        assert monotonic() - before < 2.5


@pytest.mark.parametrize("given", ["soon", "-1", "0", "nan", "inf"])
def test_a_timeout_that_is_none_is_three_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, given: str
) -> None:
    """And the log says that it is not taken."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", given)
    with collecting() as collector:
        traces = open_traces(collector.url, "parent")
        traces.begin(None).end("query", "other", "success")
        traces.close()
        assert len(collector.spans()) == 1
    assert "the timeout for OTLP is not a number of seconds above 0: it is 3 seconds" in caplog.messages
