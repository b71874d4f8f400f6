"""graphql-transport-ws, message by message: what is answered, and with which code a connection is closed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.typing import Subprotocol

from app.body import LARGEST_BODY
from app.receiving import LARGEST_HEAD
from app.security.keys import SANDBOX_KEY
from tests.canaries.keys import wrong_key
from tests.live.served import KEY, PATIENCE, Served, served
from tests.telemetry.scrape import samples, series

pytestmark = pytest.mark.asyncio(loop_scope="module")

INIT: dict[str, Any] = {"type": "connection_init", "payload": {"authorization": f"Bearer {SANDBOX_KEY}"}}
ENDLESS = {"query": 'subscription { activityLogged(of: {accountId: "a1405560-c8d3-4b1a-877d-3f449ad95352"}) { id } }'}
SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": ENDLESS}
NAME = "{ viewer { name } }"
BAD_REQUESTS: dict[str, str | bytes] = {
    "no JSON": "{",
    "no object": "[]",
    "no type": "{}",
    "a type that is a list": '{"type": []}',
    "a type that is an object": '{"type": {}}',
    "an unknown type": '{"type": "start"}',
    "the same key twice": '{"type": "ping", "type": "ping"}',
    "nested too deeply": '{"type": "ping", "payload": ' + "[" * 200 + "]" * 200 + "}",
    "a payload that is no object": '{"type": "ping", "payload": 1}',
    "an init payload that is no object": '{"type": "connection_init", "payload": "key"}',
    "complete without an ID": '{"type": "complete"}',
    "an ID that is no string": json.dumps(SUBSCRIBE | {"id": 1}),
    "an empty ID": json.dumps(SUBSCRIBE | {"id": ""}),
    "a long ID": json.dumps(SUBSCRIBE | {"id": "1" * 129}),
    "no payload": '{"type": "subscribe", "id": "1"}',
    "no query": json.dumps(SUBSCRIBE | {"payload": {"variables": {}}}),
    "variables that are no object": json.dumps(SUBSCRIBE | {"payload": {"query": NAME, "variables": []}}),
    "bytes": b"{}",
}
CLOSED: dict[str, tuple[list[Any], int, str]] = {
    "before the key was given": ([SUBSCRIBE], 4401, "Unauthorized"),
    "a key that opens nothing": ([INIT | {"payload": {"authorization": f"Bearer {wrong_key()}"}}], 4403, "Forbidden"),
    "no key": ([{"type": "connection_init"}], 4403, "Forbidden"),
    "a second init": ([INIT, INIT], 4429, "Too many initialisation requests"),
    "an ID that is in use": ([INIT, SUBSCRIBE, SUBSCRIBE], 4409, "Subscriber for 1 already exists"),
    "a long ID that is in use": (
        [INIT, SUBSCRIBE | {"id": "\N{GRINNING FACE}" * 100}, SUBSCRIBE | {"id": "\N{GRINNING FACE}" * 100}],
        4409,
        "Subscriber for " + "\N{GRINNING FACE}" * 27,
    ),
}
HANDSHAKE = (
    b"GET /graphql HTTP/1.1\r\nhost: gateway\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-version: 13\r\n\r\n"
)
UNREADABLE: dict[str, tuple[bytes, int]] = {
    "a long URL": (HANDSHAKE.replace(b"/graphql", b"/graphql?" + b"a" * 9000), 414),
    "a long header": (HANDSHAKE.replace(b"host:", b"cookie: " + b"a" * 9000 + b"\r\nhost:"), 431),
    "many headers": (HANDSHAKE.replace(b"host:", b"".join(b"x-%d: a\r\n" % n for n in range(130)) + b"host:"), 431),
    "a body": (HANDSHAKE.replace(b"host:", b"content-length: 5\r\nhost:") + b"hello", 400),
    "no key": (HANDSHAKE.replace(b"sec-websocket-key:", b"x-key:"), 400),
    "another version": (HANDSHAKE.replace(b"version: 13", b"version: 12"), 400),
    "a body in chunks": (HANDSHAKE.replace(b"host:", b"transfer-encoding: chunked\r\nhost:") + b"0\r\n\r\n", 400),
}


@pytest.mark.parametrize("name", UNREADABLE)
async def test_a_handshake_that_can_t_be_read_is_refused_and_its_connection_closed(shared: Served, name: str) -> None:
    """It is not left open, with nobody to see to it: the gateway could not stop in peace then. It is told in GraphQL's form,
    with an ID and what would be understood (RFC 6455, section 4.2.2).
    """
    sent, status = UNREADABLE[name]
    head, _, body = (await _exchange(shared, sent)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    headers = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    assert (headers[b"content-type"], headers[b"sec-websocket-version"]) == (b"application/json; charset=utf-8", b"13")
    assert {b"x-request-id", b"date"} <= set(headers)
    code = json.loads(body)["errors"][0]["extensions"]["code"]
    assert code == ("BAD_REQUEST" if status == 400 else "HEADERS_TOO_LARGE")


async def test_what_the_server_refuses_is_counted_too(environ: dict[str, str], tmp_path: Path) -> None:
    """Handshakes, and what is no request: the app is told of neither."""
    large = b"GET / HTTP/1.1\r\nx: %s\r\n\r\n" % (b"a" * LARGEST_HEAD)
    async with served(environ, tmp_path / "switchboard.db", []) as gateway:
        for sent in (UNREADABLE["a long header"][0], UNREADABLE["no key"][0], b"nonsense\r\n\r\n", large):
            await _exchange(gateway, sent)
        counted = samples((await gateway.http.get("/metrics")).text)
    assert series(counted, "http_requests_refused_total") == {("400",): 2, ("431",): 2}


async def test_a_handshake_overtakes_no_answer(shared: Served) -> None:
    """One that comes while a request before it is worked on is answered in its turn, as if it asked for no upgrade."""
    asked = b'{"query": "{ viewer { name } }"}'
    request = b"POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: %s\r\ncontent-type: application/json\r\n"
    request = request % KEY["authorization"].encode() + b"content-length: %d\r\n\r\n" % len(asked) + asked
    early = HANDSHAKE.replace(b"connection: upgrade", b"connection: upgrade, close")
    answered = await _exchange(shared, request + early)
    assert [part[:4] for part in answered.split(b"HTTP/1.1 ")[1:]] == [b"200 ", b"401 "]


async def _exchange(gateway: Served, sent: bytes) -> bytes:
    """All that comes back until the gateway hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(gateway.url).port)
    writer.write(sent)
    async with asyncio.timeout(PATIENCE):
        answered = await reader.read()
    writer.close()
    return answered


@pytest.mark.parametrize("name", CLOSED)
async def test_what_breaks_the_protocol_closes_the_connection_with_its_code(shared: Served, name: str) -> None:
    """With the code and the reason that the protocol has for it."""
    messages, code, reason = CLOSED[name]
    async with shared.socket(key=None) as follower:
        for message in messages:
            await follower.socket.send(json.dumps(message))
        assert await follower.closed() == (code, reason)


async def test_what_is_no_message_closes_the_connection_with_4400(shared: Served) -> None:
    """And a reason, in the words in which a body over HTTP is refused."""
    for name, frame in BAD_REQUESTS.items():
        async with shared.socket(key=None) as follower:
            await follower.socket.send(frame)
            code, reason = await follower.closed()
            assert (name, code, bool(reason)) == (name, 4400, True)


async def test_who_does_not_say_who_they_are_is_closed_with_4408(shared: Served) -> None:
    """After three seconds."""
    async with shared.socket(key=None) as follower:
        assert await follower.closed() == (4408, "Connection initialisation timeout")


@pytest.mark.parametrize("offered", [["graphql-ws"], None])
async def test_another_subprotocol_is_closed_with_4406(shared: Served, offered: list[Subprotocol] | None) -> None:
    """Also the older one of the same name, and none."""
    async with shared.socket(key=None, subprotocols=offered) as follower:
        assert await follower.closed() == (4406, "Subprotocol not acceptable")


async def test_a_message_that_is_too_large_is_closed_with_1009(shared: Served) -> None:
    """As large as a body may be, and no larger (RFC 6455, section 7.4.1)."""
    async with shared.socket() as follower:
        await follower.socket.send(" " * (LARGEST_BODY + 1))
        code, _ = await follower.closed()
        assert code == 1009


@pytest.mark.parametrize("name", ["authorization", "Authorization", "x-api-key", "X-API-Key"])
async def test_the_key_is_taken_from_the_payload_of_init(shared: Served, name: str) -> None:
    """In either of its two forms, the name in any case."""
    value = f"Bearer {SANDBOX_KEY}" if name.lower() == "authorization" else SANDBOX_KEY
    async with shared.socket(key=None) as follower:
        await follower.send("connection_init", payload={name: value, "client": "test"})
        assert await follower.next() == {"type": "connection_ack"}


async def test_the_key_is_taken_from_the_headers_of_the_handshake(shared: Served) -> None:
    """Where init has none; one that it has counts for more."""
    header = {"x-api-key": SANDBOX_KEY}
    async with shared.socket(key=None, additional_headers=header) as follower:
        await follower.send("connection_init")
        assert await follower.next() == {"type": "connection_ack"}
    async with shared.socket(key=None, additional_headers=header) as follower:
        await follower.send("connection_init", payload={"x-api-key": wrong_key()})
        assert await follower.closed() == (4403, "Forbidden")


async def test_a_ping_is_answered_with_its_payload(shared: Served) -> None:
    """Before and after the key was given; a pong is not answered."""
    async with shared.socket(key=None) as follower:
        await follower.send("ping", payload={"n": 1})
        assert await follower.next() == {"type": "pong", "payload": {"n": 1}}
        await follower.send("pong")
        await follower.send("ping")
        assert await follower.next() == {"type": "pong"}


async def test_queries_and_mutations_are_answered_once_and_completed(shared: Served) -> None:
    """In the same words as over HTTP; the ID is free again afterwards."""
    mutation = """mutation { createContact(input: {displayName: "Ada", identifiers: [{key: "crm_id", value: "77"}]}) {
        contact { displayName } errors { code } } }"""
    made = {"createContact": {"contact": {"displayName": "Ada"}, "errors": []}}
    async with shared.socket() as follower:
        for query, data in ((NAME, {"viewer": {"name": "Sandbox"}}), (mutation, made)):
            await follower.subscribe("1", query)
            assert await follower.next() == {"type": "next", "id": "1", "payload": {"data": data}}
            assert await follower.next() == {"type": "complete", "id": "1"}


async def test_what_can_not_be_run_is_an_error_of_that_operation_alone(shared: Served) -> None:
    """With the codes of HTTP: a document, a variable, a root field that is left out, a receipt that there is none of."""
    refused = {
        "{ viewer { nobody } }": "GRAPHQL_VALIDATION_FAILED",
        "{": "GRAPHQL_PARSE_FAILED",
        "query ($first: Int!) { people(first: $first) { nodes { id } } }": "BAD_USER_INPUT",
        "subscription ($by: ReceiptRef!) { receiptChanged(by: $by) { id } }": "BAD_USER_INPUT",
        'subscription { receiptChanged(by: {idempotencyKey: "none"}) { id } }': "NOT_FOUND",
        'subscription { receiptChanged(by: {idempotencyKey: "none"}) @skip(if: true) { id } }': "GRAPHQL_VALIDATION_FAILED",
        'subscription { ... @include(if: false) { receiptChanged(by: {idempotencyKey: "none"}) { id } } }': (
            "GRAPHQL_VALIDATION_FAILED"
        ),
        'subscription { activityLogged(of: {accountId: "none"}) { id } }': "BAD_USER_INPUT",
        'subscription { a: receiptChanged(by: {id: "x"}) { id } b: receiptChanged(by: {id: "x"}) { id } }': (
            "GRAPHQL_VALIDATION_FAILED"
        ),
    }
    async with shared.socket() as follower:
        for query, code in refused.items():
            await follower.subscribe("1", query)
            message = await follower.next()
            assert (message["type"], message["id"]) == ("error", "1")
            assert (query, [error["extensions"]["code"] for error in message["payload"]]) == (query, [code])


async def test_a_client_that_completes_hears_no_more_and_may_use_the_id_again(shared: Served) -> None:
    """Of that operation; the connection stands, and completing what there is none of is no fault."""
    async with shared.socket() as follower:
        for _ in range(3):
            await follower.subscribe("1", ENDLESS["query"])
            await follower.send("complete", id="1")
        await follower.send("complete", id="2")
        await follower.answered()


async def test_a_trusted_document_is_followed_by_its_id(shared: Served) -> None:
    """In the place of its text, as over HTTP."""
    async with shared.socket() as follower:
        await follower.send(
            "subscribe",
            id="1",
            payload={"documentId": "receipt_changed", "variables": {"by": {"idempotencyKey": "none"}}},
        )
        refused = await follower.next()
        assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "NOT_FOUND")
