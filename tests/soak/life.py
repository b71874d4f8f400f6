"""A gateway that is stopped and killed, and started again on the same port and over the same database."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil

from app.main import open_signer
from app.migrate import migrate
from app.registry import VENDORS
from app.security.keys import Keys
from app.settings import PREFIXES, read_settings
from app.transactions import Transactions
from app.variables import base_url_name
from schema.vendor import Environment
from tests.canaries.keys import canary
from tests.cli.command import Started, free_port, started
from tests.databases import open_engine
from tests.faults.lean import LeanPartner
from tests.faults.partner import SERVE, FaultyVendor, given_values

_LIFE = (8.0, 20.0)
"""In seconds: how long a gateway lives, at least and at most."""


@dataclass(frozen=True)
class Measured:
    """What a gateway holds: memory in MiB, sockets, and tasks of its event loop."""

    memory: float
    sockets: int
    tasks: int


@dataclass
class Life:
    """`partner` is whoever asks it; `rounds` counts its deaths, `kills` those that were no stops."""

    environ: dict[str, str]
    home: Path
    partner: LeanPartner
    chance: random.Random
    rounds: int = 0
    kills: int = 0
    _running: AbstractAsyncContextManager[Started] | None = field(default=None, repr=False)

    @classmethod
    async def begun(cls, vendor: FaultyVendor, home: Path, chance: random.Random) -> Life:
        """Its first life."""
        await asyncio.to_thread(home.mkdir)
        port = free_port()
        environ = _environ(vendor, home)
        http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30.0, trust_env=False)
        key = await _key(environ)
        partner = LeanPartner(None, http, key)  # type: ignore[arg-type]  # no process yet
        life = cls(environ, home, partner, chance)
        await life._start(port)
        return life

    async def run(self, seconds: float) -> None:
        """Ends it again and again, one time in two by a kill."""
        end = asyncio.get_running_loop().time() + seconds
        while (left := end - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, self.chance.uniform(*_LIFE)))
            if asyncio.get_running_loop().time() < end:
                await self.restart(kill=self.chance.random() < 0.5)

    async def restart(self, *, kill: bool) -> None:
        self.rounds += 1
        self.kills += kill
        process = self.partner.process.process
        os.kill(process.pid, signal.SIGKILL if kill else signal.SIGTERM)
        await process.communicate()
        assert process.returncode == (-signal.SIGKILL if kill else 0), process.returncode
        port = self.partner.http.base_url.port
        assert port is not None
        await self._start(port)

    async def measured(self, *, after: float) -> Measured:
        """What it holds, after it had time to come to rest."""
        await asyncio.sleep(after)
        process = psutil.Process(self.partner.process.process.pid)
        told = (await self.partner.http.get("/metrics")).text.splitlines()
        tasks = next(float(line.split()[1]) for line in told if line.startswith("event_loop_tasks "))
        return Measured(process.memory_info().rss / 2**20, len(process.net_connections("inet")), round(tasks))

    async def end(self) -> None:
        self.partner.close()
        await self.partner.http.aclose()
        if self._running is not None:
            await self._running.__aexit__(None, None, None)

    async def _start(self, port: int) -> None:
        command = (*SERVE[:-1], str(port))
        self._running = started(*command, home=self.home, until="GraphQL ", **self.environ)
        self.partner.process = await self._running.__aenter__()


def _environ(vendor: FaultyVendor, home: Path) -> dict[str, str]:
    prefix = PREFIXES[Environment.TEST]
    environ = {
        "SWITCHBOARD_DATABASE_URL": f"sqlite:///{home / 'switchboard.db'}",
        "SWITCHBOARD_SECRET": canary("secret"),
        "SWITCHBOARD_LOG_LEVEL": "error",
    }
    for spec in VENDORS:
        environ[prefix + base_url_name(spec.vendor)] = vendor.url("vendor")
        environ |= given_values(spec, prefix)
    return environ


async def _key(environ: dict[str, str]) -> str:
    settings = read_settings(environ, VENDORS)
    engine = open_engine(settings.database_url)
    try:
        await migrate(engine)
        return await Keys(Transactions(engine), open_signer(settings)).create("Soak", Environment.TEST, ["*"], None)
    finally:
        await engine.dispose()
