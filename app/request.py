"""Reads one GraphQL request from an HTTP body, and refuses what is none, before anything costs much."""

from __future__ import annotations

import asyncio
import json
import math
import re
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from starlette.requests import ClientDisconnect, Request

from schema.rules import LONGEST_INTEGER

LARGEST_BODY = 2 * 1024 * 1024
"""In bytes."""

BODY_SECONDS = 5.0
DEEPEST_JSON = 128
# Possessive, and content with a string that has no end: a body is read once, whatever it holds.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class BadRequest(Exception):
    """A request that is no GraphQL request; `status` and `code` are for the answer."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class GraphQLRequest:
    """The parameters of a GraphQL request (GraphQL over HTTP, section 5)."""

    query: str
    operation_name: str | None
    variables: dict[str, Any] | None


async def read_request(request: Request) -> GraphQLRequest:
    """The GraphQL request in a POST. Raises BadRequest."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise BadRequest(
            415, "UNSUPPORTED_MEDIA_TYPE", "Send the request as JSON, with content-type: application/json."
        )
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read_body(request)
    except TimeoutError:
        raise BadRequest(408, "REQUEST_TIMEOUT", f"The body did not arrive within {BODY_SECONDS:g} seconds.") from None
    except ClientDisconnect:
        raise _bad("The connection was closed within the body.") from None
    return parse_request(body)


def parse_request(body: bytes) -> GraphQLRequest:
    """The GraphQL request in a body. Raises BadRequest."""
    parameters = _parse_json(body)
    if isinstance(parameters, list):
        raise _bad("Batches are not taken: send one operation per request.")
    if not isinstance(parameters, dict):
        raise _bad('The body must be a JSON object such as {"query": "{ viewer { name } }"}.')
    if not isinstance(parameters.get("query"), str):
        raise _bad("query is missing, or not a string.")
    for name, kind in (("operationName", str), ("variables", dict), ("extensions", dict)):
        if not isinstance(parameters.get(name), kind | None):
            raise _bad(f"{name} must be {'a string' if kind is str else 'a JSON object'} or null.")
    return GraphQLRequest(parameters["query"], parameters.get("operationName"), parameters.get("variables"))


async def _read_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_BODY:
            raise BadRequest(413, "PAYLOAD_TOO_LARGE", f"The body is larger than {LARGEST_BODY} bytes.")
    return bytes(body)


def _parse_json(body: bytes) -> Any:
    if _depth(body) > DEEPEST_JSON:
        raise _bad(f"The JSON is nested deeper than {DEEPEST_JSON} levels.")
    try:
        parsed = json.loads(
            body.decode(),
            object_pairs_hook=_distinct,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
        if b"\\u" in body:
            json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise _bad("The body is not UTF-8.") from None
    except UnicodeEncodeError:
        raise _bad("A string holds half of a surrogate pair.") from None
    except ValueError:
        raise _bad("The body is not JSON.") from None
    return parsed


def _depth(body: bytes) -> int:
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(1 if each in b"[{" else -1 for each in brackets), default=0)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _bad("A JSON object names the same key twice.")
    return found


def _integer(text: str) -> int:
    if len(text.removeprefix("-")) > LONGEST_INTEGER:
        raise _bad(f"The JSON holds an integer of more than {LONGEST_INTEGER} digits: send it as a string.")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _bad("The JSON holds a number that is too large: send it as a string.")
    return number


def _no_constant(_: str) -> None:
    raise ValueError


def _bad(message: str) -> BadRequest:
    return BadRequest(400, "BAD_REQUEST", message)
