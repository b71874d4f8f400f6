"""While the database does not answer, requests are told so, in time, and not that something is wrong with the gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from app.database import is_unavailable
from app.security.keys import SANDBOX_KEY
from tests.canaries.keys import canary
from tests.databases import opened
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.silence import Silence, before

SOON = 8.0
"""In seconds: a server is given up after two, then told goodbye for two; and this machine has much else to do."""

READ = "{ contacts(first: 1) { nodes { displayName } } receipts(first: 1) { nodes { id } } viewer { name } }"
CREATE = 'mutation { createContact(input: {displayName: "Ada"}) { receipt { state } errors { code } } }'


@dataclass
class Lost:
    """A gateway that can lose its database."""

    gateway: Gateway
    silence: Silence
    key: str

    async def ask(self, query: str, key: str | None = None) -> tuple[Any, Any]:
        """The answer, and its body."""
        headers = {"x-api-key": key or self.key, "x-request-timeout-ms": "2000"}
        async with asyncio.timeout(SOON):
            answer = await self.gateway.http.post("/graphql", json={"query": query}, headers=headers)
        return answer, answer.json()


@pytest.fixture
async def lost(cluster: URL, tmp_path: Path) -> AsyncIterator[Lost]:
    """A gateway whose database answers nobody any more, on old connections and on new ones."""
    async with _serving(cluster, tmp_path) as serving:
        await serving.ask(READ, SANDBOX_KEY)
        serving.silence.fall(also_new=True)
        yield serving
        serving.silence.end()


async def test_a_key_that_can_not_be_looked_at_is_told_when_to_come_back(lost: Lost) -> None:
    """503 within the request's deadline: nobody can tell whose it is, and nothing was done."""
    answer, body = await lost.ask(READ)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert [each["extensions"] for each in body["errors"]] == [{"code": "LEDGER_UNAVAILABLE"}]


async def test_the_probe_and_the_metrics_answer(lost: Lost) -> None:
    """Not ready; and no count of writes."""
    async with asyncio.timeout(SOON):
        ready = await lost.gateway.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (503, {"status": "the database does not answer"})
    async with asyncio.timeout(SOON):
        metrics = await lost.gateway.http.get("/metrics")
    assert (metrics.status_code, "ledger_writes{" in metrics.text) == (200, False)


async def test_a_field_that_needs_the_database_says_so(lost: Lost) -> None:
    """The others are answered, and a write says that nothing was sent."""
    _, body = await lost.ask("{ receipts(first: 1) { nodes { id } } viewer { name } }", SANDBOX_KEY)
    assert body["data"] == {"receipts": None, "viewer": {"name": "Sandbox"}}
    assert [each["extensions"]["code"] for each in body["errors"]] == ["LEDGER_UNAVAILABLE"]
    before = len(lost.gateway.upstream)
    _, body = await lost.ask(CREATE, SANDBOX_KEY)
    assert [each["extensions"]["code"] for each in body["errors"]] == ["LEDGER_UNAVAILABLE"]
    assert len(lost.gateway.upstream) == before


async def test_a_gateway_ends_all_the_same(cluster: URL, tmp_path: Path) -> None:
    """In good order, though nothing that was under way can be given up."""
    async with asyncio.timeout(5 * SOON), _serving(cluster, tmp_path) as serving:
        await serving.ask(READ, SANDBOX_KEY)
        serving.silence.fall(also_new=True)


async def test_only_what_ails_the_database_is_told_so() -> None:
    """A statement that is wrong, or breaks a rule of the tables, is a fault of the gateway."""
    ails = [OperationalError("", {}, Exception()), ConnectionRefusedError(), TimeoutError()]
    faults = [IntegrityError("", {}, Exception()), ProgrammingError("", {}, Exception()), KeyError(), None]
    assert [is_unavailable(each) for each in [*ails, *faults]] == [True] * 3 + [False] * 4


@asynccontextmanager
async def _serving(cluster: URL, folder: Path) -> AsyncIterator[Lost]:
    name, upstream = f"lost_{folder.name.lower()[:40]}", list[UpstreamCall]()
    async with (
        opened(cluster) as engine,
        engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection,
    ):
        await connection.execute(text(f'CREATE DATABASE "{name}"'))
    async with before(cluster.set(database=name)) as silence:
        url = silence.url.render_as_string(hide_password=False)
        own = {"SWITCHBOARD_DATABASE_URL": url, "SWITCHBOARD_SECRET": canary("secret")}
        with recorded_sandboxes(upstream, demo=False) as environ:
            async with gateway({**environ, **own}, folder / "unused.db", upstream) as served:
                key = await served.new_key("*")
                yield Lost(served, silence, key)
