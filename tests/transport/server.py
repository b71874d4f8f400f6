"""A raw server that says what a test tells it to, and a client of the gateway that calls it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from app.transport.client import IDLE_SECONDS, Client
from app.transport.seam import Reply, Request
from app.transport.tls import open_tls

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
MOST = 1024


@dataclass
class Visit:
    """One connection as the server sees it: `number` counts them from 1."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    requests: list[bytes]

    async def request(self) -> bytes:
        """The next request, whole; empty where the client has hung up."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        sizes = [line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        request = head + await self.reader.readexactly(int(sizes[0]) if sizes else 0)
        self.requests.append(request)
        return request

    async def hang_up(self) -> None:
        """Says that nothing will follow, and returns when the client has hung up too."""
        self.writer.write_eof()
        await self.reader.read()

    async def say(self, *parts: bytes) -> None:
        """Each part by itself."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()


Behaviour = Callable[[Visit], Awaitable[None]]


@dataclass
class Server:
    """What was asked of it, and over how many connections; `closed` has the numbers of those that have ended."""

    port: int = 0
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    closed: asyncio.Queue[int] = field(default_factory=asyncio.Queue)

    async def next_closed(self) -> int:
        """The number of the next connection to end, within a minute."""
        return await asyncio.wait_for(self.closed.get(), 60)


def answering(*parts: bytes) -> Behaviour:
    """Answers every request so, and keeps the connection."""

    async def behave(visit: Visit) -> None:
        while await visit.request():
            await visit.say(*parts)

    return behave


def answering_once(*parts: bytes) -> Behaviour:
    """Answers one request so, and closes the connection."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(*parts)

    return behave


@asynccontextmanager
async def serving(behave: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A server on a port of its own until the block ends."""
    server = Server()
    tasks: set[asyncio.Task[Any]] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        number = server.connections
        try:
            await behave(Visit(number, reader, writer, server.requests))
        except (OSError, asyncio.CancelledError):
            return  # the client has gone, or the test is over
        finally:
            writer.close()
            server.closed.put_nowait(number)
            tasks.discard(task)

    listener = await asyncio.start_server(visit, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def untraced(_event: str, _info: Mapping[str, Any]) -> None:
    """A trace that nobody follows."""


@asynccontextmanager
async def calling(
    server: Server, headers: Mapping[str, str] | None = None, *, idle_seconds: float = IDLE_SECONDS
) -> AsyncIterator[Client]:
    """A client of the server, over plain HTTP."""
    address = f"http://127.0.0.1:{server.port}"
    client = Client(address, headers or {}, open_tls, connect_seconds=5, idle_seconds=idle_seconds)
    try:
        yield client
    finally:
        await client.close()


async def ask(client: Client, request: Request | None = None) -> Reply:
    """The answer to a request, within a minute."""
    async with asyncio.timeout(60):
        return await client.exchange(request or Request("GET", "/"), untraced, MOST)
