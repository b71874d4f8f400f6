"""A vendor that misbehaves on the wire: a TCP server that reads a request and then does what it was told."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.vendors.upstream import fixture

MARK = "mark-of-the-vendor"
"""Stands in every header, body and address that a caller must never see."""

HTML = f"<html><body>{MARK}</body></html>".encode()
Fault = Callable[["Connection"], Awaitable[None]]


@dataclass
class Connection:
    """One request as it came, and the way back."""

    request: bytes
    writer: asyncio.StreamWriter

    def record(self) -> bytes:
        """What a well-behaved vendor would answer: a contact, a page of contacts, or an activity."""
        target = self.request.split(b" ", 2)[1]
        if b"/activity" in target:
            return json.dumps(fixture("reevo/activity")).encode()
        return json.dumps(fixture("bird/contact" if self.request.startswith(b"POST") else "bird/contacts")).encode()

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()


@dataclass
class FaultyVendor:
    """The server. `requests` is every request that reached it, whole."""

    port: int
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def head(status: int, length: int | None, *lines: str) -> bytes:
    """A status line and headers; without a length the connection's end is the body's."""
    own = ["content-type: application/json", f"x-{MARK}: {MARK}", f"set-cookie: {MARK}={MARK}", *lines]
    sized = [*own, f"content-length: {length}"] if length is not None else own
    return "\r\n".join([f"HTTP/1.1 {status} {MARK}", *sized, "", ""]).encode()


def reply(status: int, body: bytes, *lines: str) -> Fault:
    """A whole answer with this body."""

    async def fault(connection: Connection) -> None:
        await connection.send(head(status, len(body), *lines), body)

    return fault


def record(status: int, *, before: bytes = b"", after: bytes = b"") -> Fault:
    """The documented record with this status, with more before and after it."""

    async def fault(connection: Connection) -> None:
        body = connection.record()
        await connection.send(before, head(status, len(body)), body, after)

    return fault


def raw(content: bytes) -> Fault:
    async def fault(connection: Connection) -> None:
        await connection.send(content)

    return fault


def redirect(status: int, to: str) -> Fault:
    return reply(status, HTML, f"location: {to}")


async def close(_: Connection) -> None:
    """Closes without a byte."""


async def reset(connection: Connection) -> None:
    """Resets the connection (RST)."""
    connection.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.writer.transport.abort()


async def silence(_: Connection) -> None:
    """Never answers."""
    await asyncio.Event().wait()


async def drip_headers(connection: Connection) -> None:
    """A byte of a header now and then, for ever."""
    await _drip(connection, f"HTTP/1.1 201 Created\r\nx-{MARK}: ".encode())


async def drip_body(connection: Connection) -> None:
    """A byte of the body now and then, for ever."""
    await _drip(connection, head(201, 1_000_000))


async def half_a_body(connection: Connection) -> None:
    body = connection.record()
    await connection.send(head(201, len(body)), body[: len(body) // 2])


async def half_a_chunk(connection: Connection) -> None:
    body = connection.record()
    size = f"{len(body):x}\r\n".encode()
    await connection.send(head(201, None, "transfer-encoding: chunked"), size, body[: len(body) // 2])


async def compressed(connection: Connection) -> None:
    """The record in gzip, though identity was asked for."""
    body = gzip.compress(connection.record())
    await connection.send(head(201, len(body), "content-encoding: gzip"), body)


async def half_compressed(connection: Connection) -> None:
    body = gzip.compress(connection.record())[:-40]
    await connection.send(head(201, len(body), "content-encoding: gzip"), body)


async def bomb(connection: Connection) -> None:
    """Sixteen MiB of spaces in sixteen KiB."""
    body = gzip.compress(b" " * (16 * 1024 * 1024), 9)
    await connection.send(head(201, len(body), "content-encoding: gzip"), body)


async def large(connection: Connection) -> None:
    """Five MiB, chunk by chunk, no length told."""
    await connection.send(head(201, None), *[b" " * 65536] * 80)


@asynccontextmanager
async def faulty(fault: Fault) -> AsyncIterator[FaultyVendor]:
    """Serves one fault on a port of its own until the block ends."""
    running: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            request = await _read(reader)
            vendor.requests.append(request)
            await fault(Connection(request, writer))
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            return  # the caller has gone, or the test is over
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    vendor = FaultyVendor(server.sockets[0].getsockname()[1])
    try:
        yield vendor
    finally:
        server.close()
        for task in list(running):
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> bytes:
    """A request with its body."""
    content = await reader.readuntil(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in content.lower().split(b"\r\n") if line.startswith(b"content-length")]
    return content + await reader.readexactly(int(lengths[0]) if lengths else 0)


async def _drip(connection: Connection, start: bytes) -> None:
    await connection.send(start)
    while True:
        await connection.send(b"x")
        await asyncio.sleep(0.05)
