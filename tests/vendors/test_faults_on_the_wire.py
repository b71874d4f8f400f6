"""The whole gateway over vendors that misbehave on real sockets: the right error, and nothing of the vendor in it."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app.retries import MOST_REPEATS
from tests.canaries.keys import canary
from tests.gateway import Answer, Gateway, gateway
from tests.vendors import faults
from tests.vendors.faults import MARK, FaultyVendor, faulty
from tests.vendors.upstream import WORKSPACE
from tests.vendors.watch import everything_logged, seen

KEYS = {"BIRD_ACCESS_KEY": canary("bird"), "REEVO_API_KEY": canary("reevo")}
ERRORS = "errors { __typename code retryable ... on VendorRejected { status vendorCode } }"
CREATE = f'mutation {{ it: createContact(input: {{displayName: "Ada"}}) {{ contact {{ id }} {ERRORS} }} }}'
LOG = f'mutation {{ it: logActivity(input: {{subject: "Call"}}) {{ activity {{ id }} {ERRORS} }} }}'
READ = "{ it: contacts(first: 1) { nodes { id } } }"


class Outcome(NamedTuple):
    """Of a write: type, code, retryable, status. Of a read: code, retryable. Empty is a success."""

    write: tuple[object, ...]
    read: tuple[object, ...]


UNAVAILABLE = ("VENDOR_UNAVAILABLE", True)
DOUBT = Outcome(("OutcomeUnknown", "OUTCOME_UNKNOWN", False, None), UNAVAILABLE)
UNSENT = Outcome(("VendorUnavailable", "VENDOR_UNAVAILABLE", True, None), UNAVAILABLE)
SUCCESS = Outcome((), ())


def rejected(status: int) -> Outcome:
    return Outcome(("VendorRejected", "VENDOR_REJECTED", False, status), ("VENDOR_REJECTED", False))


ELSEWHERE = f"http://{MARK}.example/elsewhere"
FAULTS = {
    "silence": (faults.silence, DOUBT),
    "close": (faults.close, DOUBT),
    "reset": (faults.reset, DOUBT),
    "half a body": (faults.half_a_body, DOUBT),
    "half a chunk": (faults.half_a_chunk, DOUBT),
    "bad JSON": (faults.reply(201, b'{"id": "' + MARK.encode()), DOUBT),
    "JSON of something else": (faults.reply(201, b'{"message": "%b"}' % MARK.encode()), DOUBT),
    "HTML with 200": (faults.reply(200, faults.HTML, "content-type: text/html"), DOUBT),
    "202 with the record": (faults.record(202), Outcome(DOUBT.write, ())),
    "204": (faults.raw(faults.head(204, None)), DOUBT),
    "500": (faults.reply(500, b'{"code": "%b"}' % MARK.encode()), DOUBT),
    "500 with HTML": (faults.reply(500, faults.HTML), DOUBT),
    "dripping headers": (faults.drip_headers, DOUBT),
    "dripping body": (faults.drip_body, DOUBT),
    "five MiB": (faults.large, DOUBT),
    "gzip": (faults.compressed, SUCCESS),
    "half of a gzip": (faults.half_compressed, DOUBT),
    "no gzip": (faults.reply(201, faults.HTML, "content-encoding: gzip"), DOUBT),
    "gzip bomb": (faults.bomb, DOUBT),
    "100 before": (faults.record(201, before=b"HTTP/1.1 100 Continue\r\n\r\n"), SUCCESS),
    "103 before": (faults.record(201, before=b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"), SUCCESS),
    "more after": (faults.record(201, after=b"HTTP/1.1 500 Oops\r\n\r\n"), SUCCESS),
    "no HTTP": (faults.raw(b"220 %b ESMTP ready\r\n" % MARK.encode()), DOUBT),
    "bytes": (faults.raw(bytes(range(256)) * 64), DOUBT),
    "endless headers": (faults.raw(b"HTTP/1.1 201 Created\r\n" + b"x: y\r\n" * 50_000), DOUBT),
    **{str(status): (faults.redirect(status, ELSEWHERE), rejected(status)) for status in (301, 302, 307, 308)},
    "303": (faults.redirect(303, ELSEWHERE), Outcome(DOUBT.write, rejected(303).read)),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_fault_has_its_own_outcome_and_shows_nothing_of_the_vendor(name: str, tmp_path: Path) -> None:
    """Two writes, each sent once, and a read: the right error; no address, header, key or body in answers or logs."""
    fault, expected = FAULTS[name]
    async with faulty(fault) as vendor, _gateway(vendor.url, tmp_path) as served:
        with everything_logged() as logged:
            answers = await asyncio.gather(*(served.ask(query) for query in (CREATE, LOG, READ)))
        created, activity, read = answers
        assert Outcome(_written(created), _read(read)) == expected
        assert _written(activity) == expected.write
        sends = Counter(map(_start, vendor.requests))
        assert (sends["POST"], 1 <= sends["GET"] <= 1 + MOST_REPEATS) == (2, True)
        _assert_silent(vendor, logged.text, answers)


async def test_a_closed_port_leaves_a_write_unsent(tmp_path: Path) -> None:
    """Provably: the write may be sent again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listening
        vendor = FaultyVendor(taken.getsockname()[1])
        async with _gateway(vendor.url, tmp_path) as served:
            with everything_logged() as logged:
                answers = await asyncio.gather(*(served.ask(query) for query in (CREATE, LOG, READ)))
    created, activity, read = answers
    assert Outcome(_written(created), _read(read)) == UNSENT
    assert _written(activity) == UNSENT.write
    _assert_silent(vendor, logged.text, answers)


async def test_a_handshake_that_fails_leaves_a_write_unsent(tmp_path: Path) -> None:
    """Until TLS stands, no byte of the request has left."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with _gateway(url, tmp_path) as served:
            answers = await asyncio.gather(*(served.ask(query) for query in (CREATE, LOG, READ)))
    created, activity, read = answers
    assert Outcome(_written(created), _read(read)) == UNSENT
    assert _written(activity) == UNSENT.write


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_not_followed_within_the_same_host(status: int, tmp_path: Path) -> None:
    """Neither is the key sent again nor the write."""
    async with faulty(faults.record(201)) as other:
        async with (
            faulty(faults.redirect(status, f"{other.url}/elsewhere")) as vendor,
            _gateway(vendor.url, tmp_path) as served,
        ):
            assert _written(await served.ask(CREATE)) == rejected(status).write
            assert _read(await served.ask(READ)) == rejected(status).read
            assert len(vendor.requests) == 2
        assert other.requests == []


async def test_a_cookie_of_the_vendor_is_never_sent_back(tmp_path: Path) -> None:
    """Every answer sets one."""
    async with faulty(faults.record(201)) as vendor, _gateway(vendor.url, tmp_path) as served:
        for query in (CREATE, READ, CREATE):
            assert (await served.ask(query)).errors == []
        assert len(vendor.requests) == 3
        assert [request for request in vendor.requests if b"cookie" in request.lower()] == []


@asynccontextmanager
async def _gateway(url: str, folder: Path) -> AsyncIterator[Gateway]:
    environ = {
        "SWITCHBOARD_SANDBOX_KEY": "on",
        "SWITCHBOARD_VENDOR_TIMEOUT": "5",
        "TEST_BIRD_BASE_URL": url,
        "TEST_BIRD_WORKSPACE_ID": WORKSPACE,
        "TEST_REEVO_BASE_URL": url,
        **{f"TEST_{name}": value for name, value in KEYS.items()},
    }
    async with gateway(environ, folder / "switchboard.db", []) as served:
        yield served


def _written(answer: Answer) -> tuple[object, ...]:
    """Type, code, retryable and status of the one error of a write; empty if there is none."""
    assert answer.errors == []
    errors: list[dict[str, Any]] = answer.data["it"]["errors"]
    assert len(errors) <= 1
    return tuple(errors[0].get(name) for name in ("__typename", "code", "retryable", "status")) if errors else ()


def _read(answer: Answer) -> tuple[object, ...]:
    assert len(answer.errors) <= 1
    return tuple(answer.errors[0]["extensions"][name] for name in ("code", "retryable")) if answer.errors else ()


def _start(request: bytes) -> str:
    return request.split(b" ", 1)[0].decode()


def _assert_silent(vendor: FaultyVendor, logged: list[str], answers: list[Answer]) -> None:
    forbidden = ["127.0.0.1", f":{vendor.port}", f"={vendor.port}", MARK, "AccessKey", "Bearer", *KEYS.values()]
    shown = [part for each in answers for part in (each.response.text, str(each.response.headers))]
    assert seen(forbidden, *shown) == []
    assert [line for line in logged if seen(forbidden, line)] == []
