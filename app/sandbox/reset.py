"""A sandbox that can be brought back to how it started."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/_sandbox"


class Resettable:
    """Serves what `build` makes, and on `DELETE /_sandbox` what it makes anew.

    No vendor has that path. A web page of another origin can't ask for it: DELETE takes a preflight (Fetch, section 4.8).
    """

    def __init__(self, build: Callable[[], ASGIApp]) -> None:
        self._build = build
        self._app = build()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (scope.get("method"), scope["path"]) == ("DELETE", PATH):
            self._app = self._build()
            await Response(status_code=204)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
