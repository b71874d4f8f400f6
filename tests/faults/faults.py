"""All that a vendor may do with a write, by name. Each fault befalls the first send of a write, and `times` of them in all."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.faults.operations import Operation
from tests.faults.truth import Truth

ALWAYS = 1000
HTML = b"<html><body>Please sign in to the network.</body></html>"
_JSON = "content-type: application/json"


@dataclass
class Visit:
    """One request for a write, and the way back. `body` may not be whole yet where the fault does not wait for it."""

    operation: Operation
    mark: str
    body: bytes
    writer: asyncio.StreamWriter
    truth: Truth
    closes: bool = field(default=False, init=False)

    def record(self) -> bytes:
        """Applies the write, and answers its documented record."""
        record_id = self.truth.apply(self.operation, self.mark, self.body)
        return json.dumps(self.operation.answer(record_id, self.mark)).encode()

    async def send(self, *parts: bytes) -> None:
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def answer(self, status: int, body: bytes, *lines: str) -> None:
        await self.send(head(status, len(body), *lines), body)


Act = Callable[[Visit], Awaitable[None]]


@dataclass(frozen=True)
class Fault:
    """`early`: acts as soon as it knows whose request it is, while the body is still coming."""

    act: Act
    times: int = 1
    early: bool = False


def head(status: int, length: int | None, *lines: str) -> bytes:
    own = [*lines] if any(line.startswith("content-type") for line in lines) else [_JSON, *lines]
    sized = [*own, f"content-length: {length}"] if length is not None else own
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *sized, "", ""]).encode()


def replies(status: int, *lines: str, body: bytes = b"{}") -> Act:
    """An answer without an effect."""

    async def act(visit: Visit) -> None:
        await visit.answer(status, body, *lines)

    return act


def applies(status: int = 201, *lines: str, before: bytes = b"", after: bytes = b"") -> Act:
    """The write is applied and answered with its record, in this way."""

    async def act(visit: Visit) -> None:
        body = visit.record()
        await visit.send(before, head(status, len(body), *lines), body, after)
        visit.closes = bool(after)

    return act


async def applies_last(visit: Visit) -> None:
    """The write is applied, and its answer is the last on this connection."""
    await applies(201, "connection: close")(visit)
    visit.closes = True


def applies_then(change: Callable[[Visit, bytes], bytes]) -> Act:
    """The write is applied; the answer is whole, and what `change` makes of the record."""

    async def act(visit: Visit) -> None:
        await visit.answer(201, change(visit, visit.record()))

    return act


async def reset(visit: Visit) -> None:
    """Ends the connection with RST."""
    sock: socket.socket = visit.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    visit.writer.transport.abort()
    visit.closes = True


async def close(visit: Visit) -> None:
    visit.closes = True


async def silence(visit: Visit) -> None:
    """Until the gateway hangs up."""
    visit.closes = True
    await visit.writer.wait_closed()


async def drip_headers(visit: Visit) -> None:
    await visit.send(b"HTTP/1.1 201 Created\r\nx-slow: ")
    await _drip(visit)


async def drip_body(visit: Visit) -> None:
    visit.record()
    await visit.send(head(201, 1_000_000))
    await _drip(visit)


async def reset_mid_body(visit: Visit) -> None:
    body = visit.record()
    await visit.send(head(201, len(body)), body[: len(body) // 2])
    await reset(visit)


async def short_body(visit: Visit) -> None:
    body = visit.record()
    await visit.send(head(201, len(body)), body[: len(body) // 2])
    visit.closes = True


async def short_chunk(visit: Visit) -> None:
    body = visit.record()
    await visit.send(head(201, None, "transfer-encoding: chunked"), f"{len(body):x}\r\n".encode(), body[:20])
    visit.closes = True


async def huge_body(visit: Visit) -> None:
    visit.record()
    await visit.send(head(201, 5 * 1024 * 1024), *[b" " * 65536] * 80)


async def huge_chunks(visit: Visit) -> None:
    visit.record()
    await visit.send(head(201, None, "transfer-encoding: chunked"), *[b"10000\r\n" + b" " * 65536 + b"\r\n"] * 80)
    visit.closes = True


async def bomb(visit: Visit) -> None:
    visit.record()
    await visit.answer(201, gzip.compress(b" " * (32 * 1024 * 1024), 9), "content-encoding: gzip")


async def huge_headers(visit: Visit) -> None:
    visit.record()
    await visit.send(b"HTTP/1.1 201 Created\r\nx-long: ", b"x" * 2_000_000, b"\r\n\r\n")
    visit.closes = True


async def many_headers(visit: Visit) -> None:
    visit.record()
    await visit.send(b"HTTP/1.1 201 Created\r\n", b"x-many: y\r\n" * 100_000, b"\r\n")
    visit.closes = True


async def tardy(visit: Visit) -> None:
    await asyncio.sleep(1.0)
    await applies()(visit)


async def late(visit: Visit) -> None:
    """Applies it long after the gateway has given up, and answers nobody."""
    await asyncio.sleep(6)
    visit.record()
    visit.closes = True


async def no_http(visit: Visit) -> None:
    await visit.send(b"220 mail.example ESMTP ready\r\n")
    visit.closes = True


async def bytes_of_all_kinds(visit: Visit) -> None:
    await visit.send(bytes(range(256)) * 64)
    visit.closes = True


async def lying_500(visit: Visit) -> None:
    visit.record()
    await visit.answer(500, b'{"code": "internal"}')


async def no_content(visit: Visit) -> None:
    visit.record()
    await visit.send(b"HTTP/1.1 204 No Content\r\n\r\n")


async def in_gzip(visit: Visit) -> None:
    await visit.answer(201, gzip.compress(visit.record()), "content-encoding: gzip")


async def _drip(visit: Visit) -> None:
    while True:
        await visit.send(b"x")
        await asyncio.sleep(0.05)


def _without_id(visit: Visit, body: bytes) -> bytes:
    names = ("id", "personLogId", "prospectLogId")
    return json.dumps(visit.operation.without(json.loads(body), *names)).encode()


def _without_dates(visit: Visit, body: bytes) -> bytes:
    return json.dumps(visit.operation.without(json.loads(body), "createdAt", "created_at", "updated_at")).encode()


def _with_more(visit: Visit, body: bytes) -> bytes:
    return json.dumps(visit.operation.plus(json.loads(body), surprise={"deep": [1, None]}, other=True)).encode()


def _with_odd_dates(visit: Visit, body: bytes) -> bytes:
    return json.dumps(visit.operation.plus(json.loads(body), createdAt="yesterday", created_at=12)).encode()


def _of_another(visit: Visit, body: bytes) -> bytes:
    return json.dumps(visit.operation.of_another(json.loads(body))).encode()


def _far_off(_: Visit) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=2), usegmt=True)


async def limited_by_date(visit: Visit) -> None:
    await visit.answer(429, b"{}", f"retry-after: {_far_off(visit)}")


ELSEWHERE = "/elsewhere"
FAULTS: Mapping[str, Fault] = {
    "healthy": Fault(applies(), 0),
    "tardy": Fault(tardy),
    "reset-in-body": Fault(reset, early=True),
    "reset-after-body": Fault(reset),
    "close": Fault(close),
    "silence": Fault(silence),
    "drip-headers": Fault(drip_headers),
    "drip-body": Fault(drip_body),
    "reset-mid-answer": Fault(reset_mid_body),
    "short-body": Fault(short_body),
    "short-chunk": Fault(short_chunk),
    "truncated-json": Fault(applies_then(lambda _, body: body[: len(body) // 2])),
    "malformed-json": Fault(applies_then(lambda _, __: b"{id: 1,}")),
    "empty-answer": Fault(applies_then(lambda _, __: b"")),
    "json-of-something-else": Fault(applies_then(lambda _, __: b'{"message": "created"}')),
    "wrong-content-type": Fault(applies(201, "content-type: text/plain")),
    "html-200": Fault(replies(200, "content-type: text/html", body=HTML)),
    "no-id": Fault(applies_then(_without_id)),
    "no-dates": Fault(applies_then(_without_dates)),
    "more-fields": Fault(applies_then(_with_more)),
    "odd-dates": Fault(applies_then(_with_odd_dates)),
    "huge-body": Fault(huge_body),
    "huge-chunks": Fault(huge_chunks),
    "bomb": Fault(bomb),
    "gzip": Fault(in_gzip),
    "huge-headers": Fault(huge_headers),
    "many-headers": Fault(many_headers),
    "429-soon": Fault(replies(429, "retry-after: 1")),
    "429-later": Fault(replies(429, "retry-after: 60"), ALWAYS),
    "429-silent": Fault(replies(429), ALWAYS),
    "429-odd": Fault(replies(429, "retry-after: soon"), ALWAYS),
    "429-date": Fault(limited_by_date, ALWAYS),
    "429-ever": Fault(replies(429, "retry-after: 1000000000"), ALWAYS),
    "421-once": Fault(replies(421)),
    "425-once": Fault(replies(425)),
    **{f"{status}": Fault(replies(status)) for status in (408, 500, 502, 503, 504)},
    "503-wait": Fault(replies(503, "retry-after: 1")),
    **{
        f"{status}": Fault(replies(status), ALWAYS)
        for status in (400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 451, 501, 505)
    },
    "202": Fault(applies(202)),
    "204": Fault(no_content),
    "200": Fault(applies(200)),
    **{f"{status}": Fault(replies(status, f"location: {ELSEWHERE}"), ALWAYS) for status in (301, 302, 307, 308)},
    "303": Fault(replies(303, f"location: {ELSEWHERE}")),
    "100-first": Fault(applies(before=b"HTTP/1.1 100 Continue\r\n\r\n")),
    "102-first": Fault(applies(before=b"HTTP/1.1 102 Processing\r\n\r\n")),
    "103-first": Fault(applies(before=b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")),
    "no-http": Fault(no_http),
    "bytes": Fault(bytes_of_all_kinds),
    "more-after": Fault(applies(after=b"HTTP/1.1 500 Oops\r\ncontent-length: 2\r\n\r\n{}")),
    "answer-of-another": Fault(applies_then(_of_another)),
    "lying-500": Fault(lying_500),
    "late": Fault(late),
}
