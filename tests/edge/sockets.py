"""A gateway on a real socket, behind the protocol that `serve` puts in front of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from app.receiving import ReceivingProtocol
from app.sockets import bound_socket

PATIENCE = 60.0
"""In seconds: more than any test needs, and less than anybody waits."""


@dataclass(frozen=True)
class Address:
    """Where an app listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def exchange(self, sent: bytes, *, then_eof: bool = False, after: bytes = b"", then: bytes = b"") -> bytes:
        """All that comes back on a connection until the server hangs up. Raises TimeoutError if it never does.

        `then` is sent once `after` has come back.
        """
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            writer.write(sent)
            if then_eof:
                writer.write_eof()
            async with asyncio.timeout(PATIENCE):
                if not after:
                    return await reader.read()
                answered = await reader.readuntil(after)
                writer.write(then)
                return answered + await reader.read()
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the test run


@asynccontextmanager
async def listening(app: ASGIApp, protocol: type[ReceivingProtocol] = ReceivingProtocol) -> AsyncIterator[Address]:
    """The app on a free port of loopback; whoever calls has its lifespan running."""
    sock = bound_socket("127.0.0.1", 0)
    options: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off", "server_header": False}
    server = _Server(uvicorn.Config(app, http=protocol, timeout_graceful_shutdown=1, timeout_keep_alive=1, **options))
    serving = asyncio.create_task(server.serve(sockets=[sock]))
    while not server.started:  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    try:
        yield Address(*sock.getsockname()[:2])
    finally:
        server.should_exit = True
        await serving
