"""How those who follow are told that the gateway stops: each connection is closed in its own form, and nothing is waited for."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol

from tests.cli.command import LAST_LINE, Finished, Started, started
from tests.live.served import KEY, PATIENCE, Follower, Stream

SERVE = (sys.executable, "-m", "app.cli", "serve", "--sandbox", "--port", "0")
ENDLESS = 'subscription { activityLogged(of: {accountId: "a1405560-c8d3-4b1a-877d-3f449ad95352"}) { id } }'
GRAPHQL = [Subprotocol("graphql-transport-ws")]


@pytest.mark.parametrize("grace", ["0", "60"])
async def test_who_follows_is_told_at_once_that_the_gateway_stops(tmp_path: Path, grace: str) -> None:
    """A WebSocket is closed with 1001, a stream says why and is complete; so it is at the beginning of a grace period, in
    which no new WebSocket is taken. The process leaves with 0 and without a word.
    """
    async with started(*SERVE, home=tmp_path, until=LAST_LINE, SWITCHBOARD_DRAIN_SECONDS=grace) as gateway:
        where = gateway.url.replace("http", "ws") + "/graphql"
        headers = {**KEY, "accept": "text/event-stream"}
        async with (
            connect(where, subprotocols=GRAPHQL, additional_headers=KEY) as socket,
            gateway.http() as http,
            http.stream("POST", "/graphql", json={"query": ENDLESS}, headers=headers) as response,
        ):
            follower, stream = Follower(socket), Stream(response, response.aiter_lines())
            await follower.send("connection_init")
            assert await follower.next() == {"type": "connection_ack"}
            await follower.subscribe("1", ENDLESS)
            await follower.answered()
            os.kill(gateway.process.pid, signal.SIGTERM)
            assert await follower.closed() == (1001, "The gateway is being stopped")
            event, told = await stream.next()
            assert (event, told["errors"][0]["extensions"]["code"]) == ("next", "GATEWAY_STOPPING")
            assert await stream.next() == ("complete", None)
        if grace != "0":
            with pytest.raises(InvalidStatus) as refused:
                await connect(where, subprotocols=GRAPHQL)
            assert refused.value.response.status_code == 503
            os.kill(gateway.process.pid, signal.SIGINT)
        assert await _ended(gateway) == Finished(0, "", "")


async def _ended(gateway: Started) -> Finished:
    async with asyncio.timeout(PATIENCE):
        out, err = await gateway.process.communicate()
    return Finished(gateway.process.returncode, out.decode(), err.decode())
