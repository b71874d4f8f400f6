"""Taps where everything passes that a gateway puts out, so that no test can forget to look.

answer   what the front sends, on HTTP and on WebSockets; what httpx and raw sockets receive, from child processes too
record   every log record, as the product writes it and with all that is in it
span     every span that is exported
label    the values of metrics' labels: no other text of a metric is made while the gateway runs
output   what child processes write to standard output and standard error
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client.metrics import MetricWrapperBase
from starlette.types import Message, Receive, Scope, Send

from app.front import Front
from app.telemetry import JsonLines
from tests.canaries.watch import Look, Watch

STDOUT = 1


def tap_everything(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    """From now on all of it goes past the watch, unchanged."""
    answers = (_tap_front, _tap_clients, _tap_sockets)
    telemetry = (_tap_records, _tap_spans, _tap_labels)
    for tap in (*answers, *telemetry, _tap_children, _tap_finished_children):
        tap(watch, patch)


def _tap_front(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    serve = Front.__call__

    async def watched(self: Front, scope: Scope, receive: Receive, send: Send) -> None:
        look = watch.stream("answer")

        async def sending(message: Message) -> None:
            look(_shown(message))
            await send(message)

        await serve(self, scope, receive, sending)

    patch.setattr(Front, "__call__", watched)


def _tap_clients(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    aiter_raw, iter_raw = httpx.Response.aiter_raw, httpx.Response.iter_raw

    async def in_async_pieces(self: httpx.Response, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        look = _headed(watch, self)
        async with aclosing(aiter_raw(self, chunk_size)) as pieces:  # type: ignore[type-var]  # a generator
            async for piece in pieces:
                look(piece)
                yield piece

    def in_pieces(self: httpx.Response, chunk_size: int | None = None) -> Iterator[bytes]:
        look = _headed(watch, self)
        with closing(iter_raw(self, chunk_size)) as pieces:  # type: ignore[type-var]  # a generator
            for piece in pieces:
                look(piece)
                yield piece

    patch.setattr(httpx.Response, "aiter_raw", in_async_pieces)
    patch.setattr(httpx.Response, "iter_raw", in_pieces)


def _tap_sockets(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    connect = asyncio.open_connection

    async def connected(*given: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await connect(*given, **options)
        reader.feed_data = _before(watch.stream("answer"), reader.feed_data)  # type: ignore[method-assign, assignment]  # bytes
        return reader, writer

    patch.setattr(asyncio, "open_connection", connected)


def _tap_records(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    form, handle = JsonLines(), logging.Logger.callHandlers

    def handled(self: logging.Logger, record: logging.LogRecord) -> None:
        watch.look("record", form.format(record), str(vars(record)))
        handle(self, record)

    patch.setattr(logging.Logger, "callHandlers", handled)


def _tap_spans(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    end = BatchSpanProcessor.on_end

    def ended(self: BatchSpanProcessor, span: ReadableSpan) -> None:
        watch.look("span", span.to_json())
        end(self, span)

    patch.setattr(BatchSpanProcessor, "on_end", ended)


def _tap_labels(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    label = MetricWrapperBase.labels

    def labelled(self: MetricWrapperBase, *values: Any, **named: Any) -> Any:
        watch.look("label", *map(str, (*values, *named.values())))
        return label(self, *values, **named)

    patch.setattr(MetricWrapperBase, "labels", labelled)


def _tap_children(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    protocol = asyncio.subprocess.SubprocessStreamProtocol
    receive = protocol.pipe_data_received

    def received(self: asyncio.subprocess.SubprocessStreamProtocol, number: int, data: bytes) -> None:
        if number == STDOUT:
            watch.command(data)
        else:
            watch.look("output", data)
        receive(self, number, data)

    patch.setattr(protocol, "pipe_data_received", received)


def _tap_finished_children(watch: Watch, patch: pytest.MonkeyPatch) -> None:
    communicate = subprocess.Popen.communicate

    def communicated(self: subprocess.Popen[Any], *given: Any, **options: Any) -> tuple[Any, Any]:
        out, err = communicate(self, *given, **options)
        watch.command(out.encode() if isinstance(out, str) else out or b"")
        watch.look("output", err or b"")
        return out, err

    patch.setattr(subprocess.Popen, "communicate", communicated)


def _headed(watch: Watch, response: httpx.Response) -> Look:
    look = watch.stream("answer")
    look(b"\n".join(part for header in response.headers.raw for part in header))
    return look


def _before(look: Look, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def looked_at(data: bytes) -> None:
        look(data)
        take(data)

    return looked_at


def _shown(message: Message) -> bytes:
    """All text in an ASGI message."""
    headers = [part for header in message.get("headers", ()) for part in header]
    texts = [str(message[name]).encode() for name in ("text", "reason") if message.get(name)]
    return b"\n".join([*headers, *texts, message.get("body") or message.get("bytes") or b""])
