"""Reads one GraphQL request from HTTP, by POST or by GET, and refuses what is none, before anything costs much."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import NoneType
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive

from app.bad_request import BadRequest
from app.body import bad, parse_json, receive_body
from app.head import Head
from app.negotiation import kept

_MOST_PARAMETERS = 16
_TEXT = (str, NoneType)
_MAP = (dict, NoneType)


@dataclass(slots=True)  # not frozen: each request makes one, and that takes thrice the time
class GraphQLRequest:
    """The parameters of a GraphQL request (GraphQL over HTTP, Request Parameters)."""

    query: str | None
    operation_name: str | None = None
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None


async def read_request(head: Head, receive: Receive) -> GraphQLRequest:
    """The GraphQL request in an HTTP request. Raises BadRequest."""
    if head.method != "POST":
        return parse_query_string(head.query_string)
    _check_media_type(head)
    return parse_request(await _body(head, receive) if head.body is None else head.body)


async def read_variables(head: Head, receive: Receive) -> dict[str, Any]:
    """The variables of an operation that is known already: a body that is a JSON object, or empty. Raises BadRequest."""
    body = await _body(head, receive) if head.body is None else head.body
    if not body:
        return {}
    _check_media_type(head)
    variables = parse_json(body)
    if not isinstance(variables, dict):
        raise bad("The body must be a JSON object of the operation's variables.")
    return variables


def parse_request(body: bytes) -> GraphQLRequest:
    """The GraphQL request in a body. Raises BadRequest."""
    if not body:
        raise bad('The body is empty. Send a JSON object such as {"query": "{ viewer { name } }"}.')
    return read_parameters(parse_json(body))


def read_parameters(parameters: Any) -> GraphQLRequest:
    """The GraphQL request in parsed JSON. Raises BadRequest."""
    if not isinstance(parameters, dict):
        raise _no_object(parameters)
    given = parameters.get
    query, name, variables = given("query"), given("operationName"), given("variables")
    extensions, document_id = given("extensions"), given("documentId")
    if not isinstance(extensions, _MAP):
        raise bad("extensions must be a JSON object or null.")
    if not isinstance(document_id, _TEXT):
        raise bad("documentId must be a string or null.")
    if not isinstance(query, str) and not (query is None and _is_elsewhere(document_id, extensions)):
        raise bad("query is missing, or not a string.")
    if not isinstance(name, _TEXT):
        raise bad("operationName must be a string or null.")
    if not isinstance(variables, _MAP):
        raise bad("variables must be a JSON object or null.")
    return GraphQLRequest(query, name, variables, extensions, document_id)


def parse_query_string(query_string: bytes) -> GraphQLRequest:
    """The GraphQL request in a URL, as URLSearchParams writes it. Raises BadRequest."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_MOST_PARAMETERS,
        )
    except ValueError:
        raise bad("The query string can't be read: send query, operationName, variables and extensions once.") from None
    given: dict[str, Any] = dict(pairs)
    if len(given) < len(pairs):
        raise bad("A parameter stands twice in the query string: send each once.")
    for name in ("variables", "extensions"):
        if given.get(name):
            given[name] = parse_json(given[name].encode(), name)
        else:
            given.pop(name, None)
    return read_parameters({**given, "operationName": given.get("operationName") or None})


async def _body(head: Head, receive: Receive) -> bytes:
    return await receive_body(receive, head.headers.get(b"content-length"))


def _no_object(parameters: object) -> BadRequest:
    if isinstance(parameters, list):
        return bad("Batches are not taken: send one operation per request.")
    return bad('The body must be a JSON object such as {"query": "{ viewer { name } }"}.')


def _is_elsewhere(document_id: str | None, extensions: Mapping[str, Any] | None) -> bool:
    """Whether something else than its text says which document is meant."""
    return document_id is not None or "persistedQuery" in (extensions or {})


def _check_media_type(head: Head) -> None:
    if not _is_json(head.headers.get(b"content-type")):
        raise BadRequest(
            415, "UNSUPPORTED_MEDIA_TYPE", "Send the request as JSON, with content-type: application/json."
        )
    encoding = head.headers.get(b"content-encoding")
    if encoding and encoding.lower() != b"identity":
        raise BadRequest(
            415,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the body as it is: no content-encoding is taken.",
            {"accept-encoding": "identity"},
        )


@kept
def _is_json(content_type: bytes | None) -> bool:
    """Whether it is JSON in UTF-8, which is what is meant where no charset stands."""
    media_type, *parameters = (part.strip().lower() for part in (content_type or b"").split(b";"))
    charset = dict(part.partition(b"=")[::2] for part in parameters).get(b"charset", b"utf-8").strip(b'"')
    return media_type == b"application/json" and charset in {b"utf-8", b"utf8"}
