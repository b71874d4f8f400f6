"""Connections: which are used again, which never, and that none is left behind."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

import httpx
import pytest

from app.transport.client import Client
from app.transport.pool import MOST_IDLE
from app.transport.seam import Request
from app.transport.tls import open_tls
from tests.transport.server import MOST, OK, Visit, answering, ask, calling, serving, untraced


async def test_one_connection_serves_one_call_after_another() -> None:
    """And the first that is free again, another's."""
    async with serving(answering(OK)) as server, calling(server) as client:
        for _ in range(3):
            assert (await ask(client)).content == b"{}"
        assert (server.connections, len(server.requests)) == (1, 3)


async def test_a_connection_that_is_kept_does_not_keep_the_last_answer() -> None:
    """Nobody has it but who asked."""
    async with serving(answering(OK)) as server, calling(server) as client:
        content = (await ask(client)).content
        await asyncio.sleep(0)  # who was woken with it has gone on
        holders = sys.getrefcount(content)
        assert holders == 2  # the name here, and the argument
        await ask(client)
        assert server.connections == 1


async def test_calls_at_the_same_time_have_a_connection_each() -> None:
    """Nobody waits for another's answer, and afterwards all of them are kept."""
    waiting = asyncio.Barrier(3)

    async def behave(visit: Visit) -> None:
        while await visit.request():
            await waiting.wait()
            await visit.say(OK)

    async with serving(behave) as server, calling(server) as client:
        for _ in range(2):
            await asyncio.gather(*(ask(client) for _ in range(3)))
        assert (server.connections, len(server.requests)) == (3, 6)


async def test_no_more_are_kept_than_are_of_use() -> None:
    """What exceeds the pool's room is closed."""
    waiting = asyncio.Barrier(MOST_IDLE + 2)

    async def behave(visit: Visit) -> None:
        while await visit.request():
            await waiting.wait()
            await visit.say(OK)

    async with serving(behave) as server, calling(server) as client:
        await asyncio.gather(*(ask(client) for _ in range(MOST_IDLE + 2)))
        for _ in range(2):
            await server.next_closed()
        await asyncio.gather(*(ask(client) for _ in range(MOST_IDLE + 2)))
        assert server.connections == MOST_IDLE + 4


@pytest.mark.parametrize("farewell", [b"", b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n", b"\r\n"])
async def test_a_connection_on_which_anything_came_meanwhile_is_never_used_again(farewell: bytes) -> None:
    """Its end, or a byte that nobody asked for: the next call has a new one, and is not in doubt."""
    answered = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.request()
        await visit.say(OK)
        await answered.wait()
        await visit.say(farewell)
        await (visit.request() if farewell else visit.hang_up())

    async with serving(behave) as server, calling(server) as client:
        await ask(client)
        answered.set()
        assert await server.next_closed() == 1
        assert (await ask(client)).status == 200
        assert (server.connections, len(server.requests)) == (2, 2)


async def test_a_connection_that_idled_too_long_is_not_used_again() -> None:
    """The server may be about to close it."""
    async with serving(answering(OK)) as server, calling(server, idle_seconds=0) as client:
        await ask(client)
        await ask(client)
        assert server.connections == 2


@pytest.mark.parametrize(("promise", "connections"), [(b"timeout=1", 2), (b"max=9, Timeout = 60", 1), (b"soon", 1)])
async def test_a_server_that_says_how_long_it_keeps_connections_is_believed(promise: bytes, connections: int) -> None:
    """A second less than it says, and never more than this gateway would (RFC 2068, section 19.7.1.1)."""
    answer = b"HTTP/1.1 200 OK\r\nkeep-alive: " + promise + b"\r\ncontent-length: 2\r\n\r\n{}"
    async with serving(answering(answer)) as server, calling(server) as client:
        await ask(client)
        await ask(client)
        assert server.connections == connections


async def test_an_unused_connection_is_closed_in_time() -> None:
    """Though nobody calls again."""
    async with serving(answering(OK)) as server, calling(server, idle_seconds=0.01) as client:
        await ask(client)
        assert await server.next_closed() == 1


async def test_who_gives_up_ends_the_connection() -> None:
    """The answer to the one would else be taken for the answer to the next."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await visit.request()

    asked = asyncio.Event()
    async with serving(behave) as server, calling(server) as client:
        call = asyncio.create_task(client.exchange(Request("GET", "/"), untraced, MOST))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await server.next_closed() == 1


async def test_who_gives_up_while_the_answer_arrives_harms_nobody() -> None:
    """Whichever comes first, the next call on that connection has its own answer."""
    async with serving(answering(OK)) as server, calling(server) as client:
        for delay in range(30):
            call = asyncio.create_task(client.exchange(Request("GET", "/"), untraced, MOST))
            for _ in range(delay):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert (await ask(client)).content == b"{}"
        assert server.connections <= 31


async def test_a_renewed_client_uses_no_connection_again_that_it_had() -> None:
    """The unused one ends at once, the one on which an answer is awaited when that has come."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def behave(visit: Visit) -> None:
        while request := await visit.request():
            if request.startswith(b"POST"):
                asked.set()
                await go_on.wait()
            await visit.say(OK)

    async with serving(behave) as server, calling(server) as client:
        slow = asyncio.create_task(ask(client, Request("POST", "/")))
        await asked.wait()
        await ask(client)
        client.renew()
        assert await server.next_closed() == 2
        go_on.set()
        assert (await slow).status == 200
        assert await server.next_closed() == 1
        assert ((await ask(client)).status, server.connections) == (200, 3)


async def test_a_reset_is_an_error_of_reading() -> None:
    """What had been asked may have been done."""

    async def behave(visit: Visit) -> None:
        await visit.request()
        linger = struct.pack("ii", 1, 0)
        visit.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        visit.writer.transport.abort()

    async with serving(behave) as server, calling(server) as client:
        with pytest.raises(httpx.ReadError):
            await ask(client)


async def test_a_server_that_never_accepts_is_given_up() -> None:
    """A full backlog drops what comes: the time to connect is limited."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        fillers = [_start_connecting(address) for _ in range(4)]
        client = Client(f"http://127.0.0.1:{address[1]}", {}, open_tls, connect_seconds=0.05)
        with pytest.raises(httpx.ConnectTimeout):
            await ask(client)
        await client.close()
        for each in fillers:
            each.close()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b", "x" * 70])
async def test_a_host_without_an_address_is_not_reached(host: str) -> None:
    """Whatever is wrong with its name."""
    client = Client(f"http://{host}:1", {}, open_tls, connect_seconds=5)
    with pytest.raises(httpx.ConnectError):
        await ask(client)
    await client.close()


async def test_a_large_request_is_written_whole() -> None:
    """However slowly the server reads."""
    content = b"x" * 3_000_000
    async with serving(answering(OK)) as server, calling(server) as client:
        await ask(client, Request("POST", "/", content=content))
        assert server.requests[0].endswith(content)


async def test_closing_ends_what_is_under_way() -> None:
    """And leaves no connection behind."""
    asked = asyncio.Event()

    async def behave(visit: Visit) -> None:
        await visit.request()
        asked.set()
        await visit.request()

    async with serving(behave) as server:
        async with calling(server) as client:
            call = asyncio.create_task(client.exchange(Request("GET", "/"), untraced, MOST))
            await asked.wait()
        with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
            await call
        assert await server.next_closed() == 1


def _start_connecting(address: tuple[str, int]) -> socket.socket:
    started = socket.socket()
    started.setblocking(False)
    started.connect_ex(address)
    return started
