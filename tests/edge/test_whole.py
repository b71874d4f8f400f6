"""What comes in one piece is read in one, and what goes out in one piece is written in one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from app import whole
from app.answers import Answer
from app.receiving import ReceivingProtocol
from tests.edge.sockets import Address, listening

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = b"x" * 100
HEAD = b"POST /%s HTTP/1.1\r\nhost: gateway\r\ncontent-length: 4\r\n"
CLOSE = b"connection: close\r\n\r\n"
ANSWERED = b"HTTP/1.1 200 OK\r\n"


class Counting(ReceivingProtocol):
    """Counts the writes of all connections."""

    writes: list[int] = []  # shared on purpose

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(_Counted(transport, self.writes))  # type: ignore[arg-type]  # stands in


class _Counted:
    def __init__(self, transport: asyncio.Transport, writes: list[int]) -> None:
        self._transport = transport
        self._writes = writes

    def write(self, data: bytes) -> None:
        self._writes.append(len(data))
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells whether the request was whole; answers in one piece, under a header that its path chooses."""
    is_whole = whole.REQUEST in scope["extensions"]
    body = (await receive())["body"] if is_whole else b""
    told = b"%d %s" % (is_whole, body)
    headers = [(b"x-asked", scope["path"].encode("latin-1"))]
    await Answer(204 if scope["path"] == "/empty" else 200, headers, told if scope["path"] != "/empty" else b"")(
        scope, receive, send
    )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address() -> AsyncIterator[Address]:
    async with listening(_app, Counting) as where:
        yield where


async def test_a_request_in_one_piece_is_told_to_be_whole_and_answered_by_one_write(address: Address) -> None:
    """With the length of its body, and closed where that was asked."""
    Counting.writes.clear()
    answered = await address.exchange(HEAD % b"a" + CLOSE + b"body")
    assert answered.startswith(ANSWERED)
    assert answered.endswith(b"x-asked: /a\r\ncontent-length: 6\r\nconnection: close\r\n\r\n1 body")
    assert Counting.writes == [len(answered)]


async def test_a_request_in_two_pieces_is_not(address: Address) -> None:
    """The app may answer before the rest has come."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(HEAD % b"a" + b"\r\n")
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(ANSWERED)
    assert await reader.readexactly(2) == b"0 "
    writer.write(b"body" + HEAD % b"b" + CLOSE + b"next")
    assert (await reader.read()).endswith(b"1 next")
    writer.close()


async def test_whole_requests_in_one_piece_are_answered_in_their_order(address: Address) -> None:
    """On one connection."""
    sent = b"".join(HEAD % path + b"\r\nbody" for path in (b"a", b"b")) + HEAD % b"c" + CLOSE + b"last"
    answered = await address.exchange(sent)
    assert [answered.index(b"x-asked: /" + path) for path in (b"a", b"b", b"c")] == sorted(
        answered.index(b"x-asked: /" + path) for path in (b"a", b"b", b"c")
    )
    assert answered.endswith(b"1 last")


async def test_an_answer_without_a_body_and_one_to_head_have_none(address: Address) -> None:
    """RFC 9110, sections 8.6 and 9.3.2."""
    answered = await address.exchange(HEAD % b"empty" + CLOSE + b"body")
    assert answered.startswith(b"HTTP/1.1 204 No Content\r\n")
    assert b"content-length" not in answered
    assert answered.endswith(b"\r\n\r\n")
    head = await address.exchange(b"HEAD /a HTTP/1.1\r\nhost: gateway\r\n" + CLOSE)
    assert b"content-length: 2\r\n" in head
    assert head.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("path", [b"a%0d%0ax-forged:1", b"a%0aset-cookie:1", b"a%00", b"a%0d"])
async def test_no_header_can_hold_another(address: Address, path: bytes) -> None:
    """An app that lets one through is at fault: nothing of it is sent."""
    answered = await address.exchange(HEAD % path + CLOSE + b"body")
    assert answered.startswith(b"HTTP/1.1 500 ")
    assert b"forged" not in answered
    assert b"cookie" not in answered
