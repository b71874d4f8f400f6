"""Where an answer ends: RFC 9112, section 6.3, over real sockets, and what comes of the connection after it."""

from __future__ import annotations

from typing import NamedTuple

import httpx
import pytest

from app.transport.answer import MOST_HEAD_BYTES, MOST_HEADERS, AnswerParser
from app.transport.seam import Reply
from tests.transport.server import MOST, answering, answering_once, ask, calling, serving


class Answered(NamedTuple):
    """What a caller gets of an answer, and whether the connection is used again."""

    status: int
    content: bytes
    again: bool


KEPT, DROPPED = True, False
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
NEXT = b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n"
GOOD = {
    "a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", Answered(200, b"hello", KEPT)),
    "no content": (b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n", Answered(201, b"", KEPT)),
    "no reason": (b"HTTP/1.1 200\r\ncontent-length: 2\r\n\r\n{}", Answered(200, b"{}", KEPT)),
    "an empty header": (b"HTTP/1.1 200 OK\r\nx-empty:\r\ncontent-length: 2\r\n\r\n{}", Answered(200, b"{}", KEPT)),
    "a status of its own": (b"HTTP/1.1 599 ?\r\ncontent-length: 2\r\n\r\n{}", Answered(599, b"{}", KEPT)),
    "chunks": (CHUNKED + b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", Answered(200, b"hello", KEPT)),
    "a chunk's extension": (CHUNKED + b"5;a=b\r\nhello\r\n0\r\n\r\n", Answered(200, b"hello", KEPT)),
    "a trailer": (CHUNKED + b"5\r\nhello\r\n0\r\nx-sum: 9\r\n\r\n", Answered(200, b"hello", KEPT)),
    "CHUNKED": (CHUNKED.upper() + b"5\r\nhello\r\n0\r\n\r\n", Answered(200, b"hello", KEPT)),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", Answered(204, b"", KEPT)),
    "304 with the length of what it stands for": (
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
        Answered(304, b"", KEPT),
    ),
    "204 with a body all the same": (
        b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello",
        Answered(204, b"", DROPPED),
    ),
    "100 before": (b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + b"1\r\n1\r\n0\r\n\r\n", Answered(200, b"1", KEPT)),
    "103 twice before": (
        b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * 2 + b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1",
        Answered(200, b"1", KEPT),
    ),
    "104 and 199 before": (
        b"HTTP/1.1 104 Upload Resumption Supported\r\n\r\nHTTP/1.1 199 ?\r\n\r\n" + CHUNKED + b"1\r\n1\r\n0\r\n\r\n",
        Answered(200, b"1", KEPT),
    ),
    "close": (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}", Answered(200, b"{}", DROPPED)),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}", Answered(200, b"{}", DROPPED)),
    "HTTP/1.0 that keeps": (
        b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}",
        Answered(200, b"{}", KEPT),
    ),
    "a second answer after it": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}" + NEXT,
        Answered(200, b"{}", DROPPED),
    ),
    "an answer without a body after it": (
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}HTTP/1.1 204 No Content\r\n\r\n",
        Answered(200, b"{}", DROPPED),
    ),
    "rubbish after it": (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}}}}}", Answered(200, b"{}", DROPPED)),
    "rubbish after its last chunk": (CHUNKED + b"1\r\n1\r\n0\r\n\r\n?", Answered(200, b"1", DROPPED)),
    "as much as is taken": (
        b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % MOST + b"x" * MOST,
        Answered(200, b"x" * MOST, KEPT),
    ),
    "an upgrade that is only offered": (
        b"HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: h2c\r\ncontent-length: 2\r\n\r\n{}",
        Answered(200, b"{}", KEPT),
    ),
}
TO_THE_END = {
    "no length": b"HTTP/1.1 200 OK\r\n\r\nhello",
    "no length, HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nhello",
    "no length, and close": b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
}
BAD = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "no end of the headers": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n",
    "half of a body": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhe",
    "half of a chunk": CHUNKED + b"5\r\nhe",
    "no last chunk": CHUNKED + b"5\r\nhello\r\n",
    "a length among the trailers": CHUNKED + b"5\r\nhello\r\n0\r\ncontent-length: 9\r\n\r\n",
    "no end of the trailers": CHUNKED + b"5\r\nhello\r\n0\r\nx: y\r\n",
    "only 100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    "101 without saying to what": b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + NEXT,
    "103 with a body": b"HTTP/1.1 103 Early Hints\r\ncontent-length: 5\r\n\r\nhello" + NEXT,
    "a length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and a length": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
    "two lengths in one": b"HTTP/1.1 200 OK\r\ncontent-length: 2, 3\r\n\r\n{}",
    "a negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n{}",
    "a signed length": b"HTTP/1.1 200 OK\r\ncontent-length: +2\r\n\r\n{}",
    "a length that is none": b"HTTP/1.1 200 OK\r\ncontent-length: two\r\n\r\n{}",
    "a length beyond numbers": b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n{}" % 2**70,
    "an empty length": b"HTTP/1.1 200 OK\r\ncontent-length:\r\n\r\n{}",
    "a chunk size that is none": CHUNKED + b"z\r\nhello\r\n0\r\n\r\n",
    "a chunk size beyond numbers": CHUNKED + b"f" * 20 + b"\r\nhello\r\n0\r\n\r\n",
    "a chunk longer than it says": CHUNKED + b"2\r\nhello\r\n0\r\n\r\n",
    "another coding": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nhello",
    "another coding beneath chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "another coding above chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunks twice": CHUNKED[:-2] + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "no coding that is known": b"HTTP/1.1 200 OK\r\ntransfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "HTTP/2": b"HTTP/2.0 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\ncontent-length: 2\r\n\r\n{}",
    "a request": b"GET / HTTP/1.1\r\n\r\n",
    "another protocol": b"220 mail.example ESMTP ready\r\n",
    "a body alone": b'{"id": 1}',
    "every byte": bytes(range(256)),
    "a status of two digits": b"HTTP/1.1 20 OK\r\ncontent-length: 0\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\ncontent-length: 0\r\n\r\n",
    "a status below all": b"HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n",
    "a status below all, before another": b"HTTP/1.1 099 OK\r\n\r\n" + NEXT,
    "a space before a colon": b"HTTP/1.1 200 OK\r\ncontent-length : 2\r\n\r\n{}",
    "a header without a colon": b"HTTP/1.1 200 OK\r\ncontent-length\r\n\r\n{}",
    "a NUL in a header": b"HTTP/1.1 200 OK\r\nx: a\0b\r\ncontent-length: 2\r\n\r\n{}",
    "a bare CR in a header": b"HTTP/1.1 200 OK\r\nx: a\rcontent-length: 2\r\n\r\n{}",
    "an endless header": b"HTTP/1.1 200 OK\r\nx: " + b"y" * (2 * MOST_HEAD_BYTES),
    "an endless header of many": b"HTTP/1.1 200 OK\r\n" + b"x: %s\r\n" % (b"y" * 1000) * 100,
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * (MOST_HEADERS + 1) + b"content-length: 2\r\n\r\n{}",
    "too many trailers": CHUNKED + b"0\r\n" + b"x: y\r\n" * (MOST_HEADERS + 1) + b"\r\n",
    "too many interim answers": b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n" * (MOST_HEADERS + 1) + NEXT,
    "interim answers for ever": b"HTTP/1.1 100 Continue\r\n\r\n" * 3000 + NEXT,
}


@pytest.mark.parametrize("name", GOOD)
async def test_an_answer_ends_where_it_says(name: str) -> None:
    """The content is whole, and the connection is used again only if nothing is odd about it."""
    answer, expected = GOOD[name]
    async with serving(answering(answer)) as server, calling(server) as client:
        reply = await ask(client)
        await ask(client)
        assert Answered(reply.status, reply.content, server.connections == 1) == expected


@pytest.mark.parametrize("name", TO_THE_END)
async def test_without_a_length_an_answer_ends_with_its_connection(name: str) -> None:
    """As HTTP/1.0 did it; the next call has a new connection."""
    async with serving(answering_once(TO_THE_END[name])) as server, calling(server) as client:
        assert [(await ask(client)).content for _ in range(2)] == [b"hello"] * 2
        assert server.connections == 2


@pytest.mark.parametrize("name", BAD)
async def test_an_answer_whose_end_is_in_doubt_is_none(name: str) -> None:
    """It is refused as httpx would, and its connection is not used again."""
    async with serving(answering_once(BAD[name])) as server, calling(server) as client:
        for _ in range(2):
            with pytest.raises(httpx.RemoteProtocolError):
                await ask(client)
        assert server.connections == 2


@pytest.mark.parametrize(
    "head", [b"content-length: %d\r\n\r\n" % (MOST * 100), b"\r\n", b"transfer-encoding: chunked\r\n\r\nffff\r\n"]
)
async def test_a_body_beyond_the_most_is_cut_off(head: bytes) -> None:
    """The caller sees that there is more than it takes, without waiting for it, and the connection is not used again."""
    body = b"x" * (MOST + 1)
    async with serving(answering(b"HTTP/1.1 200 OK\r\n" + head + body)) as server, calling(server) as client:
        assert [len((await ask(client)).content) > MOST for _ in range(2)] == [True, True]
        assert server.connections == 2


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_may_come_byte_by_byte(name: str) -> None:
    """What it says does not depend on how the network cuts it."""
    answer, expected = GOOD[name]
    parser = expecting()
    reply = next(filter(None, (parser.feed(bytes([byte])) for byte in answer)))
    assert (reply.status, reply.content) == expected[:2]


def test_headers_are_found_in_lower_case_and_repeated_ones_together() -> None:
    """RFC 9110, section 5.3; a trailer adds nothing."""
    answer = b"HTTP/1.1 200 OK\r\nRetry-After: 5\r\nX: a\r\nx-empty:\r\nx: b\r\ntransfer-encoding: chunked\r\n\r\n"
    assert expecting().feed(answer + b"0\r\nx: c\r\n\r\n") == Reply(
        200, {b"retry-after": b"5", b"x": b"a, b", b"x-empty": b"", b"transfer-encoding": b"chunked"}, b""
    )


def expecting() -> AnswerParser:
    parser = AnswerParser()
    parser.expect(MOST)
    return parser
