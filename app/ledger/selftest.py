"""Tries at every start whether the hook before the first byte does what the ledger relies on.

The names of httpcore's events are no promise (https://www.python-httpx.org/advanced/extensions/#trace). Where the hook does not run
exactly once, before anything has left, SENDING is committed before the call: safe, only with more writes in doubt.
"""

from __future__ import annotations

import asyncio

import httpx

from app.rest import FIRST_BYTE

_SECONDS = 2.0
_ANSWER = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


async def hook_is_sound() -> bool:
    """Whether, on a connection of its own on loopback, the hook ran once and before the server had received a byte."""
    received = bytearray()
    before: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"\r\n\r\n" not in received:
            received.extend(await reader.read(1024))
        writer.write(_ANSWER)
        await writer.drain()
        writer.close()

    async def trace(event: str, _: object) -> None:
        if event == FIRST_BYTE:
            await asyncio.sleep(0)
            before.append(len(received))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    async with server, httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(_SECONDS):
        await client.post(f"http://{host}:{port}/", content=b"{}", extensions={"trace": trace})
    return before == [0] and bool(received)
