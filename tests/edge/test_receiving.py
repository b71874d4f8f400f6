"""What does not come in is not waited for, and what can't be read is refused in GraphQL's form."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from starlette.types import Receive, Scope, Send

from app.receiving import LARGEST_HEAD, ReceivingProtocol
from app.security.keys import SANDBOX_KEY
from tests.edge.sockets import Address, listening
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = b'{"query": "{ viewer { name } }"}'
HEAD = (
    b"POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer %s\r\ncontent-type: application/json\r\n"
    % SANDBOX_KEY.encode()
)
WHOLE = HEAD + b"content-length: %d\r\nconnection: close\r\n\r\n" % len(BODY) + BODY


class Impatient(ReceivingProtocol):
    """As served, but for the time."""

    head_seconds = 0.3
    body_seconds = 0.3


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def address(served: Gateway) -> AsyncIterator[Address]:
    """Where the gateway listens, impatiently."""
    async with listening(served.app, Impatient) as where:
        yield where


async def test_a_whole_request_is_answered(address: Address) -> None:
    """The protocol stands in nobody's way."""
    assert (await address.exchange(WHOLE)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_requests_one_after_the_other_are_answered_on_one_connection(address: Address) -> None:
    """Also where the second one comes before the first is answered."""
    kept = WHOLE.replace(b"connection: close\r\n", b"")
    answered = await address.exchange(kept + kept + WHOLE)
    assert answered.count(b"HTTP/1.1 200 OK\r\n") == 3


async def test_a_connection_that_says_nothing_is_closed(address: Address) -> None:
    """With nothing: nothing was asked."""
    assert await address.exchange(b"") == b""


@pytest.mark.parametrize("sent", [b"P", HEAD, HEAD[:-2], b"GET /graphql HTTP/1.1\r\nhost: gateway\r\nx-slow: "])
async def test_headers_that_never_end_are_cut_off(address: Address, sent: bytes) -> None:
    """As 408."""
    status, error = _read(await address.exchange(sent))
    assert (status, error) == (408, "REQUEST_TIMEOUT")


async def test_line_breaks_before_a_request_keep_no_connection_open(address: Address) -> None:
    """They may stand there (RFC 9112, section 2.2), and are no beginning."""
    assert _read(await address.exchange(b"\r\n\r\n")) == (408, "REQUEST_TIMEOUT")
    kept = WHOLE.replace(b"connection: close\r\n", b"") + b"\r\n\r\n"
    answered = await address.exchange(kept)
    assert answered.startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize("sent", [b"", b'5\r\n{"que\r\n', b"7fffffff\r\nx"])
async def test_a_chunked_body_without_an_end_is_cut_off(address: Address, sent: bytes) -> None:
    """Nothing but a refusal comes back, if anything."""
    answered = await address.exchange(HEAD + b"transfer-encoding: chunked\r\n\r\n" + sent)
    assert answered == b"" or _read(answered)[0] in {400, 408}


async def test_half_a_body_and_silence_are_cut_off(address: Address) -> None:
    """The connection is closed."""
    answered = await address.exchange(HEAD + b"content-length: 100\r\n\r\n{")
    assert answered == b"" or _read(answered)[0] in {400, 408}


async def test_what_is_refused_early_need_not_send_its_body_to_be_told(address: Address) -> None:
    """The refusal comes; then the connection is closed, though its body never came."""
    without_key = b"POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-length: 100\r\n\r\n{"
    assert _read(await address.exchange(without_key)) == (401, "UNAUTHENTICATED")


async def test_what_was_answered_before_its_body_came_keeps_no_connection_open(address: Address) -> None:
    """Once the body is in, the connection idles as any other, and is closed for it."""
    without_key = b"POST /graphql HTTP/1.1\r\nhost: gateway\r\ncontent-length: 4\r\n\r\n"
    answered = await address.exchange(without_key, after=b"]}", then=b"body")
    assert _read(answered) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("behind", [b"\r\n", b"POST /", HEAD])
async def test_a_beginning_of_the_next_request_does_not_cost_one_its_answer(behind: bytes) -> None:
    """Though it is worked on for longer than a head may take to come in."""

    async def work(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await asyncio.sleep(Impatient.head_seconds * 2)
        await send({"type": "http.response.body", "body": b"ended"})

    async with listening(work, Impatient) as where:
        answered = await where.exchange(b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n", after=b"begun", then=behind)
    assert b"ended" in answered


async def test_a_request_without_a_host_is_refused(address: Address) -> None:
    """HTTP/1.1 demands one; HTTP/1.0 does not."""
    nameless = WHOLE.replace(b"host: gateway\r\n", b"")
    assert _read(await address.exchange(nameless)) == (400, "BAD_REQUEST")
    twice = WHOLE.replace(b"host: gateway\r\n", b"host: gateway\r\nhost: other\r\n")
    assert _read(await address.exchange(twice)) == (400, "BAD_REQUEST")
    assert (await address.exchange(nameless.replace(b"HTTP/1.1", b"HTTP/1.0"))).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        WHOLE.replace(b"host:", b"ho st:"),
        WHOLE.replace(b"host: gateway", b"host: gate\x00way"),
        WHOLE.replace(b"host:", b"idempotency-key: a\x00b\r\nhost:"),
        WHOLE.replace(b"content-length: ", b"content-length: 1\r\ncontent-length: "),
        WHOLE.replace(b"content-length: ", b"content-length: -"),
        WHOLE.replace(b"content-length: ", b"transfer-encoding: chunked\r\ncontent-length: "),
        HEAD + b"transfer-encoding: chunked\r\n\r\nzz\r\n",
        HEAD + b"transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_as_json(address: Address, sent: bytes) -> None:
    """With a code, and the connection is closed: what follows can't be told from what came before."""
    status, error = _read(await address.exchange(sent, then_eof=True))
    assert (status, error) == (400, "BAD_REQUEST")


async def test_what_follows_a_chunked_body_is_no_header(address: Address) -> None:
    """A trailer opens nothing (RFC 9110, section 6.5.1), and is counted to no request behind it."""
    key = b"authorization: Bearer %s\r\n" % SANDBOX_KEY.encode()
    chunked = HEAD.replace(key, b"") + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n" % (len(BODY), BODY)
    answered = await address.exchange(chunked + key + b"\r\n" + WHOLE)
    first, _, second = answered.partition(b"HTTP/1.1 200 OK\r\n")
    assert (_read(first), bool(second)) == ((401, "UNAUTHENTICATED"), True)


@pytest.mark.parametrize("upgrade", [b"h2c", b"foo", b"h2c, websocket"])
async def test_an_upgrade_that_is_not_offered_is_passed_over(address: Address, upgrade: bytes) -> None:
    """The body is the request's own (RFC 9110, section 7.8), and what follows it is the next request."""
    closing = WHOLE.replace(b"host:", b"connection: upgrade\r\nupgrade: %s\r\nhost:" % upgrade)
    kept = closing.replace(b"connection: close\r\n", b"")
    answered = await address.exchange(kept + kept + closing)
    assert (answered.count(b"HTTP/1.1"), answered.count(b"HTTP/1.1 200 OK\r\n")) == (3, 3)


async def test_http_1_0_is_not_upgraded(address: Address) -> None:
    """As any upgrade that is not offered, one to a WebSocket is passed over (RFC 9110, section 7.8)."""
    asked = WHOLE.replace(b"HTTP/1.1", b"HTTP/1.0").replace(
        b"connection: close", b"connection: upgrade\r\nupgrade: websocket"
    )
    assert (await address.exchange(asked)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_body_behind_an_upgrade_is_not_read_as_a_request(address: Address) -> None:
    """Nor where it comes when its head has been read."""
    smuggled = b"GET /livez HTTP/1.1\r\nhost: gateway\r\n\r\n"
    asked = b"connection: upgrade, close\r\nupgrade: foo\r\nexpect: 100-continue\r\ncontent-length: %d\r\n\r\n"
    answered = await address.exchange(HEAD + asked % len(smuggled), after=b"100 Continue\r\n\r\n", then=smuggled)
    assert _read(answered.partition(b"\r\n\r\n")[2]) == (400, "BAD_REQUEST")


async def test_http_1_0_is_told_of_no_continuation(address: Address) -> None:
    """The body is waited for, without a word (RFC 9110, section 10.1.1): the first thing that comes back is the answer."""
    head = HEAD.replace(b"HTTP/1.1", b"HTTP/1.0") + b"expect: 100-continue\r\ncontent-length: 100\r\n\r\n"
    assert not (await address.exchange(head)).startswith(b"HTTP/1.1 100")


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"10")]])
async def test_http_1_0_is_answered_without_chunks(headers: list[tuple[bytes, bytes]]) -> None:
    """What is sent piece by piece ends with the connection (RFC 9112, section 6.1)."""

    async def work(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
        await send({"type": "http.response.body", "body": b"ended"})

    async with listening(work) as where:
        answered = await where.exchange(b"GET / HTTP/1.0\r\n\r\n")
    head, _, body = answered.partition(b"\r\n\r\n")
    assert (body, b"chunked" in head, b"connection: close" in head) == (b"begunended", False, True)


async def test_the_gateway_is_no_proxy(address: Address) -> None:
    """CONNECT is refused, with an Upgrade and without."""
    for asked in (b"", b"connection: upgrade\r\nupgrade: foo\r\n"):
        answered = await address.exchange(b"CONNECT elsewhere:443 HTTP/1.1\r\nhost: gateway\r\n" + asked + b"\r\n")
        assert _read(answered) == (400, "BAD_REQUEST")


async def test_what_can_t_be_read_is_refused_with_a_date_and_a_request_id(address: Address) -> None:
    """As any other answer is given; each has an ID of its own."""
    heads = [(await address.exchange(b"nonsense\r\n\r\n")).partition(b"\r\n\r\n")[0] for _ in range(2)]
    named = [dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:]) for head in heads]
    assert all(headers[b"date"].endswith(b" GMT") for headers in named)
    assert len({headers[b"x-request-id"] for headers in named}) == 2


async def test_headers_beyond_measure_are_refused(address: Address) -> None:
    """As 431, while they still come in."""
    endless = HEAD + b"".join(b"x-%d: %s\r\n" % (n, b"v" * 1000) for n in range(LARGEST_HEAD // 1000 + 1))
    assert _read(await address.exchange(endless)) == (431, "HEADERS_TOO_LARGE")


LARGE = b"x-large: %s\r\n" % (b"v" * LARGEST_HEAD)


@pytest.mark.parametrize("before", [b"", WHOLE.replace(b"connection: close\r\n", b"")])
@pytest.mark.parametrize("behind", [b"", b"connection: upgrade\r\nupgrade: websocket\r\n"])
async def test_headers_beyond_measure_are_refused_in_one_piece(before: bytes, behind: bytes) -> None:
    """However they came: alone, behind another request, or on their way to a WebSocket. Nothing of the request is begun."""
    asked: list[str] = []

    async def answer(scope: Scope, _receive: Receive, send: Send) -> None:
        asked.append(scope["path"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async with listening(answer) as where:
        sent = before + b"GET /large HTTP/1.1\r\nhost: gateway\r\n" + LARGE + behind + b"\r\n"
        answered = await where.exchange(sent)
    assert _read(answered) == (431, "HEADERS_TOO_LARGE")
    assert "/large" not in asked


async def test_a_url_counts_as_head(address: Address) -> None:
    """It is as long as its client likes, too."""
    sent = b"GET /livez?%s HTTP/1.1\r\nhost: gateway\r\n\r\n" % (b"u" * LARGEST_HEAD)
    assert _read(await address.exchange(sent)) == (431, "HEADERS_TOO_LARGE")


async def test_a_large_body_makes_no_large_head(address: Address) -> None:
    """Though both come in one piece, and the next request behind them."""
    body = BODY[:-1] + b" " * LARGEST_HEAD + b"}"
    large = HEAD + b"content-length: %d\r\n\r\n" % len(body) + body
    answered = await address.exchange(large + large + WHOLE)
    assert answered.count(b"HTTP/1.1 200 OK\r\n") == 3


def _read(answered: bytes) -> tuple[int, str]:
    """The status and the code of the first refusal."""
    head, _, body = answered.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)["errors"][0]["extensions"]["code"]
