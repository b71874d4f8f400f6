"""Gateways that leak, one way in each test, and one that does not: pytest's plugin is tried on them, and nothing else runs them."""

from __future__ import annotations

import asyncio
import base64
import logging
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client import CollectorRegistry, Counter
from starlette.types import Message, Receive, Scope, Send

from app.cors import Cors
from app.front import Front
from app.telemetry.traces import Traces
from app.vendors.artu.sandbox import SANDBOX_KEY
from tests.canaries.keys import canary, sandbox_keys, wrong_key
from tests.edge.sockets import Address

DATABASE = "switchboard.db"
MADE = f"sk_test_{'a' * 16}_{'b' * 43}"


def _based(text: str) -> bytes:
    return base64.urlsafe_b64encode(f"key: {text}".encode())


def _sends(body: bytes) -> Front:
    async def endpoint(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for piece in (body[:20], body[20:]):
            await send({"type": "http.response.body", "body": piece, "more_body": piece != body[20:]})

    return Front(endpoint, lambda _: None, frozenset(), Cors(frozenset()))


async def _ask(front: Front) -> None:
    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_: Message) -> None: ...

    scope = {"type": "http", "method": "GET", "path": "/graphql", "headers": [(b"host", b"gateway")]}
    await front(scope, receive, send)


def _killed(row: str, left: Path) -> None:
    """What a gateway leaves that is killed after it has stored a row."""
    before = left.with_name("before")
    before.mkdir()
    with closing(sqlite3.connect(before / DATABASE)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE kept (row TEXT)")
        connection.execute("INSERT INTO kept VALUES (?)", (row,))
        connection.commit()
        shutil.copytree(before, left)
    shutil.rmtree(before)


def _child(program: str, *given: str) -> None:
    subprocess.run([sys.executable, "-c", f"import sys; {program}", *given], capture_output=True, check=True)  # noqa: S603  # our own


async def test_answer() -> None:
    await _ask(_sends(_based(SANDBOX_KEY)))


async def test_received() -> None:
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"location": f"/?key={quote(canary('bird'))}"})
    )
    async with httpx.AsyncClient(transport=transport) as http:
        await http.get("http://gateway")


async def test_raw() -> None:
    async def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(wrong_key().encode().hex().encode())
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        await Address(*server.sockets[0].getsockname()).exchange(b"")


def test_record() -> None:
    logging.getLogger("app.rest").warning("refused with %s", canary("architect"))


def test_span() -> None:
    traces = Traces(InMemorySpanExporter(), "ignore")
    traces.begin(None).end("query", canary("token"), "success")
    traces.close()


def test_label() -> None:
    Counter("calls", "Calls.", ("key",), registry=CollectorRegistry()).labels(canary("metrics"))


def test_output() -> None:
    _child("sys.stderr.write(sys.argv[1])", canary("store"))


def test_made(tmp_path: Path) -> None:
    _child("print(sys.argv[1])", MADE)
    _child("sys.stderr.write(sys.argv[1])", _based(MADE).decode())
    _killed(MADE, tmp_path / "left")


def test_text(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        pass
    sys.stderr.write(canary("database").upper())


def test_wal(tmp_path: Path) -> None:
    _killed(canary("reevo"), tmp_path / "left")


def test_secret(tmp_path: Path) -> None:
    (tmp_path / "switchboard.secret").write_text(canary("secret"))


async def test_clean(tmp_path: Path) -> None:
    """All of it without a key; and the places where keys may be seen."""
    await _ask(_sends(b"{}"))
    logging.getLogger("app.rest").warning("refused")
    _child("print('export TEST_BIRD_ACCESS_KEY=' + sys.argv[1])", sandbox_keys()["bird"])
    _child("print(sys.argv[1])", MADE)
    _killed("nothing", tmp_path / "left")
    secret = tmp_path / "switchboard.secret"
    secret.touch(0o600)
    secret.write_text(canary("secret"))
