"""A body is waited for, but not for ever, and taken in, but not without end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from app.bad_request import BadRequest
from app.body import LARGEST_BODY, receive_body

Receive = Callable[[], Awaitable[Any]]


def _receiving(*messages: Any) -> Receive:
    waiting: Iterator[Any] = iter(messages)

    async def receive() -> Any:
        message = next(waiting, None)
        return message if message is not None else await asyncio.Future()

    return receive


def _part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def _refusal(receive: Receive, content_length: bytes | None = None) -> tuple[int, str, Any]:
    with pytest.raises(BadRequest) as raised:
        await receive_body(receive, content_length, seconds=0.05)
    return raised.value.status, raised.value.code, raised.value.headers.get("connection")


async def test_a_body_may_come_in_parts() -> None:
    """Empty ones among them."""
    parts = [_part(b'{"a"'), _part(b""), {"type": "http.request", "more_body": True}, _part(b": 1}", more=False)]
    assert await receive_body(_receiving(*parts), b"8") == b'{"a": 1}'


@pytest.mark.parametrize("sent", [[], [_part(b"")], [_part(b"{")], [_part(b"{")] * 50])
async def test_a_body_that_does_not_end_is_given_up(sent: list[Any]) -> None:
    """As 408, and the connection with it: what still comes on it is part of no request."""
    assert await _refusal(_receiving(*sent)) == (408, "REQUEST_TIMEOUT", "close")


async def test_a_body_that_drips_is_given_up_on_time() -> None:
    """Each part is no reason to wait as long again."""

    async def receive() -> Any:
        await asyncio.sleep(0.01)
        return _part(b" ")

    assert await _refusal(receive) == (408, "REQUEST_TIMEOUT", "close")


async def test_a_body_that_grows_too_large_is_not_read_on() -> None:
    """Nor is one read at all whose head says so."""
    endless = _receiving(*[_part(b"x" * 65_536)] * (LARGEST_BODY // 65_536 + 1))
    assert await _refusal(endless) == (413, "PAYLOAD_TOO_LARGE", "close")
    for length in (b"%d" % (LARGEST_BODY + 1), b"9" * 300):
        assert await _refusal(_receiving(), length) == (413, "PAYLOAD_TOO_LARGE", "close")


async def test_who_hangs_up_within_the_body_asked_nothing() -> None:
    """Nothing is run of what came."""
    assert await _refusal(_receiving(_part(b"{"), {"type": "http.disconnect"})) == (400, "BAD_REQUEST", None)
