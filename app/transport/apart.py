"""A way to partners whose hosts are looked up apart, each in a thread that nobody waits for.

The event loop looks names up in a few threads, vendors' too, and waits for all of them when it ends: name servers that are silent
would hold each for many seconds.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from contextlib import suppress
from threading import Thread

import httpcore
import httpx

_MOST = 64
"""How many hosts are looked up at a time."""


class ApartTransport(httpx.AsyncHTTPTransport):
    """httpx's own, over such a way: what verifies certificates goes by the host's name all the same."""

    def __init__(self, limits: httpx.Limits) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_Apart(),
        )


class _Apart(httpcore.AnyIOBackend):
    """Looks each host up once at a time, for all who wait for it."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[list[str]]] = {}

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """To the first of the host's addresses that takes the connection; each has its share of the time."""
        addresses = await self._look_up(host)
        share = timeout and timeout / max(len(addresses), 1)
        failure: Exception = httpcore.ConnectError("the host has no address")
        for address in addresses:
            try:
                return await super().connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _look_up(self, host: str) -> list[str]:
        if host not in self._under_way:
            if len(self._under_way) >= _MOST:
                raise httpcore.ConnectError("too many hosts are being looked up")
            self._start(host, asyncio.get_running_loop())
        return await asyncio.shield(self._under_way[host])

    def _start(self, host: str, loop: asyncio.AbstractEventLoop) -> None:
        found: asyncio.Future[list[str]] = loop.create_future()

        def end(addresses: list[str]) -> None:
            del self._under_way[host]
            found.set_result(addresses)

        def run() -> None:
            addresses = _addresses(host)
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(end, addresses)

        Thread(target=run, name="look-up", daemon=True).start()
        self._under_way[host] = found


def _addresses(host: str) -> list[str]:
    """None for a host that can't be looked up."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(address[0]) for *_, address in found))
