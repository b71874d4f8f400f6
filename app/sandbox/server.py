"""Serves sandboxes on real loopback sockets, from a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


class SandboxProtocol(H11Protocol):
    """HTTP/1.1 that shows the connection to the app (`scope["state"]["transport"]`), so that a sandbox can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own narrowing
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


class _Server(uvicorn.Server):
    """Ends as soon as it is told to. Nobody waits for what a sandbox had still to say."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ended = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the main thread

    def end(self) -> None:
        self.should_exit = True
        self._ended.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                async with asyncio.timeout(1):  # until the header Date is another
                    await self._ended.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for sock in sockets or ():
            sock.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


@contextmanager
def serving(apps: Mapping[str, ASGIApp], sockets: Mapping[str, socket.socket]) -> Iterator[None]:
    """Serves each app on its socket (both by the same name) until the block ends."""
    servers = [_server(app) for app in apps.values()]
    ready: Future[asyncio.AbstractEventLoop] = Future()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(servers, [sockets[name] for name in apps], ready)),
        name="sandboxes",
        daemon=True,
    )
    thread.start()
    loop = ready.result()
    try:
        yield
    finally:
        for server in servers:
            loop.call_soon_threadsafe(server.end)
        thread.join(timeout=5)


def _server(app: ASGIApp) -> _Server:
    options: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off"}
    return _Server(uvicorn.Config(app, http=SandboxProtocol, timeout_keep_alive=75, **options))


async def _serve(
    servers: list[_Server], sockets: list[socket.socket], ready: Future[asyncio.AbstractEventLoop]
) -> None:
    running = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in zip(servers, sockets, strict=True)]
    while not all(server.started for server in servers):  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    ready.set_result(asyncio.get_running_loop())
    await asyncio.gather(*running)
