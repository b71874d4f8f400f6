"""Subscriptions over server-sent events, and what is never answered so."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.canaries.keys import wrong_key
from tests.live.served import KEY, PATIENCE, Served, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

README = Path(__file__).parents[2] / "README.md"
CREATE = """mutation ($name: String!, $key: String!) {
  createContact(input: {displayName: $name, idempotencyKey: $key}) { receipt { id state } } }"""
FOLLOW = "subscription ($by: ReceiptRef!) { receiptChanged(by: $by) { state } }"
SETTLE = (
    'mutation ($id: ID!) { settleReceipt(input: {receiptId: $id, applied: false, note: "no"}) { errors { code } } }'
)
URQL = (
    "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
)


async def test_a_subscription_is_a_stream_of_next_events_and_a_complete(shared: Served) -> None:
    """Each as soon as it happens; the data of `complete` is empty."""
    receipt_id = await _write(shared, "sandbox-500", "k-1")
    async with shared.stream(FOLLOW, {"by": {"idempotencyKey": "k-1"}}) as stream:
        assert stream.response.status_code == 200
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["cache-control"] == "no-store"
        assert await stream.next() == ("next", {"data": {"receiptChanged": {"state": "UNKNOWN"}}})
        await shared.ask(SETTLE, {"id": receipt_id})
        assert await stream.next() == ("next", {"data": {"receiptChanged": {"state": "FAILED"}}})
        assert await stream.next() == ("complete", None)
        with pytest.raises(EOFError):
            await stream.next()


async def test_what_can_not_be_followed_is_an_event_with_errors(shared: Served) -> None:
    """And the stream is complete."""
    async with shared.stream(FOLLOW, {"by": {"idempotencyKey": "none"}}) as stream:
        event, refused = await stream.next()
        assert (event, list(refused), refused["errors"][0]["extensions"]["code"]) == ("next", ["errors"], "NOT_FOUND")
        assert await stream.next() == ("complete", None)


@pytest.mark.parametrize(
    "document",
    ["subscription {", "subscription { receiptchanged { id } }", "subscription a { a } subscription b { b }"],
)
async def test_a_document_that_is_refused_is_an_event_to_who_takes_nothing_else(shared: Served, document: str) -> None:
    """As the protocol wants it: a status of 400 would say nothing to an EventSource. Who also takes JSON is answered JSON."""
    async with shared.stream(document) as stream:
        event, refused = await stream.next()
        assert (stream.response.status_code, event, list(refused)) == (200, "next", ["errors"])
        assert await stream.next() == ("complete", None)
    answer = await _post(shared, document, URQL)
    assert answer.headers["content-type"].startswith("application/graphql-response+json")
    assert answer.json() == refused


@pytest.mark.parametrize("accept", [URQL, "text/event-stream;q=1.0, application/json;q=0.1", "*/*, text/event-stream"])
async def test_a_query_is_never_answered_as_a_stream(shared: Served, accept: str) -> None:
    """Whatever else the client accepts, and before what; mutations neither."""
    mutation = 'mutation { createContact(input: {displayName: "sandbox-409"}) { errors { code } } }'
    for query in ("{ viewer { name } }", mutation):
        answer = await _post(shared, query, accept)
        assert "json" in answer.headers["content-type"]
        assert (answer.status_code, list(answer.json())) == (200, ["data"])


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "*/*",
        "application/graphql-response+json",
        "application/json, text/event-stream;q=0",
        "application/json, text/event-stream;q=0.000",
        "application/json, text/event-stream; q = 0.0; charset=utf-8",
    ],
)
async def test_a_subscription_without_a_stream_is_refused_with_a_code_of_its_own(shared: Served, accept: str) -> None:
    """Which says where it can be sent."""
    answer = await _post(shared, FOLLOW, accept)
    [error] = answer.json()["errors"]
    assert (answer.status_code, error["extensions"]["code"]) == (406, "SUBSCRIPTION_NEEDS_STREAM")
    assert "graphql-transport-ws" in error["message"]
    assert "text/event-stream" in error["message"]


async def test_a_subscription_has_no_head_alone(shared: Served) -> None:
    """HEAD is refused, and whoever sent it can go on; by GET it is a stream."""
    await _write(shared, "sandbox-500", "k-3")
    asked = {"query": 'subscription { receiptChanged(by: {idempotencyKey: "k-3"}) { state } }'}
    headers = {**KEY, "accept": "text/event-stream"}
    async with asyncio.timeout(PATIENCE):
        answer = await shared.http.head("/graphql", params=asked, headers=headers)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    async with shared.http.stream("GET", "/graphql", params=asked, headers=headers) as response:
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"


async def test_a_stream_says_what_its_key_may_still_spend(environ: dict[str, str], tmp_path: Path) -> None:
    """In the headers that every answer has where there is a limit."""
    limited = environ | {"SWITCHBOARD_RATE_LIMIT": "1000/3600"}
    async with served(limited, tmp_path / "switchboard.db", []) as gateway:
        async with gateway.stream(FOLLOW, {"by": {"idempotencyKey": "none"}}) as stream:
            told = stream.response.headers
        later = (await gateway.ask("{ viewer { name } }")).response.headers
    assert told["ratelimit-policy"] == later["ratelimit-policy"] == '"cost";q=1000;w=3600'
    assert [each["ratelimit"].split(";")[1] for each in (told, later)] == ["r=998", "r=996"]


async def test_without_a_key_nothing_is_streamed(shared: Served) -> None:
    """The refusal is an ordinary one."""
    headers = {"accept": "text/event-stream", "authorization": f"Bearer {wrong_key()}"}
    answer = await shared.http.post("/graphql", json={"query": FOLLOW}, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/json; charset=utf-8")


async def test_the_line_in_the_readme_follows_a_receipt(shared: Served) -> None:
    """As it is pasted into a shell: with the key of the write in doubt that stands above it."""
    [line] = re.findall(r"^curl -N .*?^}'$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    receipt_id = await _write(shared, "sandbox-500", "k-2")
    command = line.replace("http://127.0.0.1:8000", shared.url).replace("curl -N", "curl -sN")
    process = await asyncio.create_subprocess_exec("/bin/sh", "-c", command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        first = [await process.stdout.readline() for _ in range(3)]
        await shared.ask(SETTLE, {"id": receipt_id})
        out, _ = await process.communicate()
    told = b'event: next\ndata: {"data":{"receiptChanged":{"state":"%s","needsAttention":false}}}\n\n'
    assert b"".join([*first, out]) == told % b"UNKNOWN" + told % b"FAILED" + b"event: complete\ndata:\n\n"


async def _post(gateway: Served, query: str, accept: str) -> Any:
    body = {"query": query, "variables": {"by": {"idempotencyKey": "k-0"}}}
    return await gateway.http.post("/graphql", json=body, headers={**KEY, "accept": accept})


async def _write(gateway: Served, name: str, key: str) -> str:
    answer = await gateway.ask(CREATE, {"name": name, "key": key})
    return str(answer.data["createContact"]["receipt"]["id"])
