"""Tries at every start whether the hook before the first byte does what the ledger relies on.

What carries the calls to the vendors may change, and httpcore's names for its events are no promise
(https://www.python-httpx.org/advanced/extensions/#trace). Where the hook does not run exactly once, before anything has left, or
what it raises keeps nothing back, SENDING is committed before the call: safe, only with more writes in doubt.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress

from app.telemetry import describe
from app.transport.client import Client
from app.transport.seam import FIRST_BYTE, Http, Request
from app.transport.tls import open_tls

_SECONDS = 2.0
_ARRIVES_WITHIN = 0.02
"""In seconds: how long the hook is held, so that what had left before it would have arrived."""

_ANSWER = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"
_log = logging.getLogger(__name__)

Opener = Callable[[str], AbstractAsyncContextManager[Http]]
"""Opens what calls the vendors, for one address."""


@asynccontextmanager
async def open_client(base_url: str) -> AsyncIterator[Http]:
    """As the gateway calls its vendors."""
    client = Client(base_url, {}, open_tls, connect_seconds=_SECONDS)
    try:
        yield client
    finally:
        await client.close()


class _KeptBack(Exception):
    """What the hook raises to keep a request from leaving."""


class _Probe:
    """A server on loopback that notes what it receives, and a hook that notes when it runs."""

    def __init__(self, event: str, opener: Opener, *, keeps_back: bool) -> None:
        self._event = event
        self._opener = opener
        self._keeps_back = keeps_back
        self._arrived = asyncio.Event()
        self._ended = asyncio.Event()
        self.received = bytearray()
        self.before: list[int] = []
        """How many bytes had arrived, at each run of the hook."""

    async def run(self) -> None:
        """Sends one request. Raises what the hook raises."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        async with server:
            try:
                async with self._opener(f"http://{host}:{port}") as http:
                    await http.exchange(Request("POST", "/", content=b"{}"), self._trace, len(_ANSWER))
            finally:
                await self._ended.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"\r\n\r\n" not in self.received and (read := await reader.read(1024)):
            self.received += read
            self._arrived.set()
        if self.received:
            writer.write(_ANSWER)
        writer.close()
        self._ended.set()

    async def _trace(self, event: str, _: object) -> None:
        if event != self._event:
            return
        if self._keeps_back:
            self.before.append(len(self.received))
            raise _KeptBack
        with suppress(TimeoutError):
            async with asyncio.timeout(_ARRIVES_WITHIN):
                await self._arrived.wait()
        self.before.append(len(self.received))


async def hook_is_sound(event: str = FIRST_BYTE, opener: Opener = open_client) -> bool:
    """Whether, on connections of its own on loopback, the hook runs once, before the server has received a byte, and keeps
    the request back by raising.
    """
    try:
        async with asyncio.timeout(_SECONDS):
            is_sound = await _runs_first(event, opener) and await _keeps_back(event, opener)
    except Exception as error:  # noqa: BLE001  # whatever it is, the hook can't be relied on
        _log.warning("the hook before the first byte could not be tried", extra=describe(error))
        return False
    if not is_sound:
        _log.warning("the hook before the first byte does not work here: writes are noted before the call")
    return is_sound


async def _runs_first(event: str, opener: Opener) -> bool:
    probe = _Probe(event, opener, keeps_back=False)
    await probe.run()
    return probe.before == [0] and bool(probe.received)


async def _keeps_back(event: str, opener: Opener) -> bool:
    probe = _Probe(event, opener, keeps_back=True)
    with suppress(_KeptBack):
        await probe.run()
    return probe.before == [0] and not probe.received
