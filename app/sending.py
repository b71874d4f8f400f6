"""Cuts off who does not read what is sent to them: nothing is kept for them beyond what a connection holds anyway."""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.http11 import Response

from app.receiving import ReceivingProtocol, refusal
from app.telemetry.logs import HANDSHAKES
from app.telemetry.requests import server_refused

_CODES = {414: "HEADERS_TOO_LARGE", 431: "HEADERS_TOO_LARGE", 500: "INTERNAL_ERROR"}


class CutsSlowReaders(asyncio.Protocol):
    """Above a protocol of uvicorn's: a connection that stays full for `config.send_seconds` is cut, without a word.

    A connection is full from 64 KiB that wait for the reader until no more than 16 are left (asyncio's marks).
    """

    transport: Any
    loop: asyncio.AbstractEventLoop
    config: Any
    _cut: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._cut = self.loop.call_later(self.config.send_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        self._stay()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stay()
        super().connection_lost(exc)

    def _stay(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None


class Http(CutsSlowReaders, ReceivingProtocol):
    """HTTP/1.1, and the handshake of a WebSocket."""


class WebSockets(CutsSlowReaders, WebSocketsSansIOProtocol):
    """WebSocket. While a connection is full nothing is read from it: what is read may have to be answered."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self.logger = logging.getLogger(HANDSHAKES)
        self.conn.reject = self._rejection  # type: ignore[method-assign]  # uvicorn makes its own connection

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse()

    def _refuse(self) -> None:
        """A handshake that is too large, or has a body, never reaches the app; uvicorn would leave it open, unanswered, and
        fail over it when it shuts down.
        """
        self.close_sent = True
        unread = b"".join(self.conn.data_to_send())
        self.transport.write(unread or self._rejection(400, "The handshake can't be read.").serialize())
        self.transport.close()

    def _rejection(self, status: int, text: str) -> Response:
        """What the library answers to a handshake, in GraphQL's form, and counted."""
        server_refused(self.app_state, status)
        headers, body = refusal(_CODES.get(status, "BAD_REQUEST"), text.strip())
        told = {**dict(self.default_headers), **headers, b"sec-websocket-version": b"13"}  # RFC 6455, section 4.2.2
        lines = Headers({name.decode(): value.decode() for name, value in told.items()})
        return Response(status, HTTPStatus(status).phrase, lines, body)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True  # uvicorn takes a refusal for a fault, and logs it

    def keepalive_timeout(self) -> None:
        """Who does not answer a ping may not read, either: what waits for them keeps the connection no longer."""
        super().keepalive_timeout()
        self.loop.call_later(self.config.send_seconds, self.transport.abort)
