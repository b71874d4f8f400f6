"""A ledger that another process keeps busy: whoever writes meanwhile is told the truth, and in time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.failpoints import Failpoint
from app.main import create_app
from app.registry import VENDORS
from app.settings import read_settings
from tests.gateway import Gateway, Unhurried, UpstreamCall, give_tables, recorded_sandboxes
from tests.ledger.partner import RESULTS, final, post
from tests.vendors.writes import document

DEADLINE = 2.0
IN_TIME = DEADLINE + 2.0
"""In seconds: less than the 5 s for which SQLite waits, and time enough for a machine with much else to do."""

LOCKED = "the ledger can't be written"
CREATE = document("createContact", RESULTS["createContact"] + " receipt { state } errors { code }")


class Lock(Failpoint):
    """Takes SQLite's write lock, as another process would, at the first passing of a point."""

    def __init__(self, point: str, database: Path) -> None:
        super().__init__(point)
        self._other = sqlite3.connect(database, isolation_level=None)

    def __call__(self, point: str) -> None:
        if point == self.point and self.passings:
            self.passings = 0
            self._other.execute("BEGIN IMMEDIATE")

    def release(self) -> None:
        self._other.close()


@asynccontextmanager
async def locking(point: str, database: Path) -> AsyncIterator[tuple[Gateway, Lock]]:
    """A gateway whose ledger is locked from this point on."""
    await give_tables(database)
    lock, upstream = Lock(point, database), list[UpstreamCall]()
    with recorded_sandboxes(upstream, demo=False) as environ:
        environ |= {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{database}", "SWITCHBOARD_VENDOR_TIMEOUT": str(DEADLINE)}
        settings = replace(read_settings(environ, VENDORS), failpoint=lock)
        app = create_app(settings, Unhurried())
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
                try:
                    yield Gateway(http, app, upstream, settings), lock
                finally:
                    lock.release()


async def _create(gateway: Gateway) -> tuple[Any, float]:
    """What a write is answered, and after how many seconds."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    body = await post(gateway, CREATE, {"input": {"displayName": "Ada", "idempotencyKey": "k"}})
    return body, loop.time() - began


async def test_a_write_that_can_not_be_sent_is_told_so_in_time(tmp_path: Path) -> None:
    """LEDGER_UNAVAILABLE within the deadline, and nothing is sent: not later either."""
    async with locking("intent_committed", tmp_path / "switchboard.db") as (served, lock):
        body, seconds = await _create(served)
        assert [each["extensions"]["code"] for each in body["errors"]] == ["LEDGER_UNAVAILABLE"]
        assert seconds < IN_TIME
        lock.release()
        assert (await final(served, "k"))["state"] == "FAILED"
        assert served.upstream == []


@pytest.mark.parametrize("point", ["sending_committed", "answer_in_hand"])
async def test_a_write_whose_end_can_not_be_stored_is_told_so_in_time(
    point: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """OUTCOME_UNKNOWN within the deadline; what became of it is stored once the ledger is free, and is no noise in the log."""
    async with locking(point, tmp_path / "switchboard.db") as (served, lock):
        body, seconds = await _create(served)
        assert body["data"]["it"]["receipt"]["state"] == "UNKNOWN"
        assert [each["code"] for each in body["data"]["it"]["errors"]] == ["OUTCOME_UNKNOWN"]
        assert seconds < IN_TIME
        lock.release()
        assert (await final(served, "k"))["state"] == "SUCCEEDED"
        assert len(served.upstream) == 1
    assert [each.message for each in caplog.records if each.name == "asyncio"] == []


async def test_while_the_ledger_can_not_be_written_the_gateway_is_not_ready(tmp_path: Path) -> None:
    """From the moment on at which a write is told so, until it can be again: no write has to come for that."""
    async with locking("answer_in_hand", tmp_path / "switchboard.db") as (served, lock):
        assert (await served.http.get("/readyz")).status_code == 200
        await _create(served)
        told = await asyncio.gather(*(served.http.get("/readyz") for _ in range(3)))
        assert [(each.status_code, each.json()) for each in told] == [(503, {"status": LOCKED})] * 3
        lock.release()
        async with asyncio.timeout(60):
            while (await served.http.get("/readyz")).status_code != 200:
                pass
