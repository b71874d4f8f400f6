"""The four vendors in a process of their own that no kill touches: `python -m tests.kills.vendor KEYS` prints its ports as JSON.

They are the built-in sandboxes, so that a write can be read back as at the vendors, behind a gate that knows each write by its
mark. It notes what came and what was made of it, and holds a write whose mark begins with `taken` or `applied`, the first time
it comes, until it is released: the first before it is applied, the second before it is answered.

    GET /truth           what was sent and made, by mark
    GET /reached/MARK    answers once the write is held
    GET /release/MARK    lets it go on
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.registry import VENDORS
from app.sandbox.server import serving
from app.serving import loopback_sockets
from app.sockets import bound_socket
from tests.canaries.keys import mark_sandboxes

MARK = re.compile(rb'"([a-z-]+-kill-[a-z0-9-]+)"')
_RECORD = re.compile(rb'"(?:id|personLogId|prospectLogId)": ?"([^"]+)"')


@dataclass
class Truth:
    """`sent` counts the requests of each write, `made` are the IDs of the records that it has made: one, if all is well."""

    sent: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    made: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, mark: str, body: bytes) -> None:
        """Notes what a request has made; a repeat of a key that the vendor takes is answered the same record."""
        found = _RECORD.search(body)
        record = found[1].decode() if found else "?"
        if record not in self.made[mark]:
            self.made[mark].append(record)


@dataclass
class Gate:
    """Stands before all sandboxes. Events are made by whoever asks first, the vendor or the test."""

    truth: Truth = field(default_factory=Truth)
    reached: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    released: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))

    def before(self, app: ASGIApp) -> ASGIApp:
        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            body = await _read(receive)
            found = MARK.search(body)
            if found is None:
                await app(scope, _again(body, receive), send)
            else:
                await self._pass(found[1].decode(), app, scope, _again(body, receive), send)

        return guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI
        """Answers the test."""
        _, what, *mark = scope["path"].split("/")
        if what == "reached":
            await self.reached[mark[0]].wait()
        if what == "release":
            self.released[mark[0]].set()
        await _answer(send, json.dumps({"sent": self.truth.sent, "made": self.truth.made}).encode())

    async def _pass(self, mark: str, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        self.truth.sent[mark] += 1
        is_first = self.truth.sent[mark] == 1
        if is_first and mark.startswith("taken"):
            await self._hold(mark)
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await app(scope, receive, keep)
        if answer[0]["status"] < 300:
            self.truth.note(mark, b"".join(each.get("body", b"") for each in answer[1:]))
        if is_first and mark.startswith("applied"):
            await self._hold(mark)
        for message in answer:
            await send(message)

    async def _hold(self, mark: str) -> None:
        self.reached[mark].set()
        await self.released[mark].wait()


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    read = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Any:
        return next(read, None) or await receive()

    return replay


async def _answer(send: Send, body: bytes) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


def main() -> None:
    gate = Gate()
    mark_sandboxes(json.loads(sys.argv[1]), pytest.MonkeyPatch())
    sockets = loopback_sockets(VENDORS) | {"control": bound_socket("127.0.0.1", 0)}
    apps: dict[str, ASGIApp] = {spec.vendor.value: gate.before(spec.sandbox(None)) for spec in VENDORS}
    with serving(apps | {"control": gate}, sockets):
        print(json.dumps({name: sock.getsockname()[1] for name, sock in sockets.items()}), flush=True)  # noqa: T201  # whoever started it reads it
        signal.pause()


if __name__ == "__main__":
    main()
