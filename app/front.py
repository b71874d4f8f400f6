"""The front of the gateway: GraphQL goes straight to its endpoint, the rest through a router."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from app.telemetry.requests import Requests

PATH = "/graphql"


class Front(Starlette):
    """Starlette, with one path that does not pay for it. Every request has an ID, also those that are refused."""

    def __init__(self, endpoint: ASGIApp, refused: Callable[[int], None], **options: Any) -> None:
        super().__init__(**options)
        self._endpoint = endpoint
        self._requests = Requests(self._route, refused)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._requests(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
