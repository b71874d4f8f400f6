"""A transport for what most gateways never call: it is opened at the first call.

What verifies certificates and httpcore cost every start a twentieth of a second, and megabytes.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx


class LateTransport(httpx.AsyncBaseTransport):
    """`opens` makes the transport."""

    def __init__(self, opens: Callable[[], httpx.AsyncBaseTransport]) -> None:
        self._opens = opens
        self._opened: httpx.AsyncBaseTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._opened is None:
            self._opened = self._opens()
        return await self._opened.handle_async_request(request)

    async def aclose(self) -> None:
        if self._opened is not None:
            await self._opened.aclose()
