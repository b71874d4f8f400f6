"""One connection to a vendor: one exchange at a time, and never used again once anything is odd about it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import cast

import httpx

from app.transport.answer import AnswerParser
from app.transport.seam import Reply

_TIMEOUT = re.compile(rb"(?i)\btimeout\s*=\s*(\d{1,4})")


class Connection(asyncio.Protocol):
    """`on_idle` is told when it may be used again, `on_lost` when it is gone. Unused it is kept for so many seconds."""

    def __init__(
        self, on_idle: Callable[[Connection], None], on_lost: Callable[[Connection], None], idle_seconds: float
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_idle = on_idle
        self._on_lost = on_lost
        self._transport: asyncio.Transport | None = None
        self._parser = AnswerParser()
        self._waiter: asyncio.Future[Reply] | None = None
        """Of the exchange that is under way."""
        self.is_open = False
        self._is_retired = False
        self._idle_seconds = idle_seconds
        self._expires = 0.0

    def send(self, request: bytes, most: int) -> asyncio.Future[Reply]:
        """Sends a request in one piece. Who stops waiting for the answer has to forsake it.

        Raises httpx.WriteError; the future httpx.ReadError, RemoteProtocolError.
        """
        if self._transport is None or not self.is_open:
            raise httpx.WriteError("the connection has gone")
        self._parser.expect(most)
        self._waiter = waiter = self._loop.create_future()
        self._transport.write(request)
        return waiter

    def forsake(self, waiter: asyncio.Future[Reply]) -> None:
        """Ends the exchange, unless it has ended already and the connection is somebody else's by now."""
        if self._waiter is waiter:
            self._waiter = None
            self.abort()
        elif waiter.done() and not waiter.cancelled():
            waiter.exception()  # nobody will ask for it

    def is_usable(self) -> bool:
        """Whether nothing has come, the end included, since it was last used, and not for too long."""
        return self.is_open and self._loop.time() < self._expires

    def retire(self) -> None:
        """Ends it as soon as nobody waits for an answer."""
        self._is_retired = True
        if self._waiter is None:
            self.abort()

    def abort(self) -> None:
        """Ends it at once, without a farewell."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are of the same shape, but no subclass
        self.is_open = True
        self._expires = self._loop.time() + self._idle_seconds

    def data_received(self, data: bytes) -> None:
        if self._waiter is None:
            self.abort()  # nothing was asked
            return
        try:
            reply = self._parser.feed(data)
        except httpx.RemoteProtocolError as error:
            self._fail(error)
            return
        if reply is not None:
            self._answer(reply, is_reusable=self._parser.is_reusable)

    def eof_received(self) -> None:
        self.is_open = False
        if self._waiter is None:
            return
        try:
            self._answer(self._parser.end(), is_reusable=False)
        except httpx.RemoteProtocolError as error:
            self._fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiter is not None:
            if exc is None:
                self.eof_received()
            else:
                self._fail(httpx.ReadError("the connection broke off"))
        self.is_open = False
        self._on_lost(self)

    def _answer(self, reply: Reply, *, is_reusable: bool) -> None:
        waiter, self._waiter = self._waiter, None
        if is_reusable and self.is_open and not self._is_retired:
            if b"keep-alive" in reply.headers:
                self._believe(reply.headers[b"keep-alive"])
            self._expires = self._loop.time() + self._idle_seconds
            self._on_idle(self)
        else:
            self.abort()
        if waiter is not None and not waiter.done():
            waiter.set_result(reply)

    def _believe(self, promised: bytes) -> None:
        if match := _TIMEOUT.search(promised):
            self._idle_seconds = min(self._idle_seconds, float(match[1]) - 1.0)

    def _fail(self, error: Exception) -> None:
        waiter, self._waiter = self._waiter, None
        self.abort()
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
