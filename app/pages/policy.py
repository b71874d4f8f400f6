"""What a page may do in a browser: its own scripts and styles, from this server, and nothing else."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
_COMMON = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def new_nonce() -> str:
    """What marks the scripts of one answer as its own."""
    return secrets.token_urlsafe(18)


def page(body: Markup, policy: Mapping[str, str], status: int = 200) -> HTMLResponse:
    """A page under a Content-Security-Policy (https://www.w3.org/TR/CSP3/)."""
    text = "; ".join(f"{directive} {sources}" for directive, sources in policy.items())
    return HTMLResponse(str(body), status, {**_COMMON, "content-security-policy": text})


def own_only(nonce: str) -> dict[str, str]:
    """Scripts with the nonce and files of this server; no forms sent anywhere, no frames around or within."""
    return {
        "default-src": "'none'",
        "script-src": f"'self' 'nonce-{nonce}'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }


def for_graphiql(nonce: str, request: Request, *elsewhere: str) -> dict[str, str]:
    """GraphiQL's editor writes style elements and attributes as it goes; its fonts stand in its styles as data.

    `elsewhere`: other places that scripts and styles may come from.
    """
    more = "".join(f" {each}" for each in elsewhere)
    return own_only(nonce) | {
        "script-src": f"'self' 'nonce-{nonce}'{more}",
        "style-src": f"'self' 'unsafe-inline'{more}",
        "font-src": f"'self' data:{more}",
        "connect-src": f"'self'{_sockets(request)}",
        "worker-src": "'self'",
    }


def _sockets(request: Request) -> str:
    """The same server by WebSocket, which not every browser takes for 'self'."""
    host = request.headers.get("host", "")
    return f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
