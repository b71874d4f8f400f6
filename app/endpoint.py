"""GraphQL over HTTP: who asks, what is asked, and the answer (https://graphql.github.io/graphql-over-http/)."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote

from graphql import GraphQLError, OperationType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from strawberry.http.ides import get_graphql_ide_html

from app.answers import answer, fail, refuse, refuse_operation
from app.current import begin
from app.execution.document import Operation, Refused, read_operation
from app.execution.run import run
from app.request import BadRequest, read_request
from app.security.keys import SANDBOX_KEY, GatewayKey, Keys
from app.telemetry import new_request_id
from schema.build import Schema
from schema.context import Context

_PREFILLED = "?headers=" + quote(json.dumps({"authorization": f"Bearer {SANDBOX_KEY}"}))


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
        current = begin(request_id, self._request_seconds)
        try:
            return await self._respond(request, request_id)
        except BadRequest as refused:
            return refuse(refused, request_id)
        except Exception as error:  # noqa: BLE001  # the edge: nothing behind it would mask what this says
            return fail(error, request_id)
        finally:
            await current.end()

    async def page(self, request: Request) -> Response:
        """GraphiQL; it needs no key, what it asks does."""
        if "text/html" not in request.headers.get("accept", ""):
            return refuse(BadRequest(405, "METHOD_NOT_ALLOWED", "Send operations by POST."), new_request_id())
        if self._takes_sandbox_key and "headers" not in request.query_params:
            return RedirectResponse(request.url.path + _PREFILLED, 302)
        return HTMLResponse(get_graphql_ide_html(), headers={"cache-control": "no-store"})

    async def _respond(self, request: Request, request_id: str) -> Response:
        key = await self._authenticate(request)
        asked = await read_request(request)
        header = request.headers.get("idempotency-key")
        try:
            operation = read_operation(self._schema, asked.query, asked.operation_name)
            _check_key(operation, header)
        except Refused as refused:
            return refuse_operation(request, refused.errors, request_id)
        context = self._context(key, request_id, header)
        return answer(request, await run(self._schema, operation, asked.variables, context), request_id)

    async def _authenticate(self, request: Request) -> GatewayKey:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        presented = token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "")
        key = await self._keys.recognise(presented) if presented else None
        if key is None:
            raise BadRequest(
                401, "UNAUTHENTICATED", "Send a valid gateway key: Authorization: Bearer … or x-api-key: …."
            )
        return key


async def unrouted(_: Request, error: Exception) -> Response:
    """What a path or a method that is not served is answered; a handler of HTTPException for Starlette."""
    if isinstance(error, HTTPException) and error.status_code == 405:
        return refuse(BadRequest(405, "METHOD_NOT_ALLOWED", "Send operations by POST to /graphql."), new_request_id())
    return refuse(
        BadRequest(404, "NOT_FOUND", "Nothing is served here. Send operations to /graphql."), new_request_id()
    )


def _check_key(operation: Operation, idempotency_key: str | None) -> None:
    """Raises Refused if the Idempotency-Key header does not tell which of several writes it is for."""
    if idempotency_key is None or operation.type is not OperationType.MUTATION or operation.root_fields() == 1:
        return
    message = "The Idempotency-Key header is for one write: send one mutation per request, or keys in the inputs."
    raise Refused([GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})])
