"""The front of the gateway: GraphQL goes straight to its endpoint, the rest through a router."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/graphql"


class Front(Starlette):
    """Starlette, with one path that does not pay for it."""

    def __init__(self, endpoint: ASGIApp, **options: Any) -> None:
        super().__init__(**options)
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await self._endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
