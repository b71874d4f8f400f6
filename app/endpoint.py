"""GraphQL over HTTP: who asks, what is asked, and the answer (https://graphql.github.io/graphql-over-http/).

An ASGI app without a framework: what it costs is paid by every request.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn, TypeAlias

from graphql import OperationType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.answers import Answer, Answers
from app.bad_request import BadRequest
from app.current import Current, Shedder, begin
from app.deadline import read_seconds
from app.documents import Documents
from app.execution.admission import admit
from app.execution.document import Operation
from app.execution.execution import Execution
from app.execution.refused import Refused
from app.head import Head
from app.limits import Limits
from app.live.events import EventStreams, takes_stream
from app.negotiation import JSON_TYPE, kept, names, negotiate
from app.request import GraphQLRequest, read_request
from app.security.door import Door
from app.security.keys import GatewayKey
from app.security.rates import Budget
from app.telemetry import Operation as Watched
from app.telemetry import Telemetry, current_request_id
from schema.access import SCHEMA_READ, TELEMETRY, may
from schema.context import Context
from schema.types.status import Viewer
from schema.vendor import Environment

Read: TypeAlias = Callable[[Head, Receive], Awaitable[GraphQLRequest]]
METHODS = "GET, HEAD, POST, OPTIONS"
_MEANT = (b"query=", b"documentId=", b"extensions=")
COST = b"x-cost"
"""The header that asks for `extensions.cost`."""

VENDOR_CALLS = b"x-vendor-calls"
"""The header that asks for `extensions.vendorCalls`."""

_SERVED = frozenset({"GET", "HEAD", "POST"})
_OPTIONS = Answer(204, [(b"allow", METHODS.encode())], b"")


class GraphQLEndpoint:
    """Answers GraphQL requests by POST and GET; a browser that asks for nothing is shown `page`."""

    def __init__(
        self,
        execution: Execution,
        door: Door,
        context: Callable[[GatewayKey, str, str | None], Context],
        page: ASGIApp,
        *,
        documents: Documents | None = None,
        limits: Limits,
        streams: EventStreams,
        request_seconds: float = 10.0,
        newest_statuses: bool = False,
        telemetry: Telemetry | None = None,
        budget: Budget | None = None,
        shedder: Shedder | None = None,
    ) -> None:
        self._execution = execution
        self._door = door
        self._context = context
        self._page = page
        self._documents = documents or Documents(())
        self._limits = limits
        self._streams = streams
        self._request_seconds = request_seconds
        self._newest_statuses = newest_statuses
        self._telemetry = telemetry or Telemetry()
        self._budget = budget
        self._shedder = shedder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head(scope)
        if head.method == "OPTIONS":
            app: ASGIApp = _OPTIONS
        elif head.method != "POST" and _wants_page(head):
            app = self._page
        else:
            accept = head.headers.get(b"accept")
            media_type = negotiate(accept)
            answers = Answers(media_type or JSON_TYPE, current_request_id(), self._newest_statuses)
            is_acceptable = media_type is not None
            read = read_request if is_acceptable or takes_stream(accept) else _not_acceptable
            app = await self.respond(head, receive, answers, read, is_acceptable=is_acceptable)
        await app(scope, receive, send)

    async def respond(
        self, head: Head, receive: Receive, answers: Answers, read: Read, *, is_acceptable: bool = True
    ) -> ASGIApp:
        """The answer to what `read` finds asked: whatever goes wrong is told in GraphQL's form.

        If it is not `is_acceptable`, only a subscription's stream is.
        """
        try:
            request = begin(answers.request_id, read_seconds(head, self._request_seconds), self._shedder)
        except BadRequest as refused:
            return answers.bad(refused)
        try:
            return await self._answer(request, head, receive, answers, read, is_acceptable=is_acceptable)
        except BadRequest as refused:
            self._telemetry.turned_away(refused.code, refused.facts)
            return answers.bad(refused)
        except Refused as refused:
            self._telemetry.turned_away("", refused.errors[0].extensions or {})
            return answers.refused(refused.errors, suggests=refused.suggests)
        except Exception as error:  # noqa: BLE001  # the edge: nothing behind it would mask what this says
            return answers.failed(error)
        finally:
            await request.end()

    async def _answer(
        self, request: Current, head: Head, receive: Receive, answers: Answers, read: Read, *, is_acceptable: bool
    ) -> ASGIApp:
        if head.method not in _SERVED:
            raise _not_served()
        head.check()
        key = await self._door.admit(head)
        asked = await read(head, receive)
        wants_calls = head.headers.get(VENDOR_CALLS) == b"true"
        with self._telemetry.operation(head.get(b"traceparent"), lists_calls=wants_calls) as watched:
            idempotency_key = head.get(b"idempotency-key")
            context = self._context(key, answers.request_id, idempotency_key)
            try:
                operation = self._read(head, asked, context.viewer)
                watched.asks(operation.kind, operation.name)
                cost = admit(operation, asked.variables, context.viewer, idempotency_key, self._limits)
            except Refused as refused:
                if is_acceptable:
                    raise
                self._telemetry.turned_away("", refused.errors[0].extensions or {})
                return self._streams.refused(head, key, refused)
            if operation.type is not OperationType.SUBSCRIPTION and not is_acceptable:
                await _not_acceptable(head, receive)
            if self._budget is not None:
                answers.headers.extend(await self._budget.spend(key.account, cost))
            watched.runs()
            if operation.type is OperationType.SUBSCRIPTION:
                stream = await self._streams.open(head, key, operation, asked.variables, answers.headers)
                watched.answers({}, stream.errors)
                return stream
            result = await self._execution.run(operation, asked.variables, context)
            watched.answers(result.data, result.errors)
            if request.room.wait is not None:
                self._tell_wait(request.room.wait, answers)
            return answers.result(result, _extensions(head, cost, watched, context.viewer))

    def _tell_wait(self, wait: float, answers: Answers) -> None:
        """Beside the answer's own OVERLOADED: for whoever counts, and for clients that only know the header."""
        self._telemetry.turned_away("OVERLOADED", {})
        answers.headers.append((b"retry-after", str(math.ceil(wait)).encode()))

    def _read(self, head: Head, asked: GraphQLRequest, viewer: Viewer) -> Operation:
        suggests = may(viewer.scopes, SCHEMA_READ)
        text = self._documents.text(asked, viewer.environment)
        operation = self._execution.prepare(text, asked.operation_name, suggests=suggests)
        if head.method != "POST":
            _check_method(head.method, operation.type)
        return operation


def _check_method(method: str, asked: OperationType) -> None:
    if asked is OperationType.MUTATION:
        raise BadRequest(405, "METHOD_NOT_ALLOWED", "Mutations can't be sent by GET: use POST.", {"allow": "POST"})
    if asked is OperationType.SUBSCRIPTION and method == "HEAD":  # a stream without its events would never end
        raise BadRequest(405, "METHOD_NOT_ALLOWED", "Send subscriptions by GET or POST.", {"allow": "GET, POST"})


async def unrouted(_: Request, error: Exception) -> Response:
    """What a path or a method that is not served is answered; a handler of HTTPException for Starlette."""
    answers = Answers(JSON_TYPE, current_request_id())
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    refused = (
        BadRequest(405, "METHOD_NOT_ALLOWED", f"This path takes {headers.get('Allow', 'another method')}.", headers)
        if status == 405
        else BadRequest(404, "NOT_FOUND", "Nothing is served here. Send operations to /graphql.")
    )
    return _as_response(answers.bad(refused))


async def unforeseen(_: Request, error: Exception) -> Response:
    """What any other path answers where the gateway itself is at fault; a handler of Exception for Starlette."""
    return _as_response(Answers(JSON_TYPE, current_request_id()).failed(error))


def _as_response(answer: Answer) -> Response:
    return Response(answer.body, answer.status, {name.decode(): value.decode() for name, value in answer.headers})


def _wants_page(head: Head) -> bool:
    """Whether it is a browser that was led here, rather than a program that asks."""
    if head.method not in {"GET", "HEAD"} or not _takes_page(head.headers.get(b"accept")):
        return False
    return not any(part.startswith(_MEANT) for part in head.query_string.split(b"&"))


@kept
def _takes_page(accept: bytes | None) -> bool:
    return names(accept, "text/html")


def _not_served() -> BadRequest:
    return BadRequest(405, "METHOD_NOT_ALLOWED", "Send queries by GET or POST, mutations by POST.", {"allow": METHODS})


async def _not_acceptable(_: Head, __: Receive) -> NoReturn:
    message = "Accept application/graphql-response+json or application/json: nothing else is answered."
    raise BadRequest(406, "NOT_ACCEPTABLE", message)


def _extensions(head: Head, cost: int, watched: Watched, viewer: Viewer) -> Mapping[str, Any]:
    """What was asked for by a header: the cost, and the calls to vendors, for those who may see them."""
    extensions: dict[str, Any] = {"cost": cost} if head.headers.get(COST) == b"true" else {}
    if watched.calls is not None and (viewer.environment is Environment.TEST or may(viewer.scopes, TELEMETRY)):
        extensions["vendorCalls"] = watched.calls
    return extensions
