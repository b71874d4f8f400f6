"""Which other sites' pages may ask (https://fetch.spec.whatwg.org/#http-cors-protocol): none, unless their origin is listed.

No credentials are ever allowed: there are no cookies here, and the key that a page sends is its own.
"""

from __future__ import annotations

from starlette.types import Message, Scope, Send

from app.answers import Answer
from app.whole import HEADED

METHODS = b"GET, POST"
REQUEST_HEADERS = (
    b"accept, authorization, content-type, idempotency-key, traceparent, x-api-key, x-cost, x-request-id, "
    b"x-request-timeout-ms, x-vendor-calls, apollo-require-preflight, graphql-require-preflight"
)
RESPONSE_HEADERS = b"ratelimit, ratelimit-policy, retry-after, x-request-id"
_SECONDS = b"600"
_VARY = (b"vary", b"Origin")
_EXPOSED = (b"access-control-expose-headers", RESPONSE_HEADERS)


class Cors:
    """Tells browsers that the pages of these origins may ask."""

    def __init__(self, origins: frozenset[str]) -> None:
        self._origins = frozenset(each.encode() for each in origins)

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._origins)

    def allowed(self, scope: Scope) -> bytes | None:
        """The origin of the page that asks, if it may."""
        return next((value for name, value in scope["headers"] if name == b"origin" and value in self._origins), None)

    def preflight(self, scope: Scope) -> Answer | None:
        """What a browser is told before it asks, beside what `sending` adds; None if it asks already."""
        if scope["method"] != "OPTIONS" or not any(n == b"access-control-request-method" for n, _ in scope["headers"]):
            return None
        headers = [
            (b"access-control-allow-methods", METHODS),
            (b"access-control-allow-headers", REQUEST_HEADERS),
            (b"access-control-max-age", _SECONDS),
        ]
        return Answer(204, headers, b"")

    def sending(self, send: Send, origin: bytes | None) -> Send:
        """`send`, with what lets the page of an origin read the answer, and keeps caches from giving it to another."""
        headers = [_VARY] if origin is None else [_VARY, _EXPOSED, (b"access-control-allow-origin", origin)]

        async def sent(message: Message) -> None:
            if message["type"] in HEADED:
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        return sent
