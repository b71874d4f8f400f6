"""Reads a request's JSON body, refusing whatever no answer could repeat."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from starlette.requests import ClientDisconnect, Request

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_BYTES = 10 * 1024 * 1024
MAX_DEPTH = 200


class UnreadableBody(ValueError):  # a state of the body, as httpx names its own
    """The body is not JSON that a sandbox takes; the message says why, in words fit for the caller."""


async def read_json(request: Request) -> Any:  # JSON enters
    """The parsed body.

    Raises UnreadableBody if it is too large, not UTF-8, not JSON, not finite, too deep, or holds a lone surrogate.
    """
    value = _parsed(await _read(request))
    _check(value)
    return value


async def _read(request: Request) -> bytes:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BYTES:
                raise UnreadableBody(f"body is larger than {MAX_BYTES} bytes")
    except ClientDisconnect:
        raise UnreadableBody("body ended early") from None
    return bytes(body)


def _parsed(body: bytes) -> Any:  # JSON enters
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnreadableBody:
        raise
    except UnicodeDecodeError:
        raise UnreadableBody("body is not UTF-8") from None
    except RecursionError:
        raise UnreadableBody(f"body is nested more than {MAX_DEPTH} deep") from None
    except ValueError:
        raise UnreadableBody("body is not JSON") from None


def _refuse_constant(name: str) -> NoReturn:
    raise UnreadableBody(f"{name} is not JSON")


def _finite(digits: str) -> float:
    """JSON has no largest number, but a float has: 1e999 would come back as Infinity."""
    number = float(digits)
    if not math.isfinite(number):
        raise UnreadableBody("a number is out of range")
    return number


def _check(value: Any) -> None:  # JSON enters
    """Walks without recursion, for the body may be as deep as it likes."""
    level, depth = [value], 0
    while level:
        depth += any(isinstance(item, list | dict) for item in level)
        if depth > MAX_DEPTH:
            raise UnreadableBody(f"body is nested more than {MAX_DEPTH} deep")
        for text in (item for item in level if isinstance(item, str)):
            _check_text(text)
        level = [child for item in level for child in _children(item)]


def _children(value: Any) -> Iterator[Any]:  # JSON enters
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    if isinstance(value, list):
        yield from value


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableBody("a string holds a lone surrogate") from None
