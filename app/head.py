"""The head of an HTTP request, read without a framework: every request pays for this."""

from __future__ import annotations

from starlette.types import Scope

from app.bad_request import BadRequest
from app.whole import REQUEST

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
    """Method, headers and query string. `headers` are by name, in lower case; of one that stands twice it holds the last.

    Of `accept` it holds all lines, as one list (RFC 9110, section 5.3): some clients send a line for each type.
    """

    __slots__ = ("_pairs", "body", "client", "headers", "method", "query_string")

    def __init__(self, scope: Scope) -> None:
        self._pairs: list[tuple[bytes, bytes]] = scope["headers"]
        self.headers = dict(self._pairs)
        if len(self.headers) < len(self._pairs) and b"accept" in self.headers:
            self.headers[b"accept"] = b", ".join([value for name, value in self._pairs if name == b"accept"])
        self.method: str = scope["method"]
        self.query_string: bytes = scope.get("query_string", b"")
        whole = (scope.get("extensions") or {}).get(REQUEST)
        self.body: bytes | None = None if whole is None else whole["body"]
        """Its body, if that is there already."""
        self.client: str = (scope.get("client") or ("",))[0]

    def get(self, name: bytes) -> str | None:
        """A header's value; Latin-1, as HTTP has it."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")

    def check(self) -> None:
        """Raises BadRequest if a header that may stand once stands twice."""
        if len(self.headers) == len(self._pairs):
            return
        names = [name for name, _ in self._pairs]
        for name in _SINGLE:
            if names.count(name) > 1:
                raise BadRequest(400, "BAD_REQUEST", f"The header {name.decode()} stands more than once: send it once.")
