"""GraphQL over HTTP: who asks, what is asked, and the answer (https://graphql.github.io/graphql-over-http/)."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from graphql import GraphQLError, GraphQLSyntaxError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from strawberry.http.ides import get_graphql_ide_html
from strawberry.types.execution import ExecutionResult, PreExecutionError

from app.current import begin
from app.request import BadRequest, GraphQLRequest, read_request
from app.security.keys import SANDBOX_KEY, GatewayKey, Keys
from app.telemetry import describe, new_request_id
from schema.build import Schema
from schema.context import Context
from schema.errors import GatewayError

JSON_TYPE = "application/json"
RESPONSE_TYPE = "application/graphql-response+json"
_PREFILLED = "?headers=" + quote(json.dumps({"authorization": f"Bearer {SANDBOX_KEY}"}))
_log = logging.getLogger(__name__)


class GraphQLEndpoint:
    """Answers GraphQL requests, and shows GraphiQL to browsers."""

    def __init__(
        self,
        schema: Schema,
        keys: Keys,
        context: Callable[[GatewayKey, str], Context],
        *,
        takes_sandbox_key: bool,
        request_seconds: float = 10.0,
    ) -> None:
        self._schema = schema
        self._keys = keys
        self._context = context
        self._takes_sandbox_key = takes_sandbox_key
        self._request_seconds = request_seconds

    async def post(self, request: Request) -> Response:
        request_id = new_request_id()
        begin(request_id, self._request_seconds)
        try:
            key = await self._authenticate(request)
            asked = await read_request(request)
        except BadRequest as refused:
            return _refusal(refused, request_id)
        result = await self._execute(asked, self._context(key, request_id))
        return _answer(request, result, request_id)

    async def page(self, request: Request) -> Response:
        """GraphiQL; it needs no key, what it asks does."""
        if "text/html" not in request.headers.get("accept", ""):
            return _refusal(BadRequest(405, "METHOD_NOT_ALLOWED", "Send operations by POST."), new_request_id())
        if self._takes_sandbox_key and "headers" not in request.query_params:
            return RedirectResponse(request.url.path + _PREFILLED, 302)
        return HTMLResponse(get_graphql_ide_html(), headers={"cache-control": "no-store"})

    async def _authenticate(self, request: Request) -> GatewayKey:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        presented = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        key = await self._keys.recognise(presented) if presented else None
        if key is None:
            raise BadRequest(
                401, "UNAUTHENTICATED", "Send a valid gateway key: Authorization: Bearer … or x-api-key: …."
            )
        return key

    async def _execute(self, asked: GraphQLRequest, context: Context) -> ExecutionResult:
        return await self._schema.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
        )


def _answer(request: Request, result: ExecutionResult, request_id: str) -> Response:
    is_modern = RESPONSE_TYPE in request.headers.get("accept", "")
    body: dict[str, Any] = {}
    if not _never_ran(result):
        body["data"] = result.data
    if result.errors:
        body["errors"] = [_format(error, result, request_id) for error in result.errors]
    status = 400 if is_modern and "data" not in body else 200
    media_type = f"{RESPONSE_TYPE if is_modern else JSON_TYPE}; charset=utf-8"
    return _response(body, status, media_type, request_id)


def _never_ran(result: ExecutionResult) -> bool:
    """Whether it stopped before execution: then the answer has no data (GraphQL specification, section 7.1)."""
    before = all(error.path is None for error in result.errors or ())
    return isinstance(result, PreExecutionError) or (result.data is None and bool(result.errors) and before)


def _format(error: GraphQLError, result: ExecutionResult, request_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = {"message": error.message, "locations": [each.formatted for each in error.locations or ()]}
    if error.path is not None:
        shown["path"] = error.path
    original = error.original_error
    if original is None or isinstance(original, GraphQLError):
        return shown | {"extensions": {"code": _code(error, result)}}
    if isinstance(original, GatewayError):
        return shown | {"extensions": original.extensions}
    _log.error("internal error", extra={"request_id": request_id, "path": error.path, **describe(original)})
    masked = {"code": "INTERNAL_ERROR", "requestId": request_id}
    return shown | {"message": "Internal error", "extensions": masked}


def _code(error: GraphQLError, result: ExecutionResult) -> str:
    """The code of an error of GraphQL's own."""
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    return "GRAPHQL_VALIDATION_FAILED" if isinstance(result, PreExecutionError) else "BAD_USER_INPUT"


def _refusal(refused: BadRequest, request_id: str) -> Response:
    body = {"errors": [{"message": str(refused), "extensions": {"code": refused.code}}]}
    headers = {401: {"www-authenticate": "Bearer"}, 405: {"allow": "POST"}}.get(refused.status, {})
    return _response(body, refused.status, f"{JSON_TYPE}; charset=utf-8", request_id, headers)


def _response(
    body: dict[str, Any], status: int, media_type: str, request_id: str, headers: dict[str, str] | None = None
) -> Response:
    common = {"x-request-id": request_id, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(encode(body), status, {"content-type": media_type, **common, **(headers or {})})


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
