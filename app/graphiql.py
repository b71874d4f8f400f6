"""GraphiQL for browsers; it needs no key, what it asks does."""

from __future__ import annotations

import json
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.http.ides import get_graphql_ide_html

from app.security.keys import SANDBOX_KEY

_PREFILLED = "?headers=" + quote(json.dumps({"authorization": f"Bearer {SANDBOX_KEY}"}))


def graphiql(*, takes_sandbox_key: bool) -> ASGIApp:
    """The page as an ASGI app; with the sandboxes' key filled in where it is taken."""

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        response: Response = HTMLResponse(get_graphql_ide_html(), headers={"cache-control": "no-store"})
        if takes_sandbox_key and "headers" not in request.query_params:
            response = RedirectResponse(request.url.path + _PREFILLED, 302)
        await response(scope, receive, send)

    return page
