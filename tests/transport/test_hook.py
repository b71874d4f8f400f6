"""The hook before the first byte, watched from the other end of the wire: the ledger commits SENDING in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from app.call import Call, CallFailed, Reason
from app.rest import Rest
from app.transport.seam import CONNECTING, FIRST_BYTE, Request
from app.vendors.bird import SPEC
from tests.transport.server import MOST, OK, Visit, answering, answering_once, ask, calling, serving

WRITE = Request("POST", "/contacts", content=b"{}")


class KeptBack(Exception):
    """What a hook raises to keep a request from leaving."""


async def test_the_hook_runs_after_the_connection_stands_and_before_any_byte() -> None:
    """While it runs, the server has accepted the connection and received nothing."""
    accepted, arrived = asyncio.Event(), asyncio.Event()
    events: list[tuple[str, bool]] = []

    async def behave(visit: Visit) -> None:
        accepted.set()
        await visit.request()
        arrived.set()
        await visit.say(OK)

    async def trace(event: str, _: Mapping[str, Any]) -> None:
        if event == FIRST_BYTE:
            await asyncio.wait_for(accepted.wait(), 60)
            await asyncio.wait([asyncio.create_task(arrived.wait())], timeout=0.02)
        events.append((event, arrived.is_set()))

    async with serving(behave) as server, calling(server) as client:
        assert (await client.exchange(WRITE, trace, MOST)).status == 200
    assert events == [(CONNECTING, False), (FIRST_BYTE, False)]


async def test_a_kept_connection_needs_no_connecting() -> None:
    """The second request on it has only the hook."""
    events: list[str] = []

    async def trace(event: str, _: Mapping[str, Any]) -> None:
        events.append(event)

    async with serving(answering(OK)) as server, calling(server) as client:
        await client.exchange(WRITE, trace, MOST)
        await client.exchange(WRITE, trace, MOST)
    assert events == [CONNECTING, FIRST_BYTE, FIRST_BYTE]


async def test_what_the_hook_raises_keeps_the_request_from_leaving() -> None:
    """Not a byte arrives, and the connection serves the next request."""

    async def refuse(event: str, _: Mapping[str, Any]) -> None:
        if event == FIRST_BYTE:
            raise KeptBack

    async with serving(answering(OK)) as server, calling(server) as client:
        with pytest.raises(KeptBack):
            await client.exchange(WRITE, refuse, MOST)
        await ask(client)
        assert (server.connections, [request[:5] for request in server.requests]) == (1, [b"GET /"])


async def test_who_gives_up_during_the_hook_sends_nothing() -> None:
    """The connection is whole, and serves the next request."""
    reached = asyncio.Event()

    async def hang(event: str, _: Mapping[str, Any]) -> None:
        if event == FIRST_BYTE:
            reached.set()
            await asyncio.Event().wait()

    async with serving(answering(OK)) as server, calling(server) as client:
        call = asyncio.create_task(client.exchange(WRITE, hang, MOST))
        await reached.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await ask(client)
        assert (server.connections, [request[:5] for request in server.requests]) == (1, [b"GET /"])


async def test_a_connection_lost_during_the_hook_is_made_anew() -> None:
    """Nothing had left on it: the hook does not run again, and the request arrives once."""
    hooks = 0

    async def behave(visit: Visit) -> None:
        await (answering(OK)(visit) if visit.number > 1 else visit.hang_up())

    async def trace(event: str, _: Mapping[str, Any]) -> None:
        nonlocal hooks
        if event == FIRST_BYTE:
            hooks += 1
            await server.next_closed()

    async with serving(behave) as server, calling(server) as client:
        assert (await client.exchange(WRITE, trace, MOST)).status == 200
        assert (hooks, server.connections, len(server.requests)) == (1, 2, 1)


async def test_a_connection_lost_during_the_hook_that_can_t_be_made_anew_leaves_no_doubt() -> None:
    """Nothing had left on it, and there is no other on which anything could."""
    async with AsyncExitStack() as until_gone:
        server = await until_gone.enter_async_context(serving(Visit.hang_up))

        async def hook() -> None:
            await server.next_closed()
            await until_gone.aclose()

        async with calling(server) as client:
            with pytest.raises(CallFailed) as failed:
                await Rest(SPEC.vendor, client, SPEC.complaint, timeout=60).exchange(Call("POST", "/contacts"), hook)
    assert (failed.value.reason, failed.value.sent) == (Reason.NOT_REACHED, False)
    assert (server.connections, server.requests) == (1, [])


async def test_a_connection_lost_after_the_first_byte_is_not_made_anew() -> None:
    """It is in doubt whether the request was carried out."""

    async def hook() -> None:
        return

    async with serving(answering_once()) as server, calling(server) as client:
        with pytest.raises(CallFailed) as failed:
            await Rest(SPEC.vendor, client, SPEC.complaint, timeout=60).exchange(Call("POST", "/contacts"), hook)
        assert (failed.value.reason, failed.value.sent) == (Reason.BROKE_OFF, True)
        assert (server.connections, len(server.requests)) == (1, 1)


async def test_a_closed_port_is_known_before_the_hook() -> None:
    """No hook runs where there is no connection."""
    events: list[str] = []

    async def trace(event: str, _: Mapping[str, Any]) -> None:
        events.append(event)

    async with serving(answering(OK)) as server:
        pass
    async with calling(server) as client:
        with pytest.raises(httpx.ConnectError) as refused:
            await client.exchange(WRITE, trace, MOST)
    assert events == [CONNECTING]
    assert isinstance(refused.value.__cause__, ConnectionRefusedError)
