"""The front of the gateway: GraphQL goes straight to its endpoint, the rest through a router."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from app.answers import Answers
from app.bad_request import BadRequest
from app.cors import Cors
from app.live.websocket import deny
from app.negotiation import JSON_TYPE
from app.telemetry import current_request_id
from app.telemetry.requests import REFUSED, named

PATH = "/graphql"
PROBES = frozenset({"/livez", "/readyz"})
"""Asked by address, by who watches over the process."""

_PORT = re.compile(r":\d*$")


class Front(Starlette):
    """Starlette, with one path that does not pay for it. Every request has an ID, also those that are refused.

    `hosts` are the names it is reached under; empty for any.
    """

    def __init__(
        self,
        endpoint: ASGIApp,
        refused: Callable[[int], None],
        hosts: frozenset[str],
        cors: Cors,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._endpoint = endpoint
        self._hosts = hosts
        self._cors = cors
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            scope.get("state", {})[REFUSED] = self._refused
            await super().__call__(scope, receive, send)
            return
        send = named(scope, send, self._refused)
        if scope["type"] == "websocket":
            await self._connect(scope, receive, send)
            return
        origin = None
        if self._cors:
            origin = self._cors.allowed(scope)
            send = self._cors.sending(send, origin)
        refused = self._check_host(scope)
        if refused is not None:
            app: ASGIApp = Answers(JSON_TYPE, current_request_id()).bad(refused)
        elif origin is not None and (preflight := self._cors.preflight(scope)) is not None:
            app = preflight
        else:
            app = self._endpoint if scope["path"] == PATH else super().__call__
        await app(scope, receive, send)

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._check_host(scope)
        if refused is None and scope["path"] != PATH:
            refused = BadRequest(404, "NOT_FOUND", f"Nothing is served here. Connect to {PATH}.")
        if refused is not None:
            await deny(WebSocket(scope, receive, send), refused)
        else:
            await super().__call__(scope, receive, send)

    def _check_host(self, scope: Scope) -> BadRequest | None:
        """RFC 9112, section 3.2: who does not say to whom it speaks, or says it twice, is refused."""
        times, host = 0, b""
        for name, value in scope["headers"]:
            if name == b"host":
                times, host = times + 1, value
        if times != 1 and not (scope.get("http_version") == "1.0" and not times):
            return BadRequest(400, "BAD_REQUEST", "Send one Host header.")
        if not self._hosts or scope["path"] in PROBES:
            return None
        if _PORT.sub("", host.decode("latin-1").lower()) in self._hosts:
            return None
        return BadRequest(421, "MISDIRECTED_REQUEST", "Nothing is served under this name.")
