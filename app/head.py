"""The head of an HTTP request, read without a framework: every request pays for this."""

from __future__ import annotations

from starlette.types import Scope

from app.bad_request import BadRequest
from app.whole import REQUEST, takes

# What would mean two things if it stood twice: a proxy may have believed the other one.
_SINGLE = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"x-api-key",
    }
)


class Head:
    """Method, headers and query string; names of headers are in lower case."""

    __slots__ = ("_headers", "_pairs", "body", "client", "method", "query_string")

    def __init__(self, scope: Scope) -> None:
        self._pairs: list[tuple[bytes, bytes]] = scope["headers"]
        self._headers = dict(self._pairs)
        self.method: str = scope["method"]
        self.query_string: bytes = scope.get("query_string", b"")
        self.body: bytes | None = scope["extensions"][REQUEST]["body"] if takes(scope, REQUEST) else None
        """Its body, if that is there already."""
        self.client: str = (scope.get("client") or ("",))[0]

    def get(self, name: bytes) -> str | None:
        """A header's value; Latin-1, as HTTP has it."""
        value = self._headers.get(name)
        return None if value is None else value.decode("latin-1")

    def raw(self, name: bytes) -> bytes | None:
        return self._headers.get(name)

    def check(self) -> None:
        """Raises BadRequest if a header that may stand once stands twice."""
        if len(self._headers) == len(self._pairs):
            return
        names = [name for name, _ in self._pairs]
        for name in _SINGLE:
            if names.count(name) > 1:
                raise BadRequest(400, "BAD_REQUEST", f"The header {name.decode()} stands more than once: send it once.")
