"""GraphQL over HTTP: who asks, what is asked, and the answer (https://graphql.github.io/graphql-over-http/).

An ASGI app without a framework: what it costs is paid by every request.
"""

from __future__ import annotations

from collections.abc import Callable

from graphql import OperationType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.answers import Answer, Answers
from app.bad_request import BadRequest
from app.current import begin
from app.execution.admission import admit
from app.execution.document import Operation, read_operation
from app.execution.refused import Refused
from app.execution.run import run
from app.head import Head
from app.limits import Limits
from app.negotiation import JSON_TYPE, negotiate
from app.request import GraphQLRequest, read_request
from app.security.door import Door
from app.security.keys import GatewayKey
from app.security.rates import Budget
from app.telemetry import new_request_id
from schema.access import SCHEMA_READ, may
from schema.build import Schema
from schema.context import Context
from schema.types.status import Viewer

METHODS = "GET, HEAD, POST, OPTIONS"
COST = b"x-cost"
"""The header that asks for `extensions.cost`."""

_SERVED = frozenset({"GET", "HEAD", "POST"})
_OPTIONS = Answer(204, [(b"allow", METHODS.encode())], b"")


class GraphQLEndpoint:
    """Answers GraphQL requests by POST and GET; a browser that asks for nothing is shown `page`."""

    def __init__(
        self,
        schema: Schema,
        door: Door,
        context: Callable[[GatewayKey, str, str | None], Context],
        page: ASGIApp,
        *,
        limits: Limits,
        request_seconds: float = 10.0,
        newest_statuses: bool = False,
        budget: Budget | None = None,
    ) -> None:
        self._schema = schema
        self._door = door
        self._context = context
        self._page = page
        self._limits = limits
        self._request_seconds = request_seconds
        self._newest_statuses = newest_statuses
        self._budget = budget

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head(scope)
        if head.method == "OPTIONS":
            app: ASGIApp = _OPTIONS
        else:
            app = self._page if _wants_page(head) else await self.answer(head, receive)
        await app(scope, receive, send)

    async def answer(self, head: Head, receive: Receive) -> Answer:
        """The answer to any request: whatever goes wrong is told in GraphQL's form."""
        media_type = negotiate(head.raw(b"accept"))
        answers = Answers(media_type or JSON_TYPE, new_request_id(), self._newest_statuses)
        current = begin(answers.request_id, self._request_seconds)
        try:
            return await self._answer(head, receive, answers, is_acceptable=media_type is not None)
        except BadRequest as refused:
            return answers.bad(refused)
        except Refused as refused:
            return answers.refused(refused.errors, suggests=refused.suggests)
        except Exception as error:  # noqa: BLE001  # the edge: nothing behind it would mask what this says
            return answers.failed(error)
        finally:
            await current.end()

    async def _answer(self, head: Head, receive: Receive, answers: Answers, *, is_acceptable: bool) -> Answer:
        _check_method(head)
        head.check()
        key = await self._door.admit(head)
        if not is_acceptable:
            raise _not_acceptable()
        asked = await read_request(head, receive)
        idempotency_key = head.get(b"idempotency-key")
        context = self._context(key, answers.request_id, idempotency_key)
        operation = self._read(head, asked, context.viewer)
        cost = admit(operation, asked.variables, context.viewer, idempotency_key, self._limits)
        if self._budget is not None:
            answers.headers.extend(await self._budget.spend(key.id, cost))
        result = await run(self._schema, operation, asked.variables, context)
        return answers.result(result, {"cost": cost} if head.raw(COST) == b"true" else None)

    def _read(self, head: Head, asked: GraphQLRequest, viewer: Viewer) -> Operation:
        suggests = may(viewer.scopes, SCHEMA_READ)
        operation = read_operation(self._schema, asked.query, asked.operation_name, self._limits, suggests=suggests)
        if head.method != "POST" and operation.type is not OperationType.QUERY:
            raise BadRequest(405, "METHOD_NOT_ALLOWED", "Only queries can be sent by GET: use POST.", {"allow": "POST"})
        return operation


async def unrouted(_: Request, error: Exception) -> Response:
    """What a path or a method that is not served is answered; a handler of HTTPException for Starlette."""
    answers = Answers(JSON_TYPE, new_request_id())
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    refused = (
        BadRequest(405, "METHOD_NOT_ALLOWED", "This path is read by GET.", headers)
        if status == 405
        else BadRequest(404, "NOT_FOUND", "Nothing is served here. Send operations to /graphql.")
    )
    answer = answers.bad(refused)
    return Response(answer.body, answer.status, {name.decode(): value.decode() for name, value in answer.headers})


def _wants_page(head: Head) -> bool:
    """Whether it is a browser that was led here, rather than a program that asks."""
    if head.method not in {"GET", "HEAD"} or b"text/html" not in (head.raw(b"accept") or b""):
        return False
    return not any(part.startswith(b"query=") for part in head.query_string.split(b"&"))


def _check_method(head: Head) -> None:
    if head.method not in _SERVED:
        raise BadRequest(
            405, "METHOD_NOT_ALLOWED", "Send queries by GET or POST, mutations by POST.", {"allow": METHODS}
        )


def _not_acceptable() -> BadRequest:
    message = "Accept application/graphql-response+json or application/json: nothing else is answered."
    return BadRequest(406, "NOT_ACCEPTABLE", message)
