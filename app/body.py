"""Reads a body of JSON: all of it, in time, and only if it means one thing."""

from __future__ import annotations

import asyncio
import json
import math
import re
from itertools import accumulate
from typing import Any

import orjson
from starlette.types import Receive

from app.bad_request import BadRequest
from schema.rules import LONGEST_INTEGER

LARGEST_BODY = 2 * 1024 * 1024
"""In bytes."""

BODY_SECONDS = 5.0
DEEPEST_JSON = 128
# Possessive, and content with a string that has no end: a body is read once, whatever it holds.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_MANY_DIGITS = re.compile(rb"\d{19}")  # an integer of fewer fits into 64 bits


async def receive_body(receive: Receive, content_length: bytes | None, seconds: float = BODY_SECONDS) -> bytes:
    """The whole body, if it comes in so many seconds. Raises BadRequest."""
    if content_length is not None and content_length.isdigit() and int(content_length[:20]) > LARGEST_BODY:
        raise _too_large()
    try:
        async with asyncio.timeout(seconds):
            return await _receive(receive)
    except TimeoutError:
        raise BadRequest(
            408,
            "REQUEST_TIMEOUT",
            f"The body did not arrive within {seconds:g} seconds.",
            {"connection": "close"},
        ) from None


async def _receive(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise bad("The connection was closed within the body.")
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise _too_large()
        if not message.get("more_body", False):
            return bytes(body)


def parse_json(body: bytes, what: str = "The body") -> Any:
    """The value in a body, or in `what` else a request has of JSON.

    Raises BadRequest for what is not JSON, and for what two readers would read differently.

    A fast reader does the work where it reads as the careful one would. It takes the last of two members of one name, and
    rounds integers beyond 64 bits: it did neither where what it read is written as it stood. That is how nearly all clients
    write, without spaces. In what is written otherwise there must be as many members as colons outside of strings; where
    there may be such an integer, and where the fast reader refuses, the careful one is asked.
    """
    if body.count(b"{") + body.count(b"[") <= DEEPEST_JSON:
        try:
            parsed = orjson.loads(body)
        except ValueError:
            return parse_carefully(body, what)
        if orjson.dumps(parsed) == body:
            return parsed
    return _parse_spaced(body, what)


def _parse_spaced(body: bytes, what: str) -> Any:
    structure = _STRING.sub(b"", body)
    _check_depth(structure)
    if _MANY_DIGITS.search(structure) is None:
        try:
            parsed = orjson.loads(body)
        except ValueError:
            return parse_carefully(body, what)
        if structure.count(b":") != _members(parsed):
            raise bad("A JSON object names the same key twice.")
        return parsed
    return parse_carefully(body, what)


def bad(message: str) -> BadRequest:
    return BadRequest(400, "BAD_REQUEST", message)


def _too_large() -> BadRequest:
    return BadRequest(
        413, "PAYLOAD_TOO_LARGE", f"The body is larger than {LARGEST_BODY} bytes.", {"connection": "close"}
    )


def _check_depth(structure: bytes) -> None:
    if structure.count(b"{") + structure.count(b"[") <= DEEPEST_JSON:
        return
    brackets = structure.translate(None, _NO_BRACKETS)
    if max(accumulate(1 if each in b"[{" else -1 for each in brackets), default=0) > DEEPEST_JSON:
        raise bad(f"The JSON is nested deeper than {DEEPEST_JSON} levels.")


def _members(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_members(each) for each in value.values() if isinstance(each, dict | list))
    return sum(_members(each) for each in value if isinstance(each, dict | list)) if isinstance(value, list) else 0


def parse_carefully(body: bytes, what: str = "The body") -> Any:
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
        raise bad(f"{what} is not UTF-8.") from None
    except UnicodeEncodeError:
        raise bad("A string holds half of a surrogate pair.") from None
    except ValueError:
        raise bad(f"{what} is not JSON.") from None
    return parsed


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise bad("A JSON object names the same key twice.")
    return found


def _integer(text: str) -> int:
    if len(text.removeprefix("-")) > LONGEST_INTEGER:
        raise bad(f"The JSON holds an integer of more than {LONGEST_INTEGER} digits: send it as a string.")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise bad("The JSON holds a number that is too large: send it as a string.")
    return number


def _no_constant(_: str) -> None:
    raise ValueError
