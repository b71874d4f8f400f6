"""Trusted documents by plain HTTP, for partners without a GraphQL client: variables in, the answer's status out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphql import OperationType
from starlette.types import Receive, Scope, Send

from app.answers import Answer, Answers
from app.bad_request import BadRequest
from app.documents import Documents
from app.endpoint import GraphQLEndpoint
from app.head import Head
from app.negotiation import JSON_TYPE
from app.outcome import retry_after, status_of
from app.request import GraphQLRequest, read_variables
from app.telemetry import current_request_id
from app.trusted import TrustedDocument


class NamedOperations:
    """`POST /operations/{name}`: an ASGI app under a route that gives the name."""

    def __init__(self, endpoint: GraphQLEndpoint, documents: Documents) -> None:
        self._endpoint = endpoint
        self._documents = documents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name: str = scope["path_params"]["name"]

        async def read(head: Head, receive: Receive) -> GraphQLRequest:
            return _request(self._named(name), await read_variables(head, receive))

        answers = PlainAnswers(JSON_TYPE, current_request_id())
        answer = await self._endpoint.respond(Head(scope), receive, answers, read)
        await answer(scope, receive, send)

    def _named(self, name: str) -> TrustedDocument:
        document = self._documents.named(name)
        if document is None or document.operation.operation is OperationType.SUBSCRIPTION:
            raise BadRequest(404, "NOT_FOUND", "No trusted operation has this name: /openapi.json lists them.")
        return document


class PlainAnswers(Answers):
    """GraphQL's answers under the status that tells what became of the operation."""

    def _answer(self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
        if status != 200:
            return super()._answer(status, body, headers)
        status, seconds = status_of(body)
        is_told = any(name == b"retry-after" for name, _ in self.headers)
        waiting = [] if seconds is None or is_told else [(b"retry-after", retry_after(seconds).encode())]
        return super()._answer(status, body, [*headers, *waiting])


def _request(document: TrustedDocument, variables: dict[str, Any]) -> GraphQLRequest:
    """Raises BadRequest for a variable that the document doesn't have: a misspelt one would be left out without a word."""
    known = [each.variable.name.value for each in document.operation.variable_definitions or ()]
    if unknown := sorted(set(variables).difference(known)):
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise BadRequest(400, "BAD_USER_INPUT", f"{document.id} has no variable {', '.join(unknown)}: {takes}.")
    return GraphQLRequest(None, variables=variables, document_id=document.id)
