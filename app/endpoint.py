"""GraphQL over HTTP: who asks, what is asked, and the answer (https://graphql.github.io/graphql-over-http/)."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    parse,
)
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from strawberry.http.ides import get_graphql_ide_html
from strawberry.types.execution import ExecutionResult, PreExecutionError

from app.current import begin
from app.deadline import read_seconds
from app.request import BadRequest, GraphQLRequest, read_request
from app.security.keys import SANDBOX_KEY, GatewayKey, Keys
from app.telemetry import describe, new_request_id
from schema.build import Schema
from schema.context import Context
from schema.errors import GatewayError

JSON_TYPE = "application/json"
RESPONSE_TYPE = "application/graphql-response+json"
MOST_TOKENS = 10_000
"""In a document: to parse and validate a larger one would hold up all other requests. Large values go in variables."""

_PREFILLED = "?headers=" + quote(json.dumps({"authorization": f"Bearer {SANDBOX_KEY}"}))
_log = logging.getLogger(__name__)


class GraphQLEndpoint:
    """Answers GraphQL requests, and shows GraphiQL to browsers."""

    def __init__(
        self,
        schema: Schema,
        keys: Keys,
        context: Callable[[GatewayKey, str, str | None], Context],
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
        try:
            current = begin(request_id, read_seconds(request.headers, self._request_seconds))
        except BadRequest as refused:
            return _refusal(refused, request_id)
        try:
            return await self._respond(request, request_id)
        except BadRequest as refused:
            return _refusal(refused, request_id)
        except Exception as error:  # noqa: BLE001  # the edge: nothing behind it would mask what this says
            return _failure(error, request_id)
        finally:
            await current.end()

    async def page(self, request: Request) -> Response:
        """GraphiQL; it needs no key, what it asks does."""
        if "text/html" not in request.headers.get("accept", ""):
            return _refusal(BadRequest(405, "METHOD_NOT_ALLOWED", "Send operations by POST."), new_request_id())
        if self._takes_sandbox_key and "headers" not in request.query_params:
            return RedirectResponse(request.url.path + _PREFILLED, 302)
        return HTMLResponse(get_graphql_ide_html(), headers={"cache-control": "no-store"})

    async def _respond(self, request: Request, request_id: str) -> Response:
        key = await self._authenticate(request)
        asked = await read_request(request)
        header = request.headers.get("idempotency-key")
        result = await self._execute(asked, self._context(key, request_id, header))
        return _answer(request, result, request_id)

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
        if (unclear := _unclear(asked, has_key=context.idempotency_key is not None)) is not None:
            return PreExecutionError(data=None, errors=[unclear])
        return await self._schema.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
        )


async def unrouted(_: Request, error: Exception) -> Response:
    """What a path or a method that is not served is answered; a handler of HTTPException for Starlette."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return _refusal(BadRequest(405, "METHOD_NOT_ALLOWED", "Send operations by POST to /graphql."), new_request_id())
    return _refusal(
        BadRequest(404, "NOT_FOUND", "Nothing is served here. Send operations to /graphql."), new_request_id()
    )


def _unclear(asked: GraphQLRequest, *, has_key: bool) -> GraphQLError | None:
    """Why it can't be told which operation is meant, or which write the Idempotency-Key header is for.

    Left to itself, Strawberry runs the first of several operations.
    """
    try:
        document = parse(asked.query, max_tokens=MOST_TOKENS)
    except GraphQLSyntaxError as error:
        return error
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    name = asked.operation_name
    meant = [each for each in operations if name is None or (each.name and each.name.value == name)]
    if len(meant) != 1:
        message = (
            "The document holds no operation of this operationName."
            if name is not None
            else "The document must hold one operation, or operationName say which of them is meant."
        )
        return GraphQLError(message, extensions={"code": "OPERATION_RESOLUTION_FAILURE"})
    if has_key and meant[0].operation is OperationType.MUTATION and _writes(document, meant[0].selection_set) > 1:
        message = "The Idempotency-Key header is for one write: send one mutation per request, or keys in the inputs."
        return GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})
    return None


def _writes(document: DocumentNode, selected: SelectionSetNode) -> int:
    """How many root fields a mutation has, also within fragments; what spreads itself is refused by validation."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    count = 0
    waiting, spread = [selected], set[str]()
    while waiting:
        for each in waiting.pop().selections:
            if isinstance(each, FragmentSpreadNode) and each.name.value in fragments.keys() - spread:
                spread.add(each.name.value)
                waiting.append(fragments[each.name.value].selection_set)
            elif isinstance(each, InlineFragmentNode):
                waiting.append(each.selection_set)
            count += isinstance(each, FieldNode)
    return count


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
    shown: dict[str, Any] = {
        "message": _message(error),
        "locations": [each.formatted for each in error.locations or ()],
    }
    if error.path is not None:
        shown["path"] = error.path
    original = error.original_error
    if original is None or isinstance(original, GraphQLError):
        return shown | {"extensions": {"code": _code(error, result)}}
    if isinstance(original, GatewayError):
        return shown | {"extensions": original.extensions}
    _log.error("internal error", extra={"request_id": request_id, "path": error.path, **describe(original)})
    return shown | _masked(request_id)


def _message(error: GraphQLError) -> str:
    """Without what GraphQL adds to its own: a copy of the whole input, and guesses at what else the schema holds."""
    text, quoted, _ = error.message.partition(", found: ")
    return f"{text}." if quoted else text.partition(" Did you mean ")[0]


def _code(error: GraphQLError, result: ExecutionResult) -> str:
    """The code of an error of GraphQL's own."""
    if isinstance(error, GraphQLSyntaxError):
        return "GRAPHQL_PARSE_FAILED"
    default = "GRAPHQL_VALIDATION_FAILED" if isinstance(result, PreExecutionError) else "BAD_USER_INPUT"
    return str((error.extensions or {}).get("code", default))


def _masked(request_id: str) -> dict[str, Any]:
    return {"message": "Internal error", "extensions": {"code": "INTERNAL_ERROR", "requestId": request_id}}


def _failure(error: Exception, request_id: str) -> Response:
    """What is wrong with the gateway itself, such as a database that doesn't answer."""
    _log.error("internal error", extra={"request_id": request_id, **describe(error)})
    return _response({"errors": [_masked(request_id)]}, 500, f"{JSON_TYPE}; charset=utf-8", request_id)


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
