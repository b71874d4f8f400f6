"""Answers that nobody wrote: whatever comes, in whatever pieces, a call ends with an answer or an error of httpx."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import h11
import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from app.transport.answer import AnswerParser
from app.transport.seam import Reply
from tests.transport.server import MOST, answering_once, ask, calling, serving
from tests.transport.test_framing import BAD, CHUNKED, GOOD, TO_THE_END

ANSWERS = [
    *(answer for answer, _ in GOOD.values()),
    *TO_THE_END.values(),
    *(answer for answer in BAD.values() if len(answer) < 300),
    CHUNKED + b"".join(b"%x\r\n%b\r\n" % (size, b"x" * size) for size in (1, 15, 16, 0)),
]
PIECES = [b"\r\n", b"\r", b"\n", b"\0", b":", b" ", b"0", b"-1", b"chunked", b"content-length: 3\r\n", b"HTTP/1.1 "]
Outcome = Reply | type[httpx.RemoteProtocolError]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """An answer with up to four changes: bytes put in, left out, doubled, or of another answer."""
    answer = draw(st.sampled_from(ANSWERS))
    for _ in range(draw(st.integers(0, 4))):
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(answer))] * 2)))
        put = draw(
            st.sampled_from(PIECES) | st.binary(max_size=8) | st.sampled_from(ANSWERS) | st.just(answer[start:end])
        )
        answer = answer[:start] + put + answer[draw(st.sampled_from([start, end])) :]
    return answer


@st.composite
def cut(draw: st.DrawFn) -> list[bytes]:
    """A mutated answer in pieces."""
    answer = draw(mutated())
    cuts = sorted(draw(st.lists(st.integers(0, len(answer)), max_size=6)))
    return [answer[start:end] for start, end in zip([0, *cuts], [*cuts, len(answer)], strict=True) if start < end]


ANOTHER = b"HTTP/1.1 200 OK\r\nX: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nx: b\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"


def read(pieces: Sequence[bytes], *before: bytes) -> Outcome:
    """What the parser makes of it on a connection that has had answers before, if the connection ends after it."""
    parser = AnswerParser()
    for answer in before:
        parser.expect(MOST)
        assert parser.feed(answer) is not None
    parser.expect(MOST)
    try:
        for piece in pieces:
            if (reply := parser.feed(piece)) is not None:
                return reply
        return parser.end()
    except httpx.RemoteProtocolError:
        return httpx.RemoteProtocolError


@settings(max_examples=400, deadline=None)
@given(cut())
def test_an_answer_reads_the_same_however_it_is_cut(pieces: list[bytes]) -> None:
    """Any bytes are an answer or a RemoteProtocolError, whole or in pieces, and the same in both. So they are after another
    answer.
    """
    whole = read([b"".join(pieces)])
    assert read(pieces) == whole
    assert read(pieces, ANOTHER, INTERIM) == whole


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_what_is_read_is_what_another_reader_reads(answer: bytes) -> None:
    """Where h11 and this parser both take an answer, they agree on its status and on its content: no answer can be smuggled
    into another.
    """
    ours, theirs = read([answer]), read_with_h11(answer)
    if isinstance(ours, Reply) and len(ours.content) <= MOST and theirs is not None:
        assert (ours.status, ours.content) == theirs


@settings(max_examples=60, deadline=None)
@given(cut())
def test_a_call_always_ends(pieces: list[bytes]) -> None:
    """Over real sockets, with the server's end of the connection after the last piece: an answer or a TransportError."""

    async def call() -> None:
        async with serving(answering_once(*pieces)) as server, calling(server) as client:
            try:
                reply = await ask(client)
            except httpx.TransportError:
                return
            assert 200 <= reply.status <= 999

    asyncio.run(call())


def read_with_h11(answer: bytes) -> tuple[int, bytes] | None:
    """Status and content as h11 reads them, or None where it does not."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "vendor")]))
    connection.send(h11.EndOfMessage())
    status, content = 0, b""
    try:
        connection.receive_data(answer)
        connection.receive_data(b"")
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data):
                content += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return status, content
            elif not isinstance(event, h11.InformationalResponse):
                return None
    except h11.RemoteProtocolError:
        return None
