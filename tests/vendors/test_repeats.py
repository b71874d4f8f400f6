"""What a call to a vendor does when it fails: reads are asked again with measure, writes never, and circuits open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from app.budget import AT_FIRST
from app.call import Call
from app.current import begin
from app.failures import translate
from app.readings import whole
from app.rest import Rest
from app.transport.seam import FIRST_BYTE
from app.transport.through_httpx import ThroughHttpx
from app.vendors.bird import SPEC, wire
from schema.errors import MutationError, RateLimited, Refusal, VendorRejected, VendorUnavailable
from tests.vendors.clockwork import Clockwork
from tests.vendors.upstream import fixture

READ = Call("GET", "/contacts/1", operation="contacts.get")
CREATE = Call("POST", "/contacts", operation="contacts.create")
Step = int | Exception | tuple[int, dict[str, str]]


@dataclass
class Vendor:
    """Bird, which answers as told, step by step and the last one for ever, while it is let. `sends` is how often it was called."""

    steps: list[Step]
    clock: Clockwork = field(default_factory=Clockwork)
    sends: int = 0
    let: asyncio.Event = field(default_factory=asyncio.Event)
    rest: Rest = field(init=False)

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if "trace" in request.extensions:
            await request.extensions["trace"](FIRST_BYTE, {})
        step = self.steps[min(self.sends, len(self.steps) - 1)]
        self.sends += 1
        await self.let.wait()
        if isinstance(step, Exception):
            raise step
        status, headers = step if isinstance(step, tuple) else (step, {})
        body = b"" if status in (202, 204) else json.dumps(fixture("bird/contact")).encode()
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    async def ask(self, call: Call = READ) -> MutationError | None:
        """The error that a call comes to; None if it succeeds."""
        try:
            await (self.rest.write(call, wire.Contact) if call is CREATE else self.rest.read(call, whole(wire.Contact)))
        except Refusal as refusal:
            return refusal.errors[0]
        return None


@asynccontextmanager
async def vendor(*steps: Step) -> AsyncIterator[Vendor]:
    told = Vendor(list(steps))
    told.let.set()
    transport = httpx.MockTransport(told.answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://vendor") as http:
        told.rest = Rest(
            SPEC.vendor, ThroughHttpx(http), SPEC.complaint, timeout=10, clock=told.clock, pause=told.clock.pause
        )
        yield told


@pytest.mark.parametrize("step", [500, 502, 503, 504, 408, 421, 425, httpx.ConnectError(""), httpx.ReadError("")])
async def test_a_read_that_failed_in_passing_is_asked_again(step: Step) -> None:
    """And answered, if the third time is."""
    async with vendor(step, step, 200) as bird:
        assert (await bird.ask(), bird.sends) == (None, 3)
        assert [0.05 <= bird.clock.pauses[0] < 0.15, 0.1 <= bird.clock.pauses[1] < 0.3] == [True, True]


@pytest.mark.parametrize("step", [400, 401, 403, 404, 409, 422, 429, 301, httpx.InvalidURL(""), httpx.ReadTimeout("")])
async def test_a_read_that_would_fail_again_is_asked_once(step: Step) -> None:
    """A refusal, a limit of unknown length, a fault of our own, and what has used up its time."""
    async with vendor(step) as bird:
        assert (await bird.ask() is not None, bird.sends, bird.clock.pauses) == (True, 1, [])


@pytest.mark.parametrize("status", [429, 503])
async def test_a_read_waits_as_long_as_it_is_told_to(status: int) -> None:
    """Exactly, where that is within its time."""
    async with vendor((status, {"retry-after": "4"}), 200) as bird:
        assert (await bird.ask(), bird.sends, bird.clock.pauses) == (None, 2, [4.0])


@pytest.mark.parametrize("status", [429, 503])
async def test_a_read_does_not_wait_beyond_its_time(status: int) -> None:
    """The caller is told how long instead."""
    async with vendor((status, {"retry-after": "30"})) as bird:
        error = await bird.ask()
        assert isinstance(error, RateLimited | VendorUnavailable)
        assert (error.retry_after_seconds, bird.sends, bird.clock.pauses) == (30.0, 1, [])


async def test_a_read_with_little_time_left_is_asked_once() -> None:
    """A repeat that can't end in time helps nobody."""
    current = begin("a request", 0.1)
    async with vendor(500) as bird:
        assert (await bird.ask() is not None, bird.sends) == (True, 1)
    await current.end()


async def test_who_joins_a_read_is_told_in_time_that_it_takes_too_long() -> None:
    """While who asked first goes on, and is answered."""
    async with vendor(200) as bird:
        bird.let.clear()

        async def ask(seconds: float) -> MutationError | None:
            begin("a request", seconds)
            return await bird.ask()

        patient = asyncio.create_task(ask(60))
        hurried = asyncio.create_task(ask(0.2))
        await asyncio.wait([hurried], timeout=60)
        error = hurried.result()
        assert isinstance(error, VendorUnavailable)
        assert (error.code, error.message) == (
            "VENDOR_UNAVAILABLE",
            "Bird did not answer in time. Try again later.",
        )
        bird.let.set()
        assert (await patient, bird.sends) == (None, 1)


@pytest.mark.parametrize("step", [500, 503, 429, 421, httpx.ConnectError(""), httpx.ReadError("")])
async def test_a_write_is_sent_once(step: Step) -> None:
    """Whether it may be sent again is the ledger's to know."""
    async with vendor(step) as bird:
        assert (await bird.ask(CREATE) is not None, bird.sends) == (True, 1)


async def test_a_vendor_that_always_fails_is_sent_little_more_than_was_asked() -> None:
    """Twenty-five reads a second for a minute: at most 1.1 sends for each, and one a second; once the circuit is open, hardly
    any.
    """
    async with vendor(500) as bird:
        began, firsts = bird.clock.now, 0
        for n in range(1500):
            bird.clock.passes(0.04)
            await bird.ask(Call("GET", f"/contacts/{n}", operation=f"one of many: {n}"))
            firsts += 1
        assert bird.sends > firsts
        assert bird.sends <= 1.1 * firsts + (bird.clock.now - began) + AT_FIRST
        in_many_circuits, bird.sends = bird.sends, 0
        for n in range(1500):
            bird.clock.passes(0.04)
            await bird.ask(Call("GET", f"/contacts/{n}", operation="contacts.get"))
        assert bird.sends < in_many_circuits / 20


async def test_an_open_circuit_is_a_clean_refusal_that_says_when() -> None:
    """Nothing is sent, the other operations go on, and the vendor is not shown as available."""
    async with vendor(*[500] * 20, 200) as bird:
        for _ in range(20):
            await bird.ask(CREATE)
        assert not bird.rest.is_available
        error = await bird.ask(CREATE)
        assert isinstance(error, VendorUnavailable)
        assert (error.code, error.retryable, bird.sends) == ("CIRCUIT_OPEN", True, 20)
        assert 15 <= (error.retry_after_seconds or 0) <= 18
        assert bird.rest.gate(CREATE.operation).refusal() == error
        assert await bird.ask(READ) is None
        bird.clock.passes(18)
        assert bird.rest.is_available
        assert [await bird.ask(CREATE) for _ in range(5)] == [None] * 5


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 429])
async def test_refusals_open_no_circuit(status: int) -> None:
    """They are what a vendor that works says to a caller who is wrong."""
    async with vendor(status) as bird:
        for _ in range(100):
            await bird.ask(CREATE)
        assert (bird.rest.is_available, bird.sends) == (True, 100)


async def test_a_key_that_is_refused_opens_the_circuit() -> None:
    """It was revoked, or is wrong: the vendor is not hammered with it. Once it is good again the circuit closes."""
    async with vendor(*[401] * 21, 200) as bird:
        for _ in range(100):
            await bird.ask(CREATE)
        assert (bird.rest.is_available, bird.sends) == (False, 20)
        for sends, error in ((21, VendorRejected), (22, type(None))):
            bird.clock.passes(18)
            assert (type(await bird.ask(CREATE)), bird.sends) == (error, sends)
        assert [await bird.ask(CREATE) for _ in range(5)] == [None] * 5


@pytest.mark.parametrize("step", [202, 204, 500, httpx.ReadError(""), httpx.ConnectError("")])
async def test_doubt_and_failure_open_the_circuit(step: Step) -> None:
    """Also an answer that nobody can read."""
    async with vendor(step) as bird:
        for _ in range(100):
            await bird.ask(CREATE)
        assert (bird.rest.is_available, bird.sends <= 20) == (False, True)


async def test_a_hook_that_fails_says_nothing_of_the_vendor() -> None:
    """Such as a database that does not answer."""

    async def hook() -> None:
        raise OSError

    async with vendor(200) as bird:
        for _ in range(100):
            with pytest.raises(Refusal):
                await bird.rest.write(CREATE, wire.Contact, hook)
        assert bird.rest.is_available


def test_nobody_in_the_chain_of_causes_is_none() -> None:
    """An error of the connection without a cause is no distrust."""
    assert translate(httpx.ConnectError("")).name == "NOT_REACHED"
