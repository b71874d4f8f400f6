"""Callbacks: every background write of a gateway key with a URL is told of, signed, until somebody takes it or a day is over.

The partner's side is a server of its own on a socket, and signatures are verified here with nothing of the gateway's.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, func, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.clock import now_ms
from app.database import callback_urls, callbacks
from app.ledger import store
from app.ledger.callbacks import (
    HOLD,
    LARGEST_ANSWER,
    MOST_PER_KEY,
    Callbacks,
    is_callback_url,
    milliseconds_until_retry,
    open_client,
    shown_secret,
)
from app.ledger.settlement import Word, settle
from app.ledger.write import Write, write_error
from app.migrate import migrate
from app.security.keys import Keys, id_of
from app.security.signing import Signer
from app.transactions import Transactions
from app.writer import Writer
from schema.errors import VendorRejected
from schema.ids import Kind, decode, encode
from schema.types.receipt import Delivery, WriteState
from schema.vendor import Environment, Vendor
from tests.canaries.keys import canary
from tests.cli.command import Finished, files, run
from tests.databases import opened, writing
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.ledger.rows import changing, in_state

SIGNER = Signer(SecretStr(canary("secret")))
COMMAND = (
    sys.executable,
    "-m",
    "app.cli",
    "keys",
    "create",
    "--name",
    "Partner",
    "--environment",
    "test",
    "--scope",
    "*",
)
DAY = 24 * 3600 * 1000
PATIENCE = 120.0
CREATE = """mutation ($name: String!, $delivery: Delivery!) { createContact(
  input: {displayName: $name, idempotencyKey: $name, delivery: $delivery}
) { receipt { id state createdAt } errors { code } } }"""
RECEIPT = "query ($key: String!) { receipt(by: {idempotencyKey: $key}) { state createdAt completedAt result { id } } }"
BAD_URLS = [
    "",
    "partner.example/callbacks",
    "//partner.example/callbacks",
    "http://partner.example/callbacks",
    "http://127.0.0.2.example/",
    "http://localhost.partner.example/",
    "ftp://partner.example/",
    "file:///etc/passwd",
    "https://",
    "https:///callbacks",
    "https://:443/",
    "https://user@partner.example/",
    "https://user:hunter2@partner.example/",
    "https://partner.example/#here",
    "https://partner.example/#",
    "https://partner.example:0/",
    "https://partner.example:65536/",
    "https://partner.example:https/",
    "https://[::1/",
    "https://partner.example/a b",
    "https://partner.example/\n",
    " https://partner.example/",
    "https://pärtner.example/",
    f"https://partner.example/{'a' * 2000}",
]


@dataclass(frozen=True)
class Got:
    """One request that reached a partner; header names are in lower case."""

    line: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def receipt(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed

    def is_signed_with(self, secret: str) -> bool:
        """As https://www.standardwebhooks.com asks its receivers to verify."""
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + self.body
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return self.headers["webhook-signature"] == f"v1,{digest}"


Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Partner:
    """A partner's server. It answers each request with the next reply, and with the last one from then on."""

    replies: list[Reply]
    got: list[Got] = field(default_factory=list)
    url: str = ""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def has(self, requests: int) -> list[Got]:
        """What was received, once it is so many."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.got) >= requests)
        return list(self.got)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                line, *lines = head.decode().strip().split("\r\n")
                headers = {name.lower(): value for name, value in (each.split(": ", 1) for each in lines)}
                body = await reader.readexactly(int(headers["content-length"]))
                async with self._news:
                    self.got.append(Got(line, headers, body))
                    self._news.notify_all()
                await (self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@dataclass
class Clock:
    """Milliseconds since 1970, moved by hand; ahead of what the rows of a test are stored at, however long that takes."""

    now: int = field(default_factory=lambda: now_ms() + 60_000)

    def __call__(self) -> int:
        return self.now


def answer(status: str, *more: str) -> Reply:
    async def reply(writer: asyncio.StreamWriter) -> None:
        head = "\r\n".join([f"HTTP/1.1 {status}", "content-length: 0", *more])
        writer.write(f"{head}\r\n\r\n".encode())
        await writer.drain()

    return reply


async def nothing(writer: asyncio.StreamWriter) -> None:
    """No answer, for as long as the caller waits."""
    await writer.wait_closed()


async def drip(writer: asyncio.StreamWriter) -> None:
    """The head of an answer, header by header, without an end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while not writer.is_closing():
        writer.write(b"a: b\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)  # what a slow server does


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


OK = answer("204 No Content")


@asynccontextmanager
async def partner(*replies: Reply) -> AsyncIterator[Partner]:
    served = Partner(list(replies))
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(served.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callbacks?of=switchboard"
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def process(
    engine: AsyncEngine, clock: Clock, seconds: float = PATIENCE, every: float = 3600.0
) -> AsyncIterator[Callbacks]:
    """The callbacks of one gateway process; they look when they are told to, or at their start and when there is room."""
    reads, writer = Transactions(engine), Writer(engine)
    async with writer.running(), open_client("switchboard/test") as http:
        yield Callbacks(reads, writer, SIGNER, http, seconds, every, clock)
    reads.close()


async def round_of(process: Callbacks) -> int:
    """One round, to the end of what it started; how much that was."""
    async with asyncio.timeout(PATIENCE):
        started = await process.look()
        await asyncio.gather(*started)
    return len(started)


async def a_key(engine: AsyncEngine, url: str | None) -> str:
    """The ID of a new gateway key."""
    return id_of(await Keys(Transactions(engine), SIGNER).create("Partner", Environment.TEST, ["*"], url))


async def final(engine: AsyncEngine, gateway_key: str, write_id: str = "w1", **changes: Any) -> Write:
    """A background write that has just succeeded, unless other columns are given for its end."""
    write = in_state(WriteState.SENDING, write_id, gateway_key=gateway_key, delivery=Delivery.BACKGROUND)
    end: dict[str, Any] = {"state": WriteState.SUCCEEDED, "result_id": encode(Kind.CONTACT, "c1")}
    async with writing(engine).begin() as connection:
        assert await connection.run_sync(store.add, write, "stored")
        changed = await connection.run_sync(changing, write, "ended", **(end | changes))
    assert changed is not None
    return changed


async def waiting(engine: AsyncEngine) -> list[tuple[str, int]]:
    """The writes whose callbacks are still to be taken, and how often they were tried."""
    async with engine.connect() as connection:
        query = select(callbacks.c.write_id, callbacks.c.attempts).order_by(callbacks.c.write_id)
        return [(row.write_id, row.attempts) for row in await connection.execute(query)]


async def next_due(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        due: int = (await connection.execute(select(func.min(callbacks.c.due_ms)))).scalar_one()
        return due


@pytest.mark.parametrize("end", [WriteState.SUCCEEDED, WriteState.FAILED])
@pytest.mark.parametrize("before", [WriteState.PENDING, WriteState.SENDING, WriteState.UNKNOWN])
async def test_a_callback_is_stored_with_the_end_of_a_background_write(
    ledger: AsyncEngine, before: WriteState, end: WriteState
) -> None:
    """From every open state, once, and in the same transaction: what is taken back leaves none."""
    key = await a_key(ledger, "https://partner.example/")
    write = in_state(before, gateway_key=key, delivery=Delivery.BACKGROUND)
    async with writing(ledger).begin() as connection:
        assert await connection.run_sync(store.add, write, "stored")
    async with writing(ledger).connect() as connection:
        assert await connection.run_sync(changing, write, "ended", state=end) is not None
        await connection.rollback()
    assert await waiting(ledger) == []
    async with writing(ledger).begin() as connection:
        ended = await connection.run_sync(changing, write, "ended", state=end)
        assert ended is not None
        assert await connection.run_sync(store.supersede, ended) is (end is WriteState.FAILED)
    assert await waiting(ledger) == [("w1", 0)]


@pytest.mark.parametrize("applied", [True, False])
async def test_a_callback_is_stored_when_a_person_settles(ledger: AsyncEngine, applied: bool) -> None:
    """Whatever the person found."""
    key = await a_key(ledger, "https://partner.example/")
    write = in_state(WriteState.UNKNOWN, gateway_key=key, delivery=Delivery.BACKGROUND)
    writer = Writer(ledger)
    async with writer.running():
        assert await writer.run(lambda c: store.add(c, write, "stored"))
        assert await waiting(ledger) == []
        await settle(writer, write, Word(applied, None, "seen", "a person"), now_ms())
    assert await waiting(ledger) == [("w1", 0)]


async def test_nobody_is_told_of_what_is_waited_for_still_open_or_of_a_key_without_a_url(ledger: AsyncEngine) -> None:
    """Only the end of a background write of a key with a URL is worth a callback."""
    with_url, without = await a_key(ledger, "https://partner.example/"), await a_key(ledger, None)
    open_ = [WriteState.PENDING, WriteState.SENDING, WriteState.UNKNOWN]
    ends = [
        (in_state(WriteState.SENDING, "waited", gateway_key=with_url), WriteState.SUCCEEDED),
        (in_state(WriteState.PENDING, "keyless", gateway_key=without, delivery=Delivery.BACKGROUND), WriteState.FAILED),
        *((in_state(state, state.value, gateway_key=with_url, delivery=Delivery.BACKGROUND), state) for state in open_),
    ]
    async with writing(ledger).begin() as connection:
        for write, state in ends:
            assert await connection.run_sync(store.add, write, "stored")
            assert (
                await connection.run_sync(changing, write, "changed", state=state, in_doubt=write.in_doubt) is not None
            )
    assert await waiting(ledger) == []


async def test_a_key_without_its_url_any_more_has_no_callbacks(ledger: AsyncEngine) -> None:
    """What waits goes with the URL, and with its write: no row is left that nobody would ever take up."""
    clock = Clock()
    first, second = [await a_key(ledger, "https://partner.example/") for _ in range(2)]
    await final(ledger, first, "w1")
    await final(ledger, second, "w2")
    async with writing(ledger).begin() as connection:
        await connection.execute(delete(callback_urls).where(callback_urls.c.gateway_key == first))
    assert await waiting(ledger) == [("w2", 0)]
    async with writing(ledger).begin() as connection:
        assert await connection.run_sync(store.purge, completed_before_ms=clock.now + 1000) == 2
    assert await waiting(ledger) == []


async def test_the_receipt_is_posted_as_json_and_signed(ledger: AsyncEngine) -> None:
    """What happened to the write, byte for byte what was signed, and nothing of what was written."""
    error = write_error(VendorRejected(message="Bird refused this.", vendor=Vendor.BIRD, status=409, path=["input"]))
    async with partner(OK) as remote, process(ledger, clock := Clock()) as callback:
        key = await a_key(ledger, remote.url)
        write = await final(ledger, key, state=WriteState.FAILED, result_id=None, error=error)
        assert await round_of(callback) == 1
        [got] = remote.got
    assert got.line == "POST /callbacks?of=switchboard HTTP/1.1"
    assert got.receipt == {
        "id": encode(Kind.RECEIPT, "w1"),
        "idempotencyKey": "w1",
        "operation": "CREATE_CONTACT",
        "vendor": "BIRD",
        "state": "FAILED",
        "resultId": None,
        "error": {"code": "VENDOR_REJECTED", "message": "Bird refused this.", "retryable": False},
        "createdAt": _stamp(write.created_ms),
        "completedAt": _stamp(write.completed_ms or 0),
    }
    assert got.headers["content-type"] == "application/json"
    assert got.headers["webhook-id"] == got.receipt["id"]
    assert got.headers["webhook-timestamp"] == str(clock.now // 1000)
    assert got.is_signed_with(shown_secret(SIGNER, key))
    assert not got.is_signed_with(shown_secret(SIGNER, "another"))
    assert not replace(got, body=got.body + b" ").is_signed_with(shown_secret(SIGNER, key))
    assert {"authorization", "cookie"}.isdisjoint(got.headers)
    assert await waiting(ledger) == []


async def test_a_callback_that_failed_is_posted_again_after_its_wait(ledger: AsyncEngine) -> None:
    """Not a millisecond earlier; under the same ID, with the same body, and a time and a signature of its own."""
    async with (
        partner(answer("500 Internal Server Error"), OK) as remote,
        process(ledger, clock := Clock()) as callback,
    ):
        key = await a_key(ledger, remote.url)
        await final(ledger, key)
        assert await round_of(callback) == 1
        clock.now += 4999
        assert await round_of(callback) == 0
        assert await waiting(ledger) == [("w1", 1)]
        clock.now += 1
        assert await round_of(callback) == 1
        first, second = remote.got
    assert (second.body, second.headers["webhook-id"]) == (first.body, first.headers["webhook-id"])
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 5
    assert second.is_signed_with(shown_secret(SIGNER, key))
    assert await waiting(ledger) == []


async def test_after_a_day_of_failures_a_callback_is_dropped_with_a_line_in_the_log(
    ledger: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """The waits double from five seconds to an hour; the line names the receipt and the key, and not the URL."""
    waits: list[float] = []
    async with partner(answer("503 Service Unavailable")) as remote, process(ledger, clock := Clock()) as callback:
        key = await a_key(ledger, remote.url)
        write = await final(ledger, key)
        while await waiting(ledger):
            assert await round_of(callback) == 1
            if await waiting(ledger):
                waits.append((await next_due(ledger) - clock.now) / 1000)
                clock.now = await next_due(ledger)
    assert waits[:10] == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560]
    assert set(waits[10:]) == {3600}
    assert DAY - 3_600_000 < clock.now - (write.completed_ms or 0) <= DAY
    [record] = [each for each in caplog.records if each.name == "app.ledger.callbacks" and each.levelname == "WARNING"]
    named = {"receipt": encode(Kind.RECEIPT, "w1"), "gateway_key": key, "attempts": len(waits) + 1}
    assert {name: getattr(record, name) for name in named} == named
    assert "127.0.0.1" not in str(vars(record))


async def test_a_callback_older_than_a_day_has_one_more_try(ledger: AsyncEngine) -> None:
    """A gateway that was not running for a day still tells once what became of the write."""
    async with partner(OK) as remote, process(ledger, clock := Clock()) as callback:
        await final(ledger, await a_key(ledger, remote.url))
        clock.now += 3 * DAY
        assert await round_of(callback) == 1
        assert len(remote.got) == 1
    assert await waiting(ledger) == []


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "299 Fine"])
async def test_every_status_of_success_is_one(ledger: AsyncEngine, status: str) -> None:
    """Not 200 alone, and whatever comes after the status."""
    async with partner(answer(status)) as remote, process(ledger, Clock()) as callback:
        await final(ledger, await a_key(ledger, remote.url))
        assert await round_of(callback) == 1
    assert await waiting(ledger) == []


@pytest.mark.parametrize(
    "reply",
    [
        answer("302 Found", "location: /elsewhere"),
        answer("307 Temporary Redirect", "location: /elsewhere"),
        answer("304 Not Modified"),
        answer("400 Bad Request"),
        answer("410 Gone"),
        answer("429 Too Many Requests"),
        answer("500 Internal Server Error"),
        hang_up,
        nothing,
        drip,
        answer("not HTTP at all"),
    ],
    ids=["302", "307", "304", "400", "410", "429", "500", "hang up", "nothing", "drip", "not HTTP"],
)
async def test_anything_else_is_tried_again(ledger: AsyncEngine, reply: Reply) -> None:
    """One request, no redirect followed, and the callback waits for its next time."""
    async with partner(reply) as remote, process(ledger, Clock(), seconds=2.0) as callback:
        await final(ledger, await a_key(ledger, remote.url))
        assert await round_of(callback) == 1
        assert [got.line for got in remote.got] == ["POST /callbacks?of=switchboard HTTP/1.1"]
    assert await waiting(ledger) == [("w1", 1)]


@pytest.mark.parametrize("host", ["127.0.0.1:1", "[::1]:1"])
async def test_a_partner_that_can_not_be_reached_is_tried_again(ledger: AsyncEngine, host: str) -> None:
    """A refused connection is a failure like any other."""
    async with process(ledger, Clock()) as callback:
        await final(ledger, await a_key(ledger, f"http://{host}/"))
        assert await round_of(callback) == 1
    assert await waiting(ledger) == [("w1", 1)]


async def test_an_endless_answer_is_not_read(ledger: AsyncEngine) -> None:
    """After 64 KiB the connection is cut: the partner has said by its status that it took the callback."""
    sent = 0
    enough = 1024 * LARGEST_ANSWER

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {enough}\r\n\r\n".encode())
        while sent < enough:
            writer.write(b"x" * LARGEST_ANSWER)
            await writer.drain()
            sent += LARGEST_ANSWER

    async with partner(endless) as remote, process(ledger, Clock(), seconds=PATIENCE) as callback:
        await final(ledger, await a_key(ledger, remote.url))
        assert await round_of(callback) == 1
        assert 0 < sent < enough / 2  # what the sockets' buffers hold of it
    assert await waiting(ledger) == []


async def test_proxies_of_the_environment_are_not_used(ledger: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is a proxy asked for loopback."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    async with partner(OK) as remote, process(ledger, Clock()) as callback:
        await final(ledger, await a_key(ledger, remote.url))
        assert await round_of(callback) == 1
        assert len(remote.got) == 1


async def test_of_many_processes_one_posts_each_callback(database: URL) -> None:
    """Processes that look at the same moment share the work: every callback arrives exactly once."""
    async with AsyncExitStack() as stack:
        remote = await stack.enter_async_context(partner(OK))
        engines = [await stack.enter_async_context(opened(database)) for _ in range(4)]
        await migrate(engines[0])
        keys = [await a_key(engines[0], remote.url) for _ in range(4)]
        for number in range(40):
            await final(engines[0], keys[number % 4], f"w{number}")
        clock = Clock()
        processes = [await stack.enter_async_context(process(engine, clock)) for engine in engines]
        assert sum(await asyncio.gather(*(round_of(each) for each in processes))) == 40
        assert sorted(got.receipt["idempotencyKey"] for got in remote.got) == sorted(f"w{n}" for n in range(40))
        assert await waiting(engines[0]) == []


async def test_what_a_dead_process_had_taken_is_taken_by_another_after_its_hold(ledger: AsyncEngine) -> None:
    """As long as the hold lasts it is left alone; nothing else tells that a process is dead."""
    async with partner(nothing, OK) as remote, process(ledger, clock := Clock()) as killed:
        await final(ledger, await a_key(ledger, remote.url))
        [task] = await killed.look()
        await remote.has(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with process(ledger, clock) as other:
            clock.now += HOLD - 1
            assert await round_of(other) == 0
            clock.now += 1
            assert await round_of(other) == 1
        assert len(remote.got) == 2
    assert await waiting(ledger) == []


async def test_a_failure_that_comes_late_does_not_put_off_what_another_process_has_taken(ledger: AsyncEngine) -> None:
    """Whose hold ran out while it posted has no say any more."""
    go_on = asyncio.Event()

    async def late(writer: asyncio.StreamWriter) -> None:
        await go_on.wait()
        await answer("500 Internal Server Error")(writer)

    async with (
        partner(late, nothing) as remote,
        process(ledger, clock := Clock()) as slow,
        process(ledger, clock) as other,
    ):
        await final(ledger, await a_key(ledger, remote.url))
        first = await slow.look()
        await remote.has(1)
        clock.now += HOLD
        second = await other.look()
        await remote.has(2)
        go_on.set()
        await asyncio.gather(*first)
        assert (await waiting(ledger), await next_due(ledger)) == ([("w1", 0)], clock.now + HOLD)
        second[0].cancel()
        await asyncio.gather(*second, return_exceptions=True)


async def test_a_partner_that_hangs_keeps_no_other_waiting(ledger: AsyncEngine) -> None:
    """One key has only so many under way, however many are due; another key's come at once."""
    async with partner(nothing) as hanging, partner(OK) as sound, process(ledger, Clock()) as callback:
        stuck, lively = await a_key(ledger, hanging.url), await a_key(ledger, sound.url)
        for number in range(MOST_PER_KEY + 5):
            await final(ledger, stuck, f"s{number:02}")
        first = await callback.look()
        assert len(first) == MOST_PER_KEY
        await hanging.has(MOST_PER_KEY)
        await final(ledger, lively, "w1")
        assert await round_of(callback) == 1
        assert [got.receipt["idempotencyKey"] for got in sound.got] == ["w1"]
        assert len(hanging.got) == MOST_PER_KEY
        for task in first:
            task.cancel()
        await asyncio.gather(*first, return_exceptions=True)


async def test_a_backlog_is_posted_without_a_pause_between_rounds(ledger: AsyncEngine) -> None:
    """What runs takes the next ones as soon as there is room, long before it would look by itself."""
    most = 3 * MOST_PER_KEY
    async with partner(OK) as remote, process(ledger, Clock()) as callback:
        key = await a_key(ledger, remote.url)
        for number in range(most):
            await final(ledger, key, f"w{number:02}")
        async with callback.running():
            got = await remote.has(most)
        assert sorted(each.receipt["idempotencyKey"] for each in got) == [f"w{number:02}" for number in range(most)]


async def test_what_is_under_way_at_the_end_is_given_back(ledger: AsyncEngine) -> None:
    """The next start need not wait until the hold is over, and the attempt does not count as failed."""
    async with partner(nothing, OK) as remote, process(ledger, Clock()) as callback:
        await final(ledger, await a_key(ledger, remote.url))
        async with callback.running():
            await remote.has(1)
        assert await waiting(ledger) == [("w1", 0)]
        assert await round_of(callback) == 1
    assert await waiting(ledger) == []


def test_the_waits_double_from_five_seconds_to_an_hour() -> None:
    """However many attempts there were."""
    assert [milliseconds_until_retry(attempts) for attempts in (1, 2, 3, 10, 11, 12, 10_000)] == [
        5_000,
        10_000,
        20_000,
        2_560_000,
        3_600_000,
        3_600_000,
        3_600_000,
    ]


def test_a_signing_secret_is_of_its_key_and_its_gateway() -> None:
    """The same every time, 32 bytes long, and another for another key or another SWITCHBOARD_SECRET."""
    secret = shown_secret(SIGNER, "k1")
    assert secret == shown_secret(SIGNER, "k1")
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert secret not in {shown_secret(SIGNER, "k2"), shown_secret(Signer(SecretStr("another secret")), "k1")}


@pytest.mark.parametrize("url", BAD_URLS)
def test_what_is_no_safe_url_takes_no_callbacks(url: str) -> None:
    """A receipt goes nowhere in clear but on this machine, and no password stands in the database."""
    assert not is_callback_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://partner.example",
        "https://partner.example:8443/callbacks?of=switchboard&token=a%20b",
        "HTTPS://PARTNER.EXAMPLE/",
        "https://[2001:db8::1]/",
        "http://localhost:8080/",
        "http://127.0.0.1/",
        "http://[::1]:9000/callbacks",
    ],
)
def test_https_and_http_on_loopback_take_callbacks(url: str) -> None:
    """With port, path and query."""
    assert is_callback_url(url)


@pytest.mark.parametrize("url", ["http://partner.example/", "https://user:hunter2@partner.example/"])
async def test_the_command_refuses_a_bad_url_and_makes_no_key(tmp_path: Path, url: str) -> None:
    """It says what is wanted, and doesn't repeat what was given: that may hold a password."""
    refused = await run(*COMMAND, "--callback", url, home=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1] == (
        "Error: Invalid value for '--callback': give an https URL (http on loopback only), without credentials or a fragment."
    )
    assert "hunter2" not in refused.err
    assert files(tmp_path) == []


async def test_the_command_shows_the_signing_secret_before_the_key_and_stores_it_nowhere(tmp_path: Path) -> None:
    """The key stays alone on the last line; the secret is in no file, neither as text nor as bytes."""
    made = await run(*COMMAND, "--callback", "https://partner.example/", home=tmp_path, **_at(tmp_path))
    secret, key = made.out.splitlines()
    assert made == Finished(0, f"{secret}\n{key}\n", "")
    assert (secret[:6], key[:8]) == ("whsec_", "sk_test_")
    stored = _everything_in(tmp_path)
    encoded = secret.removeprefix("whsec_")
    assert id_of(key).encode() in stored
    assert [each in stored for each in (encoded.encode(), base64.b64decode(encoded))] == [False, False]


async def test_the_command_shows_the_key_alone_without_a_url(tmp_path: Path) -> None:
    """A secret that signs nothing is not shown."""
    made = await run(*COMMAND, home=tmp_path, **_at(tmp_path))
    assert made.out.splitlines() == [made.out.strip()]
    assert made.out.startswith("sk_test_")


async def test_a_served_gateway_tells_of_background_writes_alone(tmp_path: Path) -> None:
    """Signed with the secret that the command showed; what was waited for, and what a key without URL wrote, is not told."""
    async with partner(OK) as remote, _gateway(tmp_path) as served:
        secret, key = await _created(tmp_path, "--callback", remote.url)
        [without] = await _created(tmp_path)
        await _ask(served, CREATE, key, name="waited", delivery="WAIT")
        await _ask(served, CREATE, without, name="untold", delivery="BACKGROUND")
        await _final(served, without, "untold")
        asked = (await _ask(served, CREATE, key, name="told", delivery="BACKGROUND"))["createContact"]
        [got] = await remote.has(1)
        receipt = await _final(served, key, "told")
        await _all_taken(tmp_path)
        assert len(remote.got) == 1
    assert asked == {"receipt": {**asked["receipt"], "state": "PENDING"}, "errors": []}
    assert got.is_signed_with(secret)
    assert got.receipt == {
        "id": asked["receipt"]["id"],
        "idempotencyKey": "told",
        "operation": "CREATE_CONTACT",
        "vendor": "BIRD",
        "state": "SUCCEEDED",
        "resultId": receipt["result"]["id"],
        "error": None,
        "createdAt": asked["receipt"]["createdAt"],
        "completedAt": receipt["completedAt"],
    }


async def test_a_callback_outlives_the_gateway(tmp_path: Path) -> None:
    """A partner that hangs holds up neither writes nor the end; the next start tells it, under the same ID."""
    async with partner(nothing, OK) as remote:
        async with _gateway(tmp_path) as served:
            secret, key = await _created(tmp_path, "--callback", remote.url)
            await _ask(served, CREATE, key, name="told", delivery="BACKGROUND")
            await remote.has(1)
            made = await _ask(served, CREATE, key, name="meanwhile", delivery="WAIT")
            assert made["createContact"]["receipt"]["state"] == "SUCCEEDED"
        async with opened(_url(tmp_path)) as engine:
            [(write_id, _)] = await waiting(engine)
        async with _gateway(tmp_path):
            first, second = await remote.has(2)
    record = decode(first.receipt["id"])
    assert record is not None
    assert record.parts == (write_id,)
    assert (second.body, second.headers["webhook-id"]) == (first.body, first.headers["webhook-id"])
    assert (first.is_signed_with(secret), second.is_signed_with(secret)) == (True, True)


@asynccontextmanager
async def _gateway(folder: Path) -> AsyncIterator[Gateway]:
    """A gateway over empty sandboxes, and the database in that folder."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with gateway(environ, folder / "switchboard.db", upstream) as served:
            yield served


async def _created(folder: Path, *options: str) -> list[str]:
    """The lines that the command writes."""
    made = await run(*COMMAND, *options, home=folder, **_at(folder))
    assert made.code == 0, made.err
    return made.out.splitlines()


async def _ask(served: Gateway, query: str, by: str, **variables: str) -> Any:
    answer = await served.ask(query, variables, key=by)
    assert answer.errors == []
    return answer.data


async def _final(served: Gateway, key: str, idempotency_key: str) -> Any:
    """The receipt of a write, once it has succeeded."""
    async with asyncio.timeout(PATIENCE):
        while True:
            receipt = (await _ask(served, RECEIPT, key, key=idempotency_key))["receipt"]
            if receipt["state"] == "SUCCEEDED":
                return receipt


async def _all_taken(folder: Path) -> None:
    """Waits until no callback is left."""
    async with opened(_url(folder)) as engine, asyncio.timeout(PATIENCE):
        while await waiting(engine):
            pass  # each look is a read of the database, and lets the gateway go on


def _everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def _at(folder: Path) -> dict[str, str]:
    return {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{folder}/switchboard.db"}


def _url(folder: Path) -> URL:
    return URL.create("sqlite", database=str(folder / "switchboard.db"))


def _stamp(milliseconds: int) -> str:
    return (
        datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03}Z"
    )
