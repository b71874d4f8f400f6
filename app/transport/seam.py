"""What a call to a vendor needs of HTTP, whoever provides it: this gateway's own client, or httpx in tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

FIRST_BYTE = "http11.send_request_headers.started"
"""The event after the connection stands and before the first byte of the request leaves, named as httpcore names it."""

CONNECTING = "connection.connect_tcp.started"
"""The event before a new connection is made; httpcore's events of that time begin alike."""

Trace = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Is told of an event before it happens; what it raises keeps it from happening."""


class Asked(Protocol):
    """What is asked: `path` begins with a slash and is percent-encoded, `content` is JSON."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> Mapping[str, str | int] | None: ...
    @property
    def content(self) -> bytes | None: ...


class Request(NamedTuple):
    """What is asked, and nothing else."""

    method: str
    path: str
    query: Mapping[str, str | int] | None = None
    content: bytes | None = None


@dataclass(slots=True)  # not frozen: each call makes one, and that takes longer
class Reply:
    """A complete answer. Names of headers are in lower case; repeated ones are joined by commas (RFC 9110, section 5.3)."""

    status: int
    headers: Mapping[bytes, bytes]
    content: bytes
    """As it was sent, compressed or not. More than the most that was asked for means that the rest was left unread."""


class Http(Protocol):
    """One vendor's address, with the headers that open it."""

    async def exchange(self, request: Asked, trace: Trace | None, most: int) -> Reply:
        """One request, and its answer with a body of up to `most` bytes. Raises the errors of httpx, but ConnectError and
        ConnectTimeout only if nothing of the request has left: it connects no more after that.
        """

    def renew(self) -> None:
        """Has requests that are not under way yet sent on new connections."""
