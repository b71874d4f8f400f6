"""The faulty vendor: `python -m tests.faults.server FOLDER` prints its ports as JSON, and serves until it is killed.

`vendor` is HTTP; the write's own mark says which fault befalls it. `closing` is the same, and ends a connection with every good
answer, so that the next write comes on a fresh one. At `closed` nobody listens, at `swallowing` a connection is never made, at
`hang-up` it is closed in the middle of a TLS handshake. `untrusted`, `expired`, `wrong-name` and `old-tls` are HTTPS that must
not be spoken with, under the name localhost. GET / at `truth` answers what really happened: sends by mark, effects, requests
that should not exist.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

from tests.faults.certificates import Authority
from tests.faults.faults import ELSEWHERE, FAULTS, Act, Visit, applies, applies_last
from tests.faults.operations import MARK, nothing_found, operation_at
from tests.faults.truth import Truth

AUTHORITY = "authority"
_HOST = "127.0.0.1"
_NO_SUCH_VERSION = bytes.fromhex("15030100020246")
"""The fatal alert protocol_version (RFC 8446, section 6.2)."""


class Server:
    """All ports of one faulty vendor."""

    def __init__(self, folder: Path) -> None:
        self.truth = Truth()
        self._folder = folder
        self._kept: list[object] = []
        self._visits: set[asyncio.Task[None] | None] = set()

    async def start(self) -> dict[str, int]:
        """Opens the ports, and answers them by name."""
        visit = partial(self._visit, healthy=applies())
        known, unknown = Authority(self._folder, AUTHORITY), Authority(self._folder, "stranger")
        day = timedelta(days=1)
        with_tls: Mapping[str, ssl.SSLContext] = {
            "untrusted": unknown.context("localhost", day),
            "expired": known.context("localhost", -day),
            "wrong-name": known.context("other.example", day),
        }
        ports = {name: await self._serve(visit, context) for name, context in with_tls.items()}
        return ports | {
            "vendor": await self._serve(visit),
            "closing": await self._serve(partial(self._visit, healthy=applies_last)),
            "truth": await self._serve(self._tell),
            "hang-up": await self._serve(_hang_up),
            "old-tls": await self._serve(_decline),
            "closed": self._keep(_closed()),
            "swallowing": self._keep(*_swallowing()),
        }

    def _keep(self, *socks: socket.socket) -> int:
        self._kept += socks
        port: int = socks[0].getsockname()[1]
        return port

    async def _serve(self, handle: object, context: ssl.SSLContext | None = None) -> int:
        server = await asyncio.start_server(handle, _HOST, 0, ssl=context, limit=2**22, backlog=1024)  # type: ignore[arg-type]  # one of three
        self._kept.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, healthy: Act) -> None:
        self._visits.add(
            visit := asyncio.current_task()
        )  # the loop holds tasks weakly: a silent one would be collected
        with suppress(OSError, asyncio.IncompleteReadError):
            while await self._answer_one(reader, writer, healthy):
                pass
        self._visits.discard(visit)
        writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, healthy: Act) -> bool:
        """Answers one request; whether another may follow."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        operation = operation_at(method, path)
        length = _length(head)
        if operation is None:
            await reader.readexactly(length)
            self.truth.astray += path == ELSEWHERE
            await Visit(operation_at("POST", "/v0/person_logs"), "", b"", writer, self.truth).answer(  # type: ignore[arg-type]  # unused
                200, json.dumps(nothing_found(path)).encode()
            )
            return True
        body = await _until_marked(reader, length)
        found = MARK.search(body)
        mark = found[1].decode() if found else "unmarked"
        fault = FAULTS[mark.rpartition("-at-")[0]] if found else FAULTS["healthy"]
        is_due = self.truth.sent(mark) < fault.times
        if not (is_due and fault.early):
            body += await reader.readexactly(length - len(body))
        visit = Visit(operation, mark, body, writer, self.truth)
        await (fault.act if is_due else healthy)(visit)
        return not visit.closes

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps(self.truth.as_json()).encode()
        writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


async def _until_marked(reader: asyncio.StreamReader, length: int) -> bytes:
    """As much of the body as it takes to know whose it is."""
    body = b""
    while len(body) < length and not MARK.search(body):
        body += await reader.read(length - len(body)) or b" " * length
    return body


async def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _decline(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1024)
    writer.write(_NO_SUCH_VERSION)
    await writer.drain()
    writer.close()


def _closed() -> socket.socket:
    """A port that is taken, and where nobody listens."""
    sock = socket.socket()
    sock.bind((_HOST, 0))
    return sock


def _swallowing() -> list[socket.socket]:
    """A listener whose queue is full: the kernel answers no further handshake."""
    listener = socket.socket()
    listener.bind((_HOST, 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(listener.getsockname())
    return [listener, *waiting]


def _length(head: str) -> int:
    lines = [line.lower().partition(":") for line in head.split("\r\n")]
    return next((int(value) for name, _, value in lines if name == "content-length"), 0)


async def _main(folder: Path) -> None:
    server = Server(folder)
    print(json.dumps(await server.start()), flush=True)  # noqa: T201  # whoever started it reads it
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
