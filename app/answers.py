"""What is answered: the JSON of results and refusals, with what failed in words that give nothing away."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Sequence
from typing import Any

from graphql import ExecutionResult, GraphQLError
from starlette.requests import Request
from starlette.responses import Response

from app.request import BadRequest
from app.telemetry import describe
from schema.errors import GatewayError

JSON_TYPE = "application/json"
RESPONSE_TYPE = "application/graphql-response+json"

_log = logging.getLogger(__name__)


def answer(request: Request, result: ExecutionResult, request_id: str) -> Response:
    """The answer to an operation that was run."""
    if result.data is None and result.errors and all(error.path is None for error in result.errors):
        return refuse_operation(request, result.errors, request_id)  # the variables were wrong
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_format(error, request_id) for error in result.errors]
    return _respond(body, 200, _media_type(request), request_id)


def refuse_operation(request: Request, errors: Sequence[GraphQLError], request_id: str) -> Response:
    """The answer where nothing was run: it has no data (GraphQL specification, section 7.1)."""
    media_type = _media_type(request)
    body = {"errors": [_format(error, request_id) for error in errors]}
    return _respond(body, 400 if media_type == RESPONSE_TYPE else 200, media_type, request_id)


def refuse(refused: BadRequest, request_id: str) -> Response:
    """The answer to what is no GraphQL request."""
    body = {"errors": [{"message": str(refused), "extensions": {"code": refused.code}}]}
    headers = {401: {"www-authenticate": "Bearer"}, 405: {"allow": "POST"}}.get(refused.status, {})
    return _respond(body, refused.status, JSON_TYPE, request_id, headers)


def fail(error: Exception, request_id: str) -> Response:
    """What is wrong with the gateway itself, such as a database that doesn't answer."""
    _log.error("internal error", extra={"request_id": request_id, **describe(error)})
    return _respond({"errors": [_masked(request_id)]}, 500, JSON_TYPE, request_id)


def _media_type(request: Request) -> str:
    return RESPONSE_TYPE if RESPONSE_TYPE in request.headers.get("accept", "") else JSON_TYPE


def _format(error: GraphQLError, request_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "message": _message(error),
        "locations": [each.formatted for each in error.locations or ()],
    }
    if error.path is not None:
        shown["path"] = error.path
    original = error.original_error
    if original is None or isinstance(original, GraphQLError):
        return shown | {"extensions": {"code": (error.extensions or {}).get("code", "BAD_USER_INPUT")}}
    if isinstance(original, GatewayError):
        return shown | {"extensions": original.extensions}
    _log.error("internal error", extra={"request_id": request_id, "path": error.path, **describe(original)})
    return shown | _masked(request_id)


def _message(error: GraphQLError) -> str:
    """Without what GraphQL adds to its own: a copy of the whole input, and guesses at what was meant."""
    text, quoted, _ = error.message.partition(", found: ")
    return f"{text}." if quoted else text.partition(" Did you mean ")[0]


def _masked(request_id: str) -> dict[str, Any]:
    return {"message": "Internal error", "extensions": {"code": "INTERNAL_ERROR", "requestId": request_id}}


def _respond(
    body: dict[str, Any], status: int, media_type: str, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    common = {"x-request-id": request_id, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(encode(body), status, {"content-type": f"{media_type}; charset=utf-8", **common, **(headers or {})})


def encode(body: Any) -> bytes:
    """UTF-8 JSON. What a vendor let through that JSON has no form for becomes null or an escape, never a failure."""
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except ValueError:  # NaN, Infinity, or half of a surrogate pair (UnicodeEncodeError)
        return json.dumps(_finite(body), allow_nan=False, separators=(",", ":")).encode()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list) else value
