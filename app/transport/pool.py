"""The connections to one origin: made when they are needed, kept while they are good, the last used first."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque

import httpx

from app.transport.connection import Connection
from app.transport.seam import CONNECTING, Trace

MOST_IDLE = 100
"""How many unused connections are kept. How many are used is for the bulkhead to bound."""


class Pool:
    """`tls` is None for plain HTTP; otherwise the server's certificate must be good for `host`."""

    def __init__(
        self, host: str, port: int, tls: ssl.SSLContext | None, *, connect_seconds: float, idle_seconds: float
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._idle: deque[Connection] = deque()
        self._open: set[Connection] = set()
        self._sweep: asyncio.TimerHandle | None = None
        self._gone = asyncio.Event()

    def kept(self) -> Connection | None:
        """A connection that was kept."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable():
                return connection
            connection.abort()
        return None

    async def take(self, trace: Trace | None) -> Connection:
        """A connection, kept or new. Raises httpx.ConnectError, ConnectTimeout."""
        connection = self.kept()
        if connection is not None:
            return connection
        if trace is not None:
            await trace(CONNECTING, {})
        return await self._connect()

    def give_back(self, connection: Connection) -> None:
        """Keeps a connection for later, if there is room."""
        if len(self._idle) >= MOST_IDLE:
            connection.abort()
            return
        self._idle.append(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(self._idle_seconds, self._drop_expired)

    def renew(self) -> None:
        """Keeps no connection that there is now: what is unused ends at once, the others when they have answered."""
        self._idle.clear()
        for connection in list(self._open):
            connection.retire()

    async def close(self) -> None:
        """Ends every connection, and returns when they have gone."""
        if self._sweep is not None:
            self._sweep.cancel()
        self._idle.clear()
        for connection in list(self._open):
            connection.abort()
        while self._open:
            self._gone.clear()
            await self._gone.wait()

    async def _connect(self) -> Connection:
        server_name = self._host if self._tls else None
        try:
            async with asyncio.timeout(self._connect_seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self.give_back, self._lost, self._idle_seconds),
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=server_name,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError("no connection") from error
        self._open.add(connection)
        return connection

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._gone.set()

    def _drop_expired(self) -> None:
        self._sweep = None
        while self._idle and not self._idle[0].is_usable():
            self._idle.popleft().abort()
        if self._idle:
            self._sweep = asyncio.get_running_loop().call_later(self._idle_seconds, self._drop_expired)
