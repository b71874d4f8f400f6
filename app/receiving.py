"""Receives requests within a time and a size: uvicorn's protocol waits for ever for the end of what was begun.

One deadline is armed at a time: for the head of a request, from the connection or the first byte on, and for its body, from
the end of its head on. What the app answers before the body has come in is sent; then the rest of it has until the deadline.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

LARGEST_HEAD = 64 * 1024
"""In bytes, with the URL."""


class ReceivingProtocol(HttpToolsProtocol):
    """Closes connections whose requests do not come in. Times are in seconds."""

    head_seconds = 10.0
    body_seconds = 10.0
    """More than the endpoint waits (app.body), which has a better answer."""

    _deadline: asyncio.TimerHandle | None = None
    _head_bytes = 0
    _is_in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._begin_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._deadline is None:
                self._arm(self.head_seconds)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > LARGEST_HEAD:
            self._refuse(431, "HEADERS_TOO_LARGE", f"The headers are larger than {LARGEST_HEAD} bytes.")

    def handle_websocket_upgrade(self) -> None:
        self._disarm()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "BAD_REQUEST", msg)

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._is_in_head = False
        self._disarm()
        if not self.pipeline:  # reading is paused for what waits in line
            self._arm(self.body_seconds)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._disarm()
        self._is_in_head = True
        self._head_bytes = 0

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and self.cycle.more_body and self._deadline is None:
            self._arm(self.body_seconds)

    def _begin_head(self) -> None:
        self._is_in_head = True
        self._head_bytes = 0
        self._arm(self.head_seconds)

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(seconds, self._too_late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self._is_in_head and self._head_bytes and (self.cycle is None or self.cycle.response_complete):
            self._refuse(408, "REQUEST_TIMEOUT", f"The headers did not arrive within {self.head_seconds:g} seconds.")
        else:
            self.transport.close()

    def _refuse(self, status: int, code: str, message: str) -> None:
        """Answers in GraphQL's form, and hangs up: what follows can't be told from what came before."""
        if self.transport.is_closing():
            return
        error: dict[str, Any] = {"message": message, "extensions": {"code": code}}
        body = json.dumps({"errors": [error]}).encode()
        head = (
            b"content-type: application/json; charset=utf-8\r\ncache-control: no-store\r\nconnection: close\r\n"
            b"content-length: %d\r\n\r\n" % len(body)
        )
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
