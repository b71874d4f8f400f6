"""What is answered: the JSON of results and refusals, with what failed in words that give nothing away."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError
from starlette.types import Receive, Scope, Send

from app.bad_request import BadRequest
from app.database import is_unavailable
from app.negotiation import JSON_TYPE, RESPONSE_TYPE
from app.telemetry import describe
from app.whole import RESPONSE, in_parts
from schema.errors import GatewayError, LedgerUnavailable

_log = logging.getLogger(__name__)
_COMMON = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
_TYPES = {each: (b"content-type", f"{each}; charset=utf-8".encode()) for each in (JSON_TYPE, RESPONSE_TYPE)}
_UNAVAILABLE = {
    "message": "The database does not answer, so this can't be told right now. Try again later.",
    "extensions": {"code": LedgerUnavailable.code},
}
_UNPROCESSABLE = frozenset({"GRAPHQL_VALIDATION_FAILED", "OPERATION_RESOLUTION_FAILURE", "BAD_USER_INPUT"})


@dataclass(slots=True)  # not frozen: that takes thrice the time, for every request
class Answer:
    """An HTTP answer, which is an ASGI app that gives it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's signature
        headers = self.headers
        if self.status != 204:  # RFC 9110, section 8.6
            headers = [*headers, (b"content-length", b"%d" % len(self.body))]
        message = {"type": RESPONSE, "status": self.status, "headers": headers, "body": self.body}
        if RESPONSE in (scope.get("extensions") or ()):
            await send(message)
            return
        for part in in_parts(message):
            await send(part)


@dataclass(slots=True)
class Answers:
    """Answers to one request, in the media type that it accepts.

    `newest` takes the status codes of the edition of September 2026 where they differ: 422 for what can be parsed and not
    run, 294 for data with errors. Both only under GraphQL's own media type, as the specification has it.
    """

    media_type: str
    request_id: str
    newest: bool = False
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """What every answer to this request carries besides."""

    def result(self, result: ExecutionResult, extensions: Mapping[str, Any] | None = None) -> Answer:
        """The answer to an operation that was run."""
        if result.errors and result.data is None and all(error.path is None for error in result.errors):
            return self.refused(result.errors)  # the variables were wrong
        body = self.payload(result)
        if extensions:
            body["extensions"] = extensions
        is_partial = self.newest and bool(result.errors) and self.media_type == RESPONSE_TYPE
        return self._answer(294 if is_partial else 200, body)

    def payload(self, result: ExecutionResult) -> dict[str, Any]:
        """The JSON of what an operation that was run came to."""
        if result.errors is None:
            return {"data": result.data}
        return {"data": result.data, "errors": self.errors(result.errors)}

    def errors(self, errors: Sequence[GraphQLError], *, suggests: bool = False) -> list[dict[str, Any]]:
        """Their JSON, each with a code; what is the gateway's own fault is logged, and masked."""
        return [self._format(error, suggests=suggests) for error in errors]

    def refused(self, errors: Sequence[GraphQLError], *, suggests: bool = False) -> Answer:
        """The answer where nothing was run: it has no data (GraphQL specification, Response Format)."""
        shown = self.errors(errors, suggests=suggests)
        return self._answer(self._status_of(shown), {"errors": shown})

    def bad(self, refused: BadRequest) -> Answer:
        """The answer to what is no GraphQL request, or not from somebody who may ask."""
        error = {"message": str(refused), "extensions": {"code": refused.code, **refused.facts}}
        headers = [(name.encode(), value.encode()) for name, value in refused.headers.items()]
        return self._answer(refused.status, {"errors": [error]}, headers)

    def failed(self, error: Exception) -> Answer:
        """What is wrong with the gateway itself."""
        _log.error("internal error", extra={"request_id": self.request_id, **describe(error)})
        return self._answer(500, {"errors": [self._masked()]})

    def _status_of(self, errors: Sequence[Mapping[str, Any]]) -> int:
        if self.media_type == JSON_TYPE:
            return 200
        return 422 if self.newest and errors[0]["extensions"]["code"] in _UNPROCESSABLE else 400

    def _format(self, error: GraphQLError, *, suggests: bool = False) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "message": _message(error, suggests=suggests),
            "locations": [each.formatted for each in error.locations or ()],
        }
        if error.path is not None:
            shown["path"] = error.path
        original = error.original_error
        if original is None or isinstance(original, GraphQLError):
            return shown | {"extensions": {"code": "BAD_USER_INPUT", **(error.extensions or {})}}
        if isinstance(original, GatewayError):
            return shown | {"extensions": original.extensions}
        extra = {"request_id": self.request_id, "path": error.path, **describe(original)}
        if is_unavailable(original):
            _log.error("the database does not answer", extra=extra)
            return shown | _UNAVAILABLE
        _log.error("internal error", extra=extra)
        return shown | self._masked()

    def _masked(self) -> dict[str, Any]:
        return {"message": "Internal error", "extensions": {"code": "INTERNAL_ERROR", "requestId": self.request_id}}

    def _answer(self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
        request_id = (b"x-request-id", self.request_id.encode())
        return Answer(status, [_TYPES[self.media_type], request_id, *_COMMON, *self.headers, *headers], encode(body))


def _message(error: GraphQLError, *, suggests: bool) -> str:
    """Without what GraphQL adds to its own: a copy of the whole input, and guesses at what was meant."""
    text, quoted, _ = error.message.partition(", found: ")
    if quoted:
        return f"{text}."
    return text if suggests else text.partition(" Did you mean ")[0]


def encode(body: Any) -> bytes:
    """UTF-8 JSON. What a vendor let through that JSON has no form for becomes null or an escape, never a failure."""
    try:
        return orjson.dumps(body)  # NaN and Infinity become null
    except TypeError:  # an integer beyond 64 bits, half of a surrogate pair, or what is nested deeper than it goes
        return _encode_carefully(body)


def _encode_carefully(body: Any) -> bytes:
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_as_value).encode()
    except ValueError:  # NaN, Infinity, or half of a surrogate pair (UnicodeEncodeError)
        return json.dumps(_finite(body), allow_nan=False, separators=(",", ":"), default=_as_value).encode()


def _as_value(value: object) -> Any:
    if isinstance(value, orjson.Fragment):
        return orjson.loads(orjson.dumps(value))
    raise TypeError


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list) else value
