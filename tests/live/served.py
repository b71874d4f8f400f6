"""A gateway on a real socket, and those who follow what happens in it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from app import sending
from app.body import LARGEST_BODY
from app.main import create_app
from app.registry import VENDORS
from app.security.keys import SANDBOX_KEY
from app.settings import read_settings
from app.shedding import LoadShedder
from app.sockets import bound_socket
from app.stopping import DRAINING
from tests.gateway import PATIENT, QUERIES, Gateway, Unhurried, UpstreamCall, give_tables

PATIENCE = 60.0
"""In seconds: more than any test needs, and less than anybody waits."""

KEY = {"authorization": f"Bearer {SANDBOX_KEY}"}


@dataclass
class Served(Gateway):
    """A gateway over HTTP as it is served. `draining` is what SIGTERM sets; `url` its address."""

    url: str
    draining: asyncio.Event

    @asynccontextmanager
    async def socket(self, key: str | None = SANDBOX_KEY, **options: Any) -> AsyncIterator[Follower]:
        """A WebSocket; with a key it has been acknowledged."""
        given: dict[str, Any] = {"subprotocols": [Subprotocol("graphql-transport-ws")], **options}
        async with connect(self.url.replace("http", "ws") + "/graphql", compression=None, **given) as socket:
            follower = Follower(socket)
            if key is not None:
                await follower.send("connection_init", payload={"authorization": f"Bearer {key}"})
                assert await follower.next() == {"type": "connection_ack"}
            yield follower

    @asynccontextmanager
    async def stream(
        self, query: str, variables: Mapping[str, Any] | None = None, *, key: str = SANDBOX_KEY
    ) -> AsyncIterator[Stream]:
        """A subscription as an event stream."""
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {key}"}
        body = {"query": query, "variables": variables}
        async with self.http.stream("POST", "/graphql", json=body, headers=headers) as response:
            yield Stream(response, response.aiter_lines())


@dataclass
class Follower:
    """The client's end of a WebSocket."""

    socket: ClientConnection

    async def send(self, type_: str, **rest: Any) -> None:
        await self.socket.send(json.dumps({"type": type_, **rest}))

    async def subscribe(self, operation_id: str, query: str, variables: Mapping[str, Any] | None = None) -> None:
        await self.send("subscribe", id=operation_id, payload={"query": query, "variables": variables})

    async def follow(self, name: str, variables: Mapping[str, Any]) -> None:
        """Subscribes to the operation in `queries/{name}.graphql`, under its name."""
        await self.subscribe(name, (QUERIES / f"{name}.graphql").read_text("utf-8"), variables)

    async def next(self) -> Any:
        """The next message."""
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.socket.recv())

    async def data(self) -> Any:
        """The data of the next message, which must be an event without errors."""
        message = await self.next()
        assert (message["type"], message["payload"].keys()) == ("next", {"data"}), message
        return message["payload"]["data"]

    async def answered(self) -> None:
        """Waits until everything sent so far has been taken."""
        await self.send("ping")
        assert await self.next() == {"type": "pong"}

    async def closed(self) -> tuple[int | None, str | None]:
        """How the gateway closes it, whatever it says before."""
        with suppress(ConnectionClosed):
            while True:
                await self.next()
        return self.socket.close_code, self.socket.close_reason


@dataclass
class Stream:
    """An event stream as it is read."""

    response: httpx.Response
    lines: AsyncIterator[str]

    async def next(self) -> tuple[str, Any]:
        """The next event and its data; heartbeats are passed over."""
        event, data = "", ""
        async with asyncio.timeout(PATIENCE):
            async for line in self.lines:
                if not line and event:
                    return event, json.loads(data) if data else None
                name, _, value = line.partition(":")
                event, data = (value.strip(), data) if name == "event" else (event, value.strip() or data)
        raise EOFError


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # they are pytest's


@asynccontextmanager
async def served(
    environ: Mapping[str, str],
    database: Path | str,
    upstream: list[UpstreamCall],
    shedder: LoadShedder | None = None,
) -> AsyncIterator[Served]:
    """The gateway with these settings, over a SQLite file or another database, as `serve` puts it on a socket."""
    url = f"sqlite:///{database}" if isinstance(database, Path) else database
    if isinstance(database, Path):
        await give_tables(database)
    settings = read_settings({"SWITCHBOARD_DATABASE_URL": url, **PATIENT, **environ}, VENDORS)
    app, draining = create_app(settings, shedder or Unhurried()), asyncio.Event()
    sock = bound_socket("127.0.0.1", 0)
    config = uvicorn.Config(
        _with_state(app, {DRAINING: draining}),
        http=sending.Http,
        ws=sending.WebSockets,
        ws_max_size=LARGEST_BODY,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    config.send_seconds = settings.send_seconds  # type: ignore[attr-defined]  # app.serving's own has it
    where = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with serving(config, sock), httpx.AsyncClient(base_url=where, timeout=PATIENCE) as http:
        try:
            yield Served(http, app, upstream, settings, where, draining)
        finally:
            draining.set()


@asynccontextmanager
async def serving(config: uvicorn.Config, sock: socket.socket) -> AsyncIterator[None]:
    """Serves an app in this event loop until the block ends."""
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        await _started(server, task)
        yield
    finally:
        server.should_exit = True
        await task


def _with_state(app: Starlette, state: Mapping[str, Any]) -> ASGIApp:
    async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"].update(state)
        await app(scope, receive, send)

    return with_state


async def _started(server: uvicorn.Server, serving: asyncio.Task[None]) -> None:
    while not server.started:  # uvicorn has no event for it
        assert not serving.done()
        await asyncio.sleep(0.01)
