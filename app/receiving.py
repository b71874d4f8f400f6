"""Receives requests within a time and a size: uvicorn's protocol waits for ever for the end of what was begun.

One deadline is armed at a time: for the head of a request, from the connection or the first byte on, and for its body, from
the end of its head on. What the app answers before the body has come in is sent; then the rest of it has until the deadline.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from app.telemetry.requests import new_request_id, server_refused
from app.whole import REQUEST, RESPONSE, in_parts

LARGEST_HEAD = 64 * 1024
"""In bytes, with the URL."""

_TRAILERS: Any = deque(maxlen=0)
"""Takes the place of the headers behind a head, and keeps nothing: trailers are no headers (RFC 9110, section 6.5.1)."""

_INVALID = "Invalid HTTP request received."

_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.-]*://(?P<authority>[^/?#]*)")
"""The beginning of a target with its authority, as for a proxy."""

_TEXT = b"\t" + bytes(set(range(0x20, 0x100)) - {0x7F})


class _TooLarge(Exception):
    """A head is."""


class ReceivingProtocol(HttpToolsProtocol):
    """Closes connections whose requests do not come in. Times are in seconds."""

    head_seconds = 10.0
    body_seconds = 10.0
    """More than the endpoint waits (app.body), which has a better answer."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True
    _last_bytes = 0
    _before_head = 0
    """At most so many bytes of a head came with the end of the request before it; `_head_bytes` counts those that came later."""
    _part = 0
    """Counts the heads and bodies of this connection, and `_timed` says which of them the deadline is for."""
    _timed = -1
    _is_parsing = False
    _idle_since: float | None = None
    _begun: tuple[RequestResponseCycle, ASGI3Application] | None = None
    _running: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._arm(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super()._unset_keepalive_if_required()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True  # uvicorn tells the last in line alone
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._last_bytes = len(data)
        if self._is_in_head:
            self._head_bytes += self._last_bytes
        self._is_parsing = True
        self._idle_since = None
        try:
            self._feed(data)
        finally:
            self._is_parsing = False
        if self._begun is not None:
            (cycle, app), self._begun = self._begun, None
            self._start_asgi_task(cycle, app)
        if self._is_in_head and self._head_bytes > LARGEST_HEAD:
            self._refuse_head()
        self._time()

    def _feed(self, data: bytes) -> None:
        """As uvicorn has it, but that an Upgrade is passed over that is not followed (RFC 9110, section 7.8). The parser takes
        what comes behind one for another protocol, not for a body: so a new one is given the head again, without.
        """
        pieces: list[bytes | memoryview] = [data]
        while pieces:
            piece = pieces.pop()
            try:
                self.parser.feed_data(piece)
            except HttpParserError:
                self.logger.warning(_INVALID)
                self.send_400_response(_INVALID)
                return
            except HttpParserUpgrade as upgrade:
                if self._should_upgrade():
                    self.handle_websocket_upgrade()
                    return
                if self.parser.get_method() == b"CONNECT":
                    self.send_400_response("CONNECT is not offered here.")
                    return
                pieces += memoryview(piece)[upgrade.args[0] :], self._without_upgrade()
                self.parser = HttpRequestParser(self)  # the old one may be done: it has seen `Connection: close`
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's

    def _without_upgrade(self) -> bytes:
        """What has been read last: the head of a request."""
        line = b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, self.parser.get_http_version().encode())
        return b"\r\n".join(
            [line, *(b": ".join(header) for header in self.headers if header[0] != b"upgrade"), b"", b""]
        )

    def _should_upgrade(self) -> bool:
        """Not while an answer is still to be given: it would come behind the 101 (RFC 9112, section 9.3.2). HTTP/1.0 has none
        (RFC 9110, section 7.8).
        """
        is_free = self.cycle is None or self.cycle.response_complete
        return is_free and self.parser.get_http_version() != "1.0" and super()._should_upgrade()

    def handle_websocket_upgrade(self) -> None:
        self._is_in_head, self._head_bytes, self._idle_since = True, 0, None  # nothing more comes here
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "BAD_REQUEST", msg)

    def on_headers_complete(self) -> None:
        is_upgrade = self.parser.should_upgrade()
        if is_upgrade and not self._should_upgrade():
            return  # it is read again
        self._is_in_head = False
        self._idle_since = None
        self._part += 1
        if self._before_head + self._head_bytes > LARGEST_HEAD and self._measured_head() > LARGEST_HEAD:
            self._refuse_head()
            raise _TooLarge  # the parser stops, and nothing of it is begun
        if self.expect_100_continue and self.parser.get_http_version() == "1.0":
            self.expect_100_continue = False  # RFC 9110, section 10.1.1
        if not self.url.startswith(b"/") and (target := _ABSOLUTE.match(self.url)):
            self._address_as(target["authority"], self.url[target.end() :])
        super().on_headers_complete()
        if not is_upgrade:
            self.headers = _TRAILERS

    def _address_as(self, authority: bytes, rest: bytes) -> None:
        """What the target says stands in the place of what Host says (RFC 9112, section 3.2.2)."""
        self.url = rest if rest.startswith(b"/") else b"/" + rest
        self.headers[:] = [(name, authority if name == b"host" else value) for name, value in self.headers]

    def on_message_complete(self) -> None:
        if self._is_in_head:
            return  # it is read again
        super().on_message_complete()
        self._is_in_head = True
        self._part += 1
        self._head_bytes = 0
        self._before_head = self._last_bytes
        if self.cycle is not None and self.cycle.response_complete:
            self._rest()  # it was answered before its body had come in

    def on_response_complete(self) -> None:
        """As uvicorn has it, but that one timer serves a connection for all the time that it is kept."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._rest()
        if self.cycle.more_body and self._deadline is None:
            self._arm(self.body_seconds)

    def _rest(self) -> None:
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        else:
            super().timeout_keep_alive_handler()

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _unset_keepalive_if_required(self) -> None:
        """Called with all that comes in: nothing is idle then, and the timer need not be told."""
        self._idle_since = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Not before all that came has been read: most requests come in one piece, and are then told to be whole."""
        if self._is_parsing:
            self._begun = (cycle, app)
            return
        extensions: dict[str, dict[object, object]] = {RESPONSE: {}}
        cycle.scope["extensions"] = extensions
        if not cycle.more_body:
            extensions[REQUEST] = {"body": bytes(cycle.body)}
        self._running = cycle
        super()._start_asgi_task(cycle, partial(_answer_whole, app, cycle))

    def _time(self) -> None:
        """Sees to the deadline of what has begun to come in and is not all there; what came in one piece needs none."""
        is_awaited = (
            self._head_bytes > 0 if self._is_in_head else not self.pipeline
        )  # reading is paused for what waits in line
        if is_awaited and self._timed == self._part:
            return
        if self._deadline is not None:
            self._disarm()
        if is_awaited:
            self._arm(self.head_seconds if self._is_in_head else self.body_seconds)

    def _arm(self, seconds: float) -> None:
        self._timed = self._part
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._timed = -1
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self._is_in_head and self.cycle is not None and not self.cycle.response_complete:
            self._arm(self.head_seconds)  # a beginning of the next request does not cost this one its answer
        elif self._is_in_head and self._head_bytes:
            self._refuse(408, "REQUEST_TIMEOUT", f"The headers did not arrive within {self.head_seconds:g} seconds.")
        else:
            self.transport.close()

    def _measured_head(self) -> int:
        """The bytes of a head that is all there, which may have come in one piece with a body, or behind another request."""
        return len(self.url) + sum(len(name) + len(value) + len(b": \r\n") for name, value in self.headers)

    def _refuse_head(self) -> None:
        self._refuse(431, "HEADERS_TOO_LARGE", f"The headers are larger than {LARGEST_HEAD} bytes.")

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answers in GraphQL's form, and hangs up: what follows can't be told from what came before."""
        if self.transport.is_closing():
            return
        server_refused(self.app_state, status)
        own, body = refusal(code, message)
        headers = {**dict(self.server_state.default_headers), **own}
        head = b"\r\n".join(map(b": ".join, headers.items()))
        self.transport.write(b"".join((STATUS_LINE[status], head, b"\r\n\r\n", body)))
        self.transport.close()


def refusal(code: str, message: str) -> tuple[dict[bytes, bytes], bytes]:
    """Headers and body, in GraphQL's form, of what is answered without the app."""
    error: dict[str, Any] = {"message": message, "extensions": {"code": code}}
    body = json.dumps({"errors": [error]}).encode()
    headers = {
        b"content-type": b"application/json; charset=utf-8",
        b"cache-control": b"no-store",
        b"connection": b"close",
        b"content-length": b"%d" % len(body),
        b"x-request-id": new_request_id().encode(),
    }
    return headers, body


async def _answer_whole(
    app: ASGI3Application, cycle: RequestResponseCycle, scope: Scope, receive: ASGIReceiveCallable, _: ASGISendCallable
) -> None:
    """Runs an app that may send its answer in one message."""

    async def send(message: Any) -> None:
        if message["type"] != RESPONSE:
            if cycle.scope["http_version"] == "1.0":
                _do_without_chunks(cycle, message)
            await cycle.send(message)
        elif cycle.flow.write_paused or cycle.scope["method"] == "HEAD" or cycle.response_started:
            for part in in_parts(message):
                await cycle.send(part)
        elif not cycle.disconnected:
            _write(cycle, message["status"], message["headers"], message["body"])

    await app(scope, receive, send)


def _do_without_chunks(cycle: Any, message: Any) -> None:
    """HTTP/1.0 knows none (RFC 9112, section 6.1): an answer whose length is not given ends with the connection."""
    if message["type"] == "http.response.start":
        if all(name.lower() != b"content-length" for name, _ in message.get("headers", ())):
            cycle.chunked_encoding, cycle.expected_content_length = False, math.inf
    elif cycle.expected_content_length == math.inf and not message.get("more_body", False):
        cycle.expected_content_length = len(message.get("body", b""))


def _write(cycle: RequestResponseCycle, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> None:
    """What `cycle.send` does with two messages: uvicorn looks at each header by itself, and writes head and body apart."""
    lines = [*map(b": ".join, cycle.default_headers), *map(b": ".join, headers)]
    head = b"\r\n".join(lines)
    if head.translate(None, _TEXT) != b"\r\n" * (len(lines) - 1):
        raise RuntimeError("a header holds a control character")
    if b"connection: close" in lines:
        cycle.keep_alive = False
    elif not cycle.keep_alive:
        head += b"\r\nconnection: close"
    cycle.response_started = cycle.response_complete = True
    cycle.transport.write(b"".join((STATUS_LINE[status], head, b"\r\n\r\n", body)))
    cycle.message_event.set()
    if not cycle.keep_alive:
        cycle.transport.close()
    cycle.on_response()
