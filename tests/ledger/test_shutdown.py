"""How a gateway ends: what is under way is answered, what is left is in doubt, and it leaves with 0.

The gateway runs as a process, on real sockets, over a vendor that holds its answers until it is told.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.canaries.keys import canary
from tests.cli.command import Finished, Started, run, started
from tests.gateway import gateway

COMMAND = (sys.executable, "-m", "app.cli")
SERVE = (*COMMAND, "serve", "--port", "0")
CREATE = """mutation ($key: String!, $delivery: Delivery! = WAIT) {
  createContact(input: {displayName: "Ada", idempotencyKey: $key, delivery: $delivery}) {
    contact { displayName } receipt { state } errors { code } } }"""
RECEIPT = "query ($key: String!) { receipt(by: {idempotencyKey: $key}) { state events { to } } }"
DONE = {"contact": {"displayName": "Ada"}, "receipt": {"state": "SUCCEEDED"}, "errors": []}
SANDBOXED = {"SWITCHBOARD_SANDBOX_KEY": "on"}
A_MINUTE = {"SWITCHBOARD_DRAIN_SECONDS": "60"}
"""A grace period that no test waits for: a second SIGINT ends it."""


class SlowBird:
    """Takes contacts, one on each connection, and answers them after so many seconds, once it is told to."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.answers = asyncio.Event()
        self.taken = 0
        self.visits: list[asyncio.Task[None]] = []
        self._arrived = asyncio.Condition()

    def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.visits.append(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
        await reader.readexactly(int(length.partition(":")[2]))
        async with self._arrived:
            self.taken += 1
            self._arrived.notify_all()
        await asyncio.sleep(self.seconds)
        await self.answers.wait()
        body = json.dumps({"id": str(uuid.uuid4()), "computedDisplayName": "Ada"}).encode()
        head = f"HTTP/1.1 201 Created\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write(head.encode() + body)

    async def has_taken(self, number: int) -> None:
        """Waits until so many contacts have arrived."""
        async with asyncio.timeout(120), self._arrived:
            await self._arrived.wait_for(lambda: self.taken >= number)


@pytest.fixture
async def bird() -> SlowBird:
    return SlowBird()


@pytest.fixture
async def environ(bird: SlowBird, tmp_path: Path) -> AsyncIterator[dict[str, str]]:
    """The settings of a gateway over this vendor."""
    server = await asyncio.start_server(bird.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    yield {
        "SWITCHBOARD_DATABASE_URL": f"sqlite:///{tmp_path / 'switchboard.db'}",
        "TEST_BIRD_BASE_URL": f"http://{host}:{port}",
        "TEST_BIRD_ACCESS_KEY": canary("bird"),
        "TEST_BIRD_WORKSPACE_ID": "a1405560-c8d3-4b1a-877d-3f449ad95352",
    }
    bird.answers.set()
    server.close()
    await asyncio.gather(*bird.visits, return_exceptions=True)


class Partner:
    """Asks one gateway after another with the same key."""

    def __init__(self, key: str, home: Path) -> None:
        self._key = key
        self._home = home

    @asynccontextmanager
    async def gateway(self, environ: dict[str, str], *options: str) -> AsyncIterator[Started]:
        async with started(*SERVE, *options, home=self._home, until="GraphQL ", **environ) as running:
            yield running

    def create(self, gateway: Started, key: str) -> asyncio.Task[dict[str, Any]]:
        """createContact, under way."""

        async def answer() -> dict[str, Any]:
            async with gateway.http() as http:
                return await self.created(http, key)

        return asyncio.create_task(answer())

    async def created(self, http: httpx.AsyncClient, key: str) -> dict[str, Any]:
        """What createContact is answered."""
        body = {"query": CREATE, "variables": {"key": key}}
        response = await http.post("/graphql", json=body, headers={"authorization": f"Bearer {self._key}"})
        created: dict[str, Any] = response.json()["data"]["createContact"]
        return created

    async def ask(self, gateway: Started, query: str, headers: dict[str, str]) -> Any:
        """The data of one operation."""
        async with gateway.http() as http:
            authorized = headers | {"authorization": f"Bearer {self._key}"}
            return (await http.post("/graphql", json={"query": query}, headers=authorized)).json()["data"]

    async def receipt(self, gateway: Started, key: str) -> dict[str, Any]:
        response = await gateway.ask(RECEIPT, {"key": key}, self._key)
        receipt: dict[str, Any] = response.json()["data"]["receipt"]
        return receipt


@pytest.fixture
async def partner(environ: dict[str, str], tmp_path: Path) -> Partner:
    options = ("--name", "Partner", "--environment", "test", "--scope", "*")
    made = await run(*COMMAND, "keys", "create", *options, home=tmp_path, **environ)
    return Partner(made.out.splitlines()[-1], tmp_path)


async def test_while_it_drains_it_is_not_ready_and_yet_answers(
    bird: SlowBird, environ: dict[str, str], partner: Partner
) -> None:
    """From SIGTERM on `/readyz` is 503; what is under way, and what still comes, is answered, and told to ask elsewhere."""
    async with partner.gateway(environ | A_MINUTE) as gateway, gateway.http() as http:
        assert (await http.get("/readyz")).status_code == 200
        before = partner.create(gateway, "before")
        await bird.has_taken(1)
        _signal(gateway, signal.SIGTERM)
        stopping = await _until_not_ready(http)
        assert (stopping.status_code, stopping.json()) == (503, {"status": "stopping"})
        _signal(gateway, signal.SIGTERM)  # as by a service manager that tells all processes: this ends no grace period
        during = partner.create(gateway, "during")
        await bird.has_taken(2)
        async with asyncio.timeout(120):
            while (alive := await http.get("/livez")).headers.get("connection") != "close":
                pass
        assert alive.status_code == 200
        bird.answers.set()
        assert [await before, await during] == [DONE, DONE]
        assert (await http.get("/readyz")).status_code == 503
        assert await gateway.interrupt(signal.SIGINT) == Finished(0, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_what_is_under_way_is_answered_after_the_listener_has_closed(
    bird: SlowBird, environ: dict[str, str], partner: Partner, number: signal.Signals
) -> None:
    """Without a grace period new connections are refused at once; twenty mutations under way are all answered."""
    async with partner.gateway(environ) as gateway:
        under_way = [partner.create(gateway, f"key {n}") for n in range(20)]
        await bird.has_taken(20)
        _signal(gateway, number)
        await _until_refused(gateway)
        bird.answers.set()
        assert await asyncio.gather(*under_way) == [DONE] * 20
        assert await _ended(gateway) == Finished(0, "", "")
    assert bird.taken == 20


@pytest.mark.big
async def test_what_may_take_long_is_answered_though_it_does(
    bird: SlowBird, environ: dict[str, str], partner: Partner
) -> None:
    """A caller may give a request half a minute, whatever a vendor has for one call."""
    bird.seconds = 1.2
    bird.answers.set()
    fields = " ".join(
        f'm{n}: createContact(input: {{displayName: "Ada"}}) {{ receipt {{ state }} }}' for n in range(10)
    )
    async with partner.gateway(environ | {"SWITCHBOARD_VENDOR_TIMEOUT": "3"}) as gateway:
        asking = asyncio.create_task(
            partner.ask(gateway, f"mutation {{ {fields} }}", {"x-request-timeout-ms": "30000"})
        )
        await bird.has_taken(1)
        _signal(gateway, signal.SIGTERM)
        assert await asking == {f"m{n}": {"receipt": {"state": "SUCCEEDED"}} for n in range(10)}
        assert await _ended(gateway) == Finished(0, "", "")


async def test_under_load_nothing_is_dropped(bird: SlowBird, environ: dict[str, str], partner: Partner) -> None:
    """Eight callers ask without a pause, each on a connection that it keeps, and go on for a while after `/readyz` has
    said 503: every mutation that was begun is answered.
    """
    bird.answers.set()
    async with partner.gateway(environ | A_MINUTE) as gateway, gateway.http() as http:
        stopped = asyncio.Event()

        async def call(caller: int) -> list[dict[str, Any]]:
            answers: list[dict[str, Any]] = []
            async with gateway.http() as http:
                while not stopped.is_set():
                    answers.append(await partner.created(http, f"{caller}: {len(answers)}"))
            return answers

        callers = [asyncio.create_task(call(n)) for n in range(8)]
        await bird.has_taken(50)
        _signal(gateway, signal.SIGTERM)
        assert (await _until_not_ready(http)).status_code == 503
        await bird.has_taken(bird.taken + 50)
        stopped.set()
        answers = [answer for called in await asyncio.gather(*callers) for answer in called]
        assert (len(answers), [each for each in answers if each != DONE]) == (bird.taken, [])
        assert await gateway.interrupt(signal.SIGINT) == Finished(0, "", "")


async def test_what_the_vendor_never_answers_is_in_doubt(
    bird: SlowBird, environ: dict[str, str], partner: Partner
) -> None:
    """A mutation under way at SIGTERM is answered by its own deadline; its receipt is UNKNOWN, after a restart too."""
    async with partner.gateway(environ | {"SWITCHBOARD_VENDOR_TIMEOUT": "1"}) as gateway:
        under_way = partner.create(gateway, "the key")
        await bird.has_taken(1)
        _signal(gateway, signal.SIGTERM)
        in_doubt = {"contact": None, "receipt": {"state": "UNKNOWN"}, "errors": [{"code": "OUTCOME_UNKNOWN"}]}
        assert await under_way == in_doubt
        assert await _ended(gateway) == Finished(0, "", "")
    async with partner.gateway(environ) as gateway:
        found = await partner.receipt(gateway, "the key")
        states = [event["to"] for event in found["events"]]
        assert (found["state"], states[:3], set(states[3:]) <= {"UNKNOWN"}) == (
            "UNKNOWN",
            ["PENDING", "SENDING", "UNKNOWN"],
            True,  # it may have been looked for by now
        )
        assert await gateway.interrupt(signal.SIGTERM) == Finished(0, "", "")
    assert bird.taken == 1


async def test_a_write_whose_caller_has_hung_up_is_finished(
    bird: SlowBird, environ: dict[str, str], partner: Partner
) -> None:
    """Nobody waits for it any more, no connection stands: the gateway waits for the vendor all the same."""
    async with partner.gateway(environ) as gateway:
        under_way = partner.create(gateway, "the key")
        await bird.has_taken(1)
        under_way.cancel()
        await asyncio.gather(under_way, return_exceptions=True)
        await _finish_late(gateway, bird)
    async with partner.gateway(environ) as gateway:
        assert (await partner.receipt(gateway, "the key"))["state"] == "SUCCEEDED"
    assert bird.taken == 1


async def test_a_background_delivery_under_way_is_finished(
    bird: SlowBird, environ: dict[str, str], tmp_path: Path
) -> None:
    """What is delivered behind the caller's back is cut no more than what is waited for, though nothing new is begun."""
    database = tmp_path / "background.db"
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(gateway(environ | SANDBOXED, database, []))
        accepted: dict[str, Any] = {"contact": None, "receipt": {"state": "PENDING"}, "errors": []}
        variables = {"key": "the key", "delivery": "BACKGROUND"}
        assert (await served.ask(CREATE, variables)).data == {"createContact": accepted}
        await bird.has_taken(1)
        [reconciler] = [task for task in asyncio.all_tasks() if task.get_name() == "reconciler"]
        stopping = asyncio.create_task(stack.pop_all().aclose())
        await asyncio.wait([reconciler])
        bird.answers.set()
        await stopping
    async with gateway(environ | SANDBOXED, database, []) as served:
        events = [{"to": "PENDING"}, {"to": "SENDING"}, {"to": "SUCCEEDED"}]
        found = (await served.ask(RECEIPT, {"key": "the key"})).data
        assert found == {"receipt": {"state": "SUCCEEDED", "events": events}}
    assert bird.taken == 1


async def test_each_of_several_workers_drains(bird: SlowBird, environ: dict[str, str], partner: Partner) -> None:
    """SIGTERM to the parent: both workers answer what they have, and say that they are not ready; the parent leaves with 0."""
    async with partner.gateway(environ | {"SWITCHBOARD_DRAIN_SECONDS": "3"}, "--workers", "2") as gateway:
        under_way = [partner.create(gateway, f"key {n}") for n in range(20)]
        await bird.has_taken(20)
        _signal(gateway, signal.SIGTERM)
        async with gateway.http() as http:
            assert (await _until_not_ready(http)).status_code == 503
        bird.answers.set()
        assert await asyncio.gather(*under_way) == [DONE] * 20
        assert await _ended(gateway) == Finished(0, "", "")
    assert bird.taken == 20


def _signal(gateway: Started, number: signal.Signals) -> None:
    """Signals the one process that a service manager knows."""
    os.kill(gateway.process.pid, number)


async def _until_not_ready(http: httpx.AsyncClient) -> httpx.Response:
    async with asyncio.timeout(120):
        while (answer := await http.get("/readyz")).status_code == 200:
            pass
    return answer


async def _until_refused(gateway: Started) -> None:
    """Waits until nobody listens any more."""
    async with asyncio.timeout(120), gateway.http() as http:
        while True:
            try:
                await http.get("/livez")
            except httpx.TransportError:
                return


async def _finish_late(gateway: Started, bird: SlowBird) -> None:
    """Stops the gateway, and lets the vendor answer only when nobody listens any more."""
    _signal(gateway, signal.SIGTERM)
    await _until_refused(gateway)
    bird.answers.set()
    assert await _ended(gateway) == Finished(0, "", "")


async def _ended(gateway: Started) -> Finished:
    async with asyncio.timeout(120):
        out, err = await gateway.process.communicate()
    return Finished(gateway.process.returncode, out.decode(), err.decode())
