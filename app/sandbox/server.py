"""Serves sandboxes on real loopback sockets, from a thread with an event loop of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # signals belong to the main thread


@contextmanager
def serving(apps: Mapping[str, ASGIApp], sockets: Mapping[str, socket.socket]) -> Iterator[None]:
    """Serves each app on its socket (both by the same name) until the block ends."""
    servers = [_server(app) for app in apps.values()]
    ready = threading.Event()
    thread = threading.Thread(
        target=lambda: asyncio.run(_serve(servers, [sockets[name] for name in apps], ready)),
        name="sandboxes",
        daemon=True,
    )
    thread.start()
    ready.wait()
    try:
        yield
    finally:
        for server in servers:
            server.should_exit = True
        thread.join(timeout=5)


def _server(app: ASGIApp) -> uvicorn.Server:
    options: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off"}
    return _Server(
        uvicorn.Config(app, http=SandboxProtocol, timeout_keep_alive=75, timeout_graceful_shutdown=1, **options)
    )


async def _serve(servers: list[uvicorn.Server], sockets: list[socket.socket], ready: threading.Event) -> None:
    running = [asyncio.create_task(server.serve(sockets=[sock])) for server, sock in zip(servers, sockets, strict=True)]
    while not all(server.started for server in servers):  # noqa: ASYNC110  # uvicorn has no event for it
        await asyncio.sleep(0.01)
    ready.set()
    await asyncio.gather(*running)
