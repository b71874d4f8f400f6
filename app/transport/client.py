"""Writes requests to one vendor, and has them answered over its pool of connections."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping
from urllib.parse import urlencode, urlsplit

import httpx

from app.transport.connection import Connection
from app.transport.pool import Pool
from app.transport.seam import FIRST_BYTE, Asked, Reply, Trace

IDLE_SECONDS = 30.0
"""For how long an unused connection is kept: less than servers commonly do. One that says how long it does is believed."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""RFC 9110, section 5.6.2."""

_METHODS = frozenset({"DELETE", "GET", "PATCH", "POST", "PUT"})

_TARGET = re.compile(r"/[!\"$-~]*")
"""Visible characters of ASCII, but no fragment."""

_VALUE = re.compile(r"[!-~](?:[\t -~]*[!-~])?")
_DOTS = re.compile(r"/\.{1,2}(?:[/?]|$)")
_PORTS = {"http": 80, "https": 443}


class Client:
    """Calls `base_url`, with these headers on every request. They open the vendor, so nothing shows them."""

    def __init__(
        self,
        base_url: str,
        headers: Mapping[str, str],
        tls: Callable[[], ssl.SSLContext],
        *,
        connect_seconds: float,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        url = urlsplit(base_url)
        self._path = url.path.rstrip("/")
        self._head = _fields({"host": url.netloc.rpartition("@")[2], **headers, "connection": "keep-alive"})
        self._pool = Pool(
            url.hostname or "",
            url.port or _PORTS[url.scheme],
            tls() if url.scheme == "https" else None,
            connect_seconds=connect_seconds,
            idle_seconds=idle_seconds,
        )

    async def exchange(self, request: Asked, trace: Trace | None, most: int) -> Reply:
        """One request, and its answer with a body of up to `most` bytes. Raises the errors of httpx."""
        written = self._write(request)
        connection = self._pool.kept() or await self._pool.take(trace)
        if trace is not None:
            connection = await self._announce(connection, trace)
        waiter = connection.send(written, most)
        try:
            return await waiter
        except asyncio.CancelledError:
            connection.forsake(waiter)
            raise

    def renew(self) -> None:
        """Has requests that are not under way yet sent on new connections."""
        self._pool.renew()

    async def close(self) -> None:
        """Ends every connection."""
        await self._pool.close()

    async def _announce(self, connection: Connection, trace: Trace) -> Connection:
        """Tells of the first byte, and returns the connection on which it may leave now."""
        try:
            await trace(FIRST_BYTE, {})
        except BaseException:
            self._pool.give_back(connection)  # nothing has left on it
            raise
        return connection if connection.is_open else await self._pool.take(trace)  # the server closed it meanwhile

    def _write(self, request: Asked) -> bytes:
        target = self._path + request.path
        if request.query:
            target = f"{target}?{urlencode(request.query)}"
        is_good = request.method in _METHODS and _TARGET.fullmatch(target)
        if not is_good or ("/." in target and _DOTS.search(target)):
            raise httpx.LocalProtocolError("a method or path that can't be sent")
        start = f"{request.method} {target} HTTP/1.1\r\n"
        if request.content:
            sized = f"content-type: application/json\r\ncontent-length: {len(request.content)}\r\n\r\n"
            return (start + self._head + sized).encode("ascii") + request.content
        return (start + self._head + ("\r\n" if request.method == "GET" else "content-length: 0\r\n\r\n")).encode(
            "ascii"
        )


def _fields(headers: Mapping[str, str]) -> str:
    """Header fields as they are written. Raises httpx.LocalProtocolError, without the value."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise httpx.LocalProtocolError("a header that can't be sent")
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
