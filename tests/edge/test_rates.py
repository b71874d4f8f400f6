"""What a key may spend in a window of time: by cost, told in the standard headers, counted for all processes together."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from app.bad_request import BadRequest
from app.security.rates import Budget
from app.settings import Rate
from app.sockets import bound_socket
from tests.canaries.keys import MARK
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVIRON = {"SWITCHBOARD_RATE_LIMIT": "40/3600"}
RATE = Rate(100, 3600)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretStr]:
    """A Redis (or Valkey) server of our own."""
    program = shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        pytest.skip("no Valkey and no Redis here: install one (package valkey-server or redis-server)")
    with bound_socket("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
    folder = tmp_path_factory.mktemp("store")
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
    with subprocess.Popen([program, *options], stdout=subprocess.PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None
        while "eady to accept connections" not in server.stdout.readline():
            assert server.poll() is None
        yield SecretStr(f"redis://127.0.0.1:{port}/0")
        server.terminate()


@pytest_asyncio.fixture(loop_scope="module", params=["memory", "store"])
async def budget(request: pytest.FixtureRequest) -> AsyncIterator[Budget]:
    """A budget in memory, and one in a store."""
    opened = Budget(RATE, None if request.param == "memory" else request.getfixturevalue("store"))
    yield opened
    await opened.close()


async def test_a_key_may_spend_so_much_and_no_more(budget: Budget) -> None:
    """What is too much is not counted; each key has its own."""
    key, other = "key" + str(id(budget)), "other" + str(id(budget))
    for cost, left in ((60, 40), (10, 30), (30, 0)):
        headers = {name.decode(): value.decode() for name, value in await budget.spend(key, cost)}
        assert headers["ratelimit-policy"] == '"cost";q=100;w=3600'
        assert headers["ratelimit"].startswith(f'"cost";r={left};t=')
    with pytest.raises(BadRequest) as raised:
        await budget.spend(key, 1)
    refused = raised.value
    assert (refused.status, refused.code, refused.facts["retryable"]) == (429, "RATE_LIMITED", True)
    assert 1 <= refused.facts["retryAfter"] == int(refused.headers["retry-after"]) <= 3600
    assert refused.headers["ratelimit"].startswith('"cost";r=0;t=')
    assert await budget.spend(other, 100)


async def test_what_costs_more_than_there_ever_is_is_not_worth_repeating(budget: Budget) -> None:
    """It says so, and counts nothing."""
    with pytest.raises(BadRequest) as raised:
        await budget.spend("large", 101)
    assert (raised.value.facts, "retry-after" in raised.value.headers) == ({"retryable": False}, False)
    assert await budget.spend("large", 100)


async def test_processes_share_what_a_store_counts(store: SecretStr) -> None:
    """Two gateways over one store: together they spend what one may."""
    first, second = Budget(RATE, store), Budget(RATE, store)
    assert await first.spend("shared", 60)
    with pytest.raises(BadRequest):
        await second.spend("shared", 60)
    assert await second.spend("shared", 40)
    for each in (first, second):
        await each.close()


async def test_a_store_that_does_not_answer_stops_nobody() -> None:
    """Nothing is counted then, and no header says otherwise."""
    with bound_socket("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
    nowhere = Budget(RATE, SecretStr(f"redis://:{MARK}store@127.0.0.1:{port}/0"))
    assert await nowhere.spend("key", 1) == []
    await nowhere.close()


async def test_a_store_that_hangs_is_waited_for_once() -> None:
    """A quarter of a second; then it is left alone for five seconds, and asked again."""
    asked, now = [], [0.0]

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(now[0])
        await reader.read()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        hanging = Budget(RATE, SecretStr(f"redis://127.0.0.1:{port}/0"), lambda: now[0])
        for seconds in (0.0, 1.0, 4.9, 5.0):
            now[0] = seconds
            assert await hanging.spend("key", 1) == []
        await hanging.close()
    assert set(asked) == {0.0, 5.0}


NONSENSE = {
    "a word": b"+OK\r\n",
    "nothing": b"$-1\r\n",
    "a text": b"$3\r\nabc\r\n",
    "a number as a text": b"$1\r\n5\r\n",
    "no text": b"$2\r\n\xff\xfe\r\n",
    "a length that is none": b"$abc\r\n",
    "a length below zero": b"$-7\r\n",
    "a list": b"*1\r\n:1\r\n",
    "lists in lists": b"*1\r\n" * 5_000,
    "too many digits": b":" + b"9" * 5_000 + b"\r\n",
    "more than a float holds": b":" + b"9" * 400 + b"\r\n",
    "a line without an end": b"+" + b"1" * 300_000,
    "another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
}


@asynccontextmanager
async def answering(answer: bytes, asked: list[float], now: list[float]) -> AsyncIterator[Budget]:
    """A budget whose store has one answer to everything."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(65_536):
            asked.append(now[0])
            writer.write(answer * (request.count(b"\r\n*") + 1))
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as server:
        budget = Budget(RATE, SecretStr(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"), lambda: now[0])
        yield budget
        await budget.close()


@pytest.mark.parametrize("name", NONSENSE)
async def test_a_store_that_answers_nonsense_stops_nobody(name: str) -> None:
    """It is as one that does not answer: left alone for five seconds, and asked again."""
    asked: list[float] = []
    now = [0.0]
    async with answering(NONSENSE[name], asked, now) as budget:
        for seconds in (0.0, 1.0, 4.9, 5.0):
            now[0] = seconds
            assert await budget.spend("key", 1) == []
    assert set(asked) == {0.0, 5.0}


async def test_nobody_is_told_to_wait_for_longer_than_a_window() -> None:
    """Whatever the store says when it ends."""
    async with answering(b":" + b"9" * 23 + b"\r\n", [], [0.0]) as budget:
        with pytest.raises(BadRequest) as raised:
            await budget.spend("key", 1)
    assert (raised.value.facts["retryAfter"], raised.value.headers["retry-after"]) == (3600, "3600")


async def test_a_request_beyond_the_limit_is_answered_429(served: Gateway) -> None:
    """In GraphQL's form, with the seconds; whoever stays within is told what is left."""
    key = await served.new_key("read")
    headers = {"x-api-key": key}
    body = {"query": "{ contacts(first: 5) { nodes { id } } }"}
    answered = [await served.http.post("/graphql", json=body, headers=headers) for _ in range(3)]
    assert [each.status_code for each in answered] == [200, 200, 429]
    assert [each.headers["ratelimit"].split(";")[1] for each in answered] == ["r=23", "r=6", "r=6"]
    [error] = answered[2].json()["errors"]
    seconds = int(answered[2].headers["retry-after"])
    assert error == {
        "message": f"This key has spent what it may: ask again in {seconds} seconds.",
        "extensions": {"code": "RATE_LIMITED", "retryable": True, "retryAfter": seconds},
    }
    assert len(served.upstream) == 2


async def test_ci_installs_a_store() -> None:
    """So that none of these is skipped there."""
    assert "redis-server" in (Path(__file__).parents[2] / ".ci" / "run").read_text("utf-8")
