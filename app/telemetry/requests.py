"""The ID of every request: the caller's own, where it is harmless, or a new one; it is answered and logged."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

from starlette.types import Message, Scope, Send

from app.whole import HEADED

REFUSED = "refused"
"""In the state that the server hands to the app, for what the server refuses itself: is told of each such status."""

_HEADER = b"x-request-id"
_HARMLESS = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_REQUEST_ID: ContextVar[str | None] = ContextVar("request_id", default=None)


def named(scope: Scope, send: Send, refused: Callable[[int], None]) -> Send:
    """Gives a request its ID; what it sends has it in X-Request-Id, and `refused` is told of a status above 399."""
    request_id = _chosen(scope)
    _REQUEST_ID.set(request_id)

    async def answering(message: Message) -> None:
        if message["type"] in HEADED:
            headers = message.setdefault("headers", [])
            for name, _ in headers:
                if name == _HEADER:
                    break
            else:
                message["headers"] = [*headers, (_HEADER, request_id.encode())]
            if message.get("status", 101) >= 400:
                refused(message["status"])
        await send(message)

    return answering


def server_refused(state: Mapping[str, Any], status: int) -> None:
    """The server itself has answered with a status above 399."""
    if REFUSED in state:
        state[REFUSED](status)


def current_request_id() -> str:
    """The ID of the request at hand; a new one outside of any."""
    return _REQUEST_ID.get() or new_request_id()


def known_request_id() -> str | None:
    """The ID of the request at hand, if there is one."""
    return _REQUEST_ID.get()


def new_request_id() -> str:
    """Sixteen hexadecimal digits."""
    return f"{random.getrandbits(64):016x}"  # no secret, and no call of the system for it


def _chosen(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == _HEADER:
            return value.decode("ascii") if _HARMLESS.fullmatch(value) else new_request_id()
    return new_request_id()
