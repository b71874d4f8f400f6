"""How much may be followed, for how long, and by whom: what is beyond is refused, and takes nothing from others."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from sqlalchemy import text
from starlette.types import Receive, Scope, Send
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app import sending
from app.main import open_signer
from app.registry import VENDORS
from app.security.keys import Keys
from app.settings import read_settings
from app.sockets import bound_socket
from app.transactions import Transactions
from schema.vendor import Environment
from tests.databases import open_engine
from tests.gateway import Unhurried, UpstreamCall
from tests.live.served import KEY, PATIENCE, Follower, Served, served, serving

ENDLESS = 'subscription { activityLogged(of: {accountId: "a1405560-c8d3-4b1a-877d-3f449ad95352"}) { subject } }'
LOG = 'mutation { logActivity(input: {subject: "x", accountId: "a1405560-c8d3-4b1a-877d-3f449ad95352"}) { receipt { id } } }'
CREATE = """mutation { it: createContact(input: {displayName: "New"%s}) {
    receipt { state } errors { code ... on RateLimited { retryAfterSeconds } } } }"""


@asynccontextmanager
async def _limited(environ: Mapping[str, str], folder: Path, **limits: str) -> AsyncIterator[Served]:
    settings = {f"SWITCHBOARD_{name}": value for name, value in limits.items()}
    upstream: list[UpstreamCall] = []
    async with served({**environ, **settings}, folder / "switchboard.db", upstream) as gateway:
        yield gateway


async def test_a_process_takes_so_many_connections_and_no_more(environ: dict[str, str], tmp_path: Path) -> None:
    """The handshake is answered with 503, and so is a stream; a place that is left is free again."""
    async with _limited(environ, tmp_path, LIVE_CONNECTIONS="1") as gateway:
        async with gateway.socket():
            with pytest.raises(InvalidStatus) as refused:
                await gateway.socket().__aenter__()
            assert refused.value.response.status_code == 503
            assert _code(json.loads(refused.value.response.body)) == "OVERLOADED"
            async with gateway.stream(ENDLESS) as stream:
                refusal = json.loads(await stream.response.aread())
                assert (stream.response.status_code, _code(refusal)) == (503, "OVERLOADED")
        async with gateway.stream(ENDLESS) as stream:
            assert stream.response.status_code == 200
        metrics = (await gateway.http.get("/metrics")).text
        assert 'limits_hit_total{limit="connections"} 2.0' in metrics


async def test_who_goes_away_is_noticed_though_they_have_another_request_in_line(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Their place is free again."""
    async with _limited(environ, tmp_path, LIVE_CONNECTIONS="1") as gateway:
        reader, writer = await asyncio.open_connection(*_address(gateway.url))
        body = json.dumps({"query": ENDLESS}).encode()
        writer.write(
            b"POST /graphql HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: %s\r\n"
            b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
            b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n" % (KEY["authorization"].encode(), len(body), body)
        )
        await reader.readuntil(b"text/event-stream")
        writer.close()
        async with asyncio.timeout(PATIENCE):
            while await _status(gateway) == 503:
                pass


async def test_a_key_takes_so_many_connections_and_no_more(environ: dict[str, str], tmp_path: Path) -> None:
    """A WebSocket is closed such that clients try again later, a stream is answered with 429; other keys have their own."""
    async with _limited(environ, tmp_path, LIVE_CONNECTIONS_PER_KEY="1") as gateway, gateway.socket():
        async with gateway.socket(key=None, additional_headers=KEY) as follower:
            await follower.send("connection_init")
            assert await follower.closed() == (1013, "RATE_LIMITED")
        async with gateway.stream(ENDLESS) as stream:
            refusal = json.loads(await stream.response.aread())
            assert (stream.response.status_code, _code(refusal)) == (429, "RATE_LIMITED")
        async with gateway.socket(await _new_key(tmp_path)):
            pass


async def test_a_connection_has_so_many_operations_under_way(environ: dict[str, str], tmp_path: Path) -> None:
    """One more is an error of that one; when another is completed there is room."""
    async with _limited(environ, tmp_path, LIVE_SUBSCRIPTIONS="1") as gateway, gateway.socket() as follower:
        await follower.subscribe("1", ENDLESS)
        await follower.subscribe("2", "{ viewer { name } }")
        refused = await follower.next()
        assert (refused["type"], refused["id"], _code({"errors": refused["payload"]})) == ("error", "2", "RATE_LIMITED")
        await follower.send("complete", id="1")
        await follower.subscribe("2", "{ viewer { name } }")
        assert await follower.data() == {"viewer": {"name": "Sandbox"}}


async def test_what_may_not_be_asked_over_http_may_not_be_asked_here(environ: dict[str, str], tmp_path: Path) -> None:
    """Documents that are not trusted, where only those are; what costs too much; what the key may no longer spend."""
    limits = {"TRUSTED_DOCUMENTS_ONLY": "live", "MAX_COST": "100", "RATE_LIMIT": "30/60"}
    async with _limited(environ, tmp_path, **limits) as gateway, gateway.socket() as follower:
        dear = "{ contacts(first: 100) { nodes { id } } }"
        for query, code in ((dear, "QUERY_TOO_COMPLEX"), (ENDLESS, None), (ENDLESS, "RATE_LIMITED")):
            await follower.subscribe("1" if code else "2", query)
            if code is not None:
                refused = await follower.next()
                assert (refused["type"], _code({"errors": refused["payload"]})) == ("error", code)
        metrics = (await gateway.http.get("/metrics")).text
        assert 'limits_hit_total{limit="rate"} 1.0' in metrics
    async with _limited(environ, tmp_path, TRUSTED_DOCUMENTS_ONLY="on") as gateway, gateway.socket() as follower:
        await follower.subscribe("1", ENDLESS)
        assert _code({"errors": (await follower.next())["payload"]}) == "DOCUMENT_NOT_TRUSTED"


async def test_what_is_new_is_refused_where_there_is_too_much(environ: dict[str, str], tmp_path: Path) -> None:
    """OVERLOADED, as over HTTP, and nothing is sent; what is for the background is taken."""
    shedder, upstream = Unhurried(spread=lambda: 0.5), list[UpstreamCall]()
    async with served(environ, tmp_path / "db", upstream, shedder) as gateway, gateway.socket() as follower:
        shedder.at_work = 10**6
        new, read = [
            await _ask(follower, each) for each in (CREATE % "", "{ it: contacts(first: 1) { nodes { id } } }")
        ]
        assert upstream == []
        later = await _ask(follower, CREATE % ", delivery: BACKGROUND")
        metrics = (await gateway.http.get("/metrics")).text
        assert shedder.at_work == 10**6
    assert new["data"]["it"] == {"receipt": None, "errors": [{"code": "OVERLOADED", "retryAfterSeconds": 1.5}]}
    assert (read["data"], read["errors"][0]["extensions"]["code"]) == ({"it": None}, "OVERLOADED")
    assert later["data"]["it"] == {"receipt": {"state": "PENDING"}, "errors": []}
    assert 'limits_hit_total{limit="load"} 2.0' in metrics


async def test_an_idle_connection_is_closed_and_one_that_follows_is_not(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Pings are no work; once the last operation is completed the time begins anew."""
    async with _limited(environ, tmp_path, LIVE_IDLE_SECONDS="0.5") as gateway:  # noqa: SIM117  # then there is a gateway
        async with gateway.socket() as idle, gateway.socket() as follower:
            await follower.subscribe("1", ENDLESS)
            await idle.send("ping")
            assert await idle.closed() == (1000, "Idle")
            await follower.answered()
            await follower.send("complete", id="1")
            assert await follower.closed() == (1000, "Idle")


async def test_who_loses_the_key_loses_the_connection(environ: dict[str, str], tmp_path: Path) -> None:
    """With the next look at it: a WebSocket is closed, a stream says why and is complete; others go on."""
    async with _limited(environ, tmp_path, LIVE_KEY_SECONDS="0.1") as gateway:
        key = await _new_key(tmp_path)
        async with (
            gateway.socket(key) as follower,
            gateway.socket() as other,
            gateway.stream(ENDLESS, key=key) as stream,
        ):
            for each in (follower, other):
                await each.subscribe("1", ENDLESS)
            await _alter(tmp_path, "DELETE FROM gateway_keys")
            assert await follower.closed() == (4403, "Forbidden")
            event, told = await stream.next()
            assert (event, _code(told)) == ("next", "UNAUTHENTICATED")
            assert await stream.next() == ("complete", None)
            await other.answered()


async def test_a_key_that_can_not_be_looked_at_for_now_costs_nobody_a_connection(
    environ: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever follows goes on, and is looked at again."""
    async with _limited(environ, tmp_path, LIVE_KEY_SECONDS="0.1") as gateway:  # noqa: SIM117  # then there is a gateway
        async with gateway.stream(ENDLESS, key=await _new_key(tmp_path)) as stream:
            await _alter(tmp_path, "ALTER TABLE gateway_keys RENAME TO away")
            async with asyncio.timeout(PATIENCE):
                while "a key can't be looked at" not in "".join(capsys.readouterr()):  # noqa: ASYNC110  # a log has none
                    await asyncio.sleep(0.05)
            await _alter(tmp_path, "ALTER TABLE away RENAME TO gateway_keys")
            await gateway.ask(LOG)
            assert await stream.next() == ("next", {"data": {"activityLogged": {"subject": "x"}}})
            await _alter(tmp_path, "DELETE FROM gateway_keys")
            event, told = await stream.next()
            assert (event, _code(told)) == ("next", "UNAUTHENTICATED")


async def test_who_does_not_read_is_cut_off_and_nobody_else_notices(environ: dict[str, str], tmp_path: Path) -> None:
    """Their connection ends and their place is free, while another hears what there is to hear."""
    limits = {"SEND_SECONDS": "0.3", "LIVE_CONNECTIONS": "2"}
    async with _limited(environ, tmp_path, **limits) as gateway:  # noqa: SIM117  # then there is a gateway
        async with gateway.socket() as follower, gateway.socket(sock=_narrow(gateway.url), max_queue=1) as deaf:
            await follower.subscribe("1", ENDLESS)
            with suppress(ConnectionClosed):
                async with asyncio.timeout(PATIENCE):
                    while True:  # every ping is answered with what it carries
                        await deaf.send("ping", payload={"much": "x" * 1_000_000})
            await gateway.ask(LOG)
            assert await follower.data() == {"activityLogged": {"subject": "x"}}
            async with gateway.socket():
                pass


async def test_who_does_not_read_an_answer_over_http_is_cut_off() -> None:
    """A response without end, to somebody who asks for it and reads nothing."""
    ended = asyncio.Event()

    async def endless(_: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not ended.is_set():
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
            if (await _soon(receive)) == "http.disconnect":
                ended.set()

    sock = bound_socket("127.0.0.1", 0)
    config = uvicorn.Config(endless, http=sending.Http, lifespan="off", log_config=None)
    config.send_seconds = 0.3  # type: ignore[attr-defined]  # app.serving's own has it
    async with serving(config, sock), asyncio.timeout(PATIENCE):
        _, writer = await asyncio.open_connection(*sock.getsockname()[:2], limit=1024)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await ended.wait()
        writer.close()


async def _soon(receive: Receive) -> str:
    try:
        async with asyncio.timeout(0):
            return str((await receive())["type"])
    except TimeoutError:
        return ""


def _narrow(url: str) -> socket.socket:
    """A connection on which little fits."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(_address(url))
    return sock


def _address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").split(":")
    return host, int(port)


async def _status(gateway: Served) -> int:
    """Of a stream that is opened, and left."""
    async with gateway.stream(ENDLESS) as stream:
        return stream.response.status_code


async def _ask(follower: Follower, query: str) -> Any:
    """What a query or a mutation is answered."""
    await follower.subscribe("1", query)
    answer, complete = await follower.next(), await follower.next()
    assert (answer["type"], complete["type"]) == ("next", "complete")
    return answer["payload"]


def _code(refusal: Any) -> str:
    return str(refusal["errors"][0]["extensions"]["code"])


async def _new_key(folder: Path) -> str:
    settings = read_settings({"SWITCHBOARD_DATABASE_URL": f"sqlite:///{folder / 'switchboard.db'}"}, VENDORS)
    engine = open_engine(settings.database_url)
    try:
        return await Keys(Transactions(engine), open_signer(settings)).create("Test", Environment.TEST, ["read"])
    finally:
        await engine.dispose()


async def _alter(folder: Path, statement: str) -> None:
    """What a statement does to the gateway's database, from outside."""
    settings = read_settings({"SWITCHBOARD_DATABASE_URL": f"sqlite:///{folder / 'switchboard.db'}"}, VENDORS)
    engine = open_engine(settings.database_url)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()
