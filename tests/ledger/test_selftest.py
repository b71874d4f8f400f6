"""The self-test of the hook before the first byte, and a gateway where it finds the hook wanting.

There the transport names its event otherwise, as httpcore may do in a version to come.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.ledger.selftest import Opener, hook_is_sound, open_client
from app.transport import client
from app.transport.seam import FIRST_BYTE, Http
from app.transport.through_httpx import ThroughHttpx
from tests.canaries.keys import canary
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

CREATE = """mutation ($name: String!) { createContact(input: {displayName: $name, idempotencyKey: "the key"}) {
    contact { displayName } errors { __typename code retryable } receipt { state attempts replayed } } }"""
EVENTS = '{ receipt(by: {idempotencyKey: "the key"}) { state attempts events { to } } }'
ADA = {"name": "Ada Example"}
BIRD = {
    "SWITCHBOARD_SANDBOX_KEY": "on",
    "TEST_BIRD_ACCESS_KEY": canary("bird"),
    "TEST_BIRD_WORKSPACE_ID": "a1405560-c8d3-4b1a-877d-3f449ad95352",
}


@pytest.fixture
def _renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_BYTE", "http1.send_request_headers.started")


@asynccontextmanager
async def open_httpx(base_url: str) -> AsyncIterator[Http]:
    async with httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
        yield ThroughHttpx(http)


@pytest.fixture(params=["the hook is sound", "the hook never runs"])
async def either(request: pytest.FixtureRequest) -> bool:
    """Whether deliveries commit early, in this run of the test."""
    commits_early: bool = request.param == "the hook never runs"
    if commits_early:
        request.getfixturevalue("_renamed")
    return commits_early


@pytest.fixture
async def served(either: bool, tmp_path: Path) -> AsyncIterator[Gateway]:  # noqa: ARG001  # before the gateway starts
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as running:
            yield running


@pytest.mark.parametrize("opener", [open_client, open_httpx])
async def test_the_hook_is_sound_here(opener: Opener) -> None:
    """Over the gateway's own transport, and over the httpcore that is installed, it runs once, before anything has left, and
    keeps back what it shall.
    """
    assert await hook_is_sound(opener=opener) is True


@pytest.mark.parametrize(
    "event",
    [
        "http11.send_request_headers.complete",  # too late: the headers have left
        "http11.send_request_body.started",
        "http11.receive_response_headers.complete",
        "http11.no_such_event",
    ],
)
async def test_a_hook_that_runs_late_or_never_is_found_out(event: str) -> None:
    """No other event would do."""
    assert event != FIRST_BYTE
    assert await hook_is_sound(event, open_httpx) is False


@pytest.mark.usefixtures("_renamed")
async def test_a_renamed_event_is_found_out(caplog: pytest.LogCaptureFixture) -> None:
    """A transport that names its events otherwise is recognised, and the operator is told."""
    assert await hook_is_sound() is False
    assert [(record.levelname, "does not work" in record.message) for record in caplog.records] == [("WARNING", True)]


async def test_a_hook_that_can_not_be_tried_is_not_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no socket can be opened the gateway starts all the same, and takes the safe way."""

    async def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(asyncio, "start_server", refuse)
    assert await hook_is_sound() is False


@pytest.mark.parametrize(
    ("name", "errors", "state", "attempts"),
    [
        ("Ada Example", [], "SUCCEEDED", 1),
        ("sandbox-409", [("VendorRejected", "VENDOR_REJECTED", False)], "FAILED", 1),
        ("sandbox-500-applied", [("OutcomeUnknown", "OUTCOME_UNKNOWN", False)], "UNKNOWN", 1),
    ],
)
async def test_the_caller_notices_no_difference(
    served: Gateway, name: str, errors: list[tuple[str, str, bool]], state: str, attempts: int
) -> None:
    """Success, refusal and doubt are the same whether the hook works or SENDING is committed before the call; the vendor
    is asked once.
    """
    answer = await served.ask(CREATE, {"name": name})
    created = answer.data["createContact"]
    assert created == {
        "contact": {"displayName": name} if state == "SUCCEEDED" else None,
        "errors": [{"__typename": kind, "code": code, "retryable": retryable} for kind, code, retryable in errors],
        "receipt": {"state": state, "attempts": attempts, "replayed": False},
    }
    assert len(served.upstream) == 1
    assert await _events(served) == ["PENDING", "SENDING", state]


async def test_a_closed_port_leaves_no_doubt(either: bool, tmp_path: Path) -> None:
    """Nothing was sent, provably: FAILED and to be repeated; only where the hook does not work was it SENDING meanwhile."""
    with _closed_port() as port:
        environ = BIRD | {"TEST_BIRD_BASE_URL": f"http://127.0.0.1:{port}"}
        async with gateway(environ, tmp_path / "switchboard.db", []) as served:
            created = (await served.ask(CREATE, ADA)).data["createContact"]
            unavailable = {"__typename": "VendorUnavailable", "code": "VENDOR_UNAVAILABLE", "retryable": True}
            assert (created["errors"], created["receipt"]["state"]) == ([unavailable], "FAILED")
            tries = ["SENDING", "PENDING"] if either else ["PENDING"]
            last = ["SENDING", "FAILED"] if either else ["FAILED"]
            assert await _events(served) == ["PENDING", *tries, *tries, *last]


@pytest.mark.usefixtures("either")
async def test_an_answer_that_breaks_off_is_in_doubt(tmp_path: Path) -> None:
    """What reached the vendor is never taken for unsent, whatever the transport calls its events: it is not sent again."""
    taken = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        await reader.readuntil(b"\r\n\r\n")
        taken += 1
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    environ = BIRD | {"TEST_BIRD_BASE_URL": f"http://127.0.0.1:{port}"}
    async with server, gateway(environ, tmp_path / "switchboard.db", []) as served:
        created = (await served.ask(CREATE, ADA)).data["createContact"]
        assert ([error["code"] for error in created["errors"]], taken) == (["OUTCOME_UNKNOWN"], 1)
        assert await _events(served) == ["PENDING", "SENDING", "UNKNOWN"]


async def _events(served: Gateway) -> list[str]:
    receipt: dict[str, Any] = (await served.ask(EVENTS)).data["receipt"]
    return [event["to"] for event in receipt["events"]]


@contextmanager
def _closed_port() -> Iterator[int]:
    """A port that is taken, and that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield sock.getsockname()[1]
