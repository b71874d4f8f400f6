"""GraphQL over HTTP: who asks, what is asked, and the answer (https://graphql.github.io/graphql-over-http/).

An ASGI app without a framework: what it costs is paid by every request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NoReturn, TypeAlias

from graphql import GraphQLError, OperationType
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.answers import Answer, Answers
from app.bad_request import BadRequest
from app.current import begin
from app.documents import Documents
from app.execution.document import Operation, Refused, read_operation
from app.execution.run import run
from app.head import Head
from app.negotiation import JSON_TYPE, negotiate
from app.request import GraphQLRequest, read_request
from app.security.door import Door
from app.security.keys import GatewayKey
from app.telemetry import new_request_id
from schema.build import Schema
from schema.context import Context

Read: TypeAlias = Callable[[Head, Receive], Awaitable[GraphQLRequest]]
METHODS = "GET, HEAD, POST, OPTIONS"
_MEANT = (b"query=", b"documentId=", b"extensions=")
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
        documents: Documents,
        *,
        request_seconds: float = 10.0,
        newest_statuses: bool = False,
    ) -> None:
        self._schema = schema
        self._door = door
        self._context = context
        self._page = page
        self._documents = documents
        self._request_seconds = request_seconds
        self._newest_statuses = newest_statuses

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
        read = read_request if media_type is not None else _not_acceptable
        return await self.respond(head, receive, answers, read)

    async def respond(self, head: Head, receive: Receive, answers: Answers, read: Read) -> Answer:
        """The answer to what `read` finds asked."""
        current = begin(answers.request_id, self._request_seconds)
        try:
            return await self._answer(head, receive, answers, read)
        except BadRequest as refused:
            return answers.bad(refused)
        except Refused as refused:
            return answers.refused(refused.errors)
        except Exception as error:  # noqa: BLE001  # the edge: nothing behind it would mask what this says
            return answers.failed(error)
        finally:
            await current.end()

    async def _answer(self, head: Head, receive: Receive, answers: Answers, read: Read) -> Answer:
        _check_method(head)
        head.check()
        key = await self._door.admit(head)
        asked = await read(head, receive)
        operation = self._read(head, asked, key)
        context = self._context(key, answers.request_id, head.get(b"idempotency-key"))
        return answers.result(await run(self._schema, operation, asked.variables, context))

    def _read(self, head: Head, asked: GraphQLRequest, key: GatewayKey) -> Operation:
        text = self._documents.text(asked, key.environment)
        operation = read_operation(self._schema, text, asked.operation_name)
        if head.method != "POST" and operation.type is not OperationType.QUERY:
            raise BadRequest(405, "METHOD_NOT_ALLOWED", "Only queries can be sent by GET: use POST.", {"allow": "POST"})
        _check_key(operation, head.get(b"idempotency-key"))
        return operation


async def unrouted(_: Request, error: Exception) -> Response:
    """What a path or a method that is not served is answered; a handler of HTTPException for Starlette."""
    answers = Answers(JSON_TYPE, new_request_id())
    status = error.status_code if isinstance(error, HTTPException) else 404
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    refused = (
        BadRequest(405, "METHOD_NOT_ALLOWED", f"This path takes {headers.get('Allow', 'another method')}.", headers)
        if status == 405
        else BadRequest(404, "NOT_FOUND", "Nothing is served here. Send operations to /graphql.")
    )
    answer = answers.bad(refused)
    return Response(answer.body, answer.status, {name.decode(): value.decode() for name, value in answer.headers})


def _wants_page(head: Head) -> bool:
    """Whether it is a browser that was led here, rather than a program that asks."""
    if head.method not in {"GET", "HEAD"} or b"text/html" not in (head.raw(b"accept") or b""):
        return False
    return not any(part.startswith(_MEANT) for part in head.query_string.split(b"&"))


def _check_method(head: Head) -> None:
    if head.method not in _SERVED:
        raise BadRequest(
            405, "METHOD_NOT_ALLOWED", "Send queries by GET or POST, mutations by POST.", {"allow": METHODS}
        )


async def _not_acceptable(_: Head, __: Receive) -> NoReturn:
    message = "Accept application/graphql-response+json or application/json: nothing else is answered."
    raise BadRequest(406, "NOT_ACCEPTABLE", message)


def _check_key(operation: Operation, idempotency_key: str | None) -> None:
    """Raises Refused if the Idempotency-Key header does not tell which of several writes it is for."""
    if idempotency_key is None or operation.type is not OperationType.MUTATION or operation.root_fields() == 1:
        return
    message = "The Idempotency-Key header is for one write: send one mutation per request, or keys in the inputs."
    raise Refused([GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})])
