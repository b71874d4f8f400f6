"""Runs the `switchboard` command as a person does: as a process, in an environment with nothing else in it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.security.keys import SANDBOX_KEY

ROOT = Path(__file__).parents[2]
SWITCHBOARD = str(Path(sys.executable).parent / "switchboard")
LAST_LINE = "Try "
_PATIENCE = 120.0


@dataclass(frozen=True)
class Finished:
    """How a process ended, and what it wrote."""

    code: int | None
    out: str
    err: str


@dataclass
class Started:
    """A process that has written the line which was waited for; `lines` is all up to that one."""

    process: asyncio.subprocess.Process
    lines: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the gateway, as announced."""
        line = next(line for line in self.lines if line.startswith("GraphQL "))
        return line.split()[1].removesuffix("/graphql")

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self.url, timeout=_PATIENCE)

    async def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, key: str = SANDBOX_KEY
    ) -> httpx.Response:
        """Asks one operation, on a connection of its own."""
        async with self.http() as http:
            body = {"query": query, "variables": variables}
            return await http.post("/graphql", json=body, headers={"authorization": f"Bearer {key}"})

    async def interrupt(self, number: signal.Signals = signal.SIGINT) -> Finished:
        """Signals the process and its children, as a terminal does with Ctrl-C, and waits for the end."""
        os.killpg(self.process.pid, number)
        return await _end(self.process)


@asynccontextmanager
async def started(*command: str, home: Path, until: str, **variables: str) -> AsyncIterator[Started]:
    """Starts a command and waits until it writes a line that begins so."""
    process = await _spawn(command, home, variables)
    try:
        running = Started(process)
        async with asyncio.timeout(_PATIENCE):
            await _read_until(running, until)
        yield running
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()


async def run(*command: str, home: Path, **variables: str) -> Finished:
    """Runs a command to its end."""
    return await _end(await _spawn(command, home, variables))


def files(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(os.listdir(folder))  # noqa: PTH208  # pathlib has nothing that an async test may call


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def _spawn(command: tuple[str, ...], home: Path, variables: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "HOME": str(home), **variables},
        cwd=ROOT,
        start_new_session=True,
    )


async def _read_until(running: Started, until: str) -> None:
    assert running.process.stdout is not None
    while not running.lines or not running.lines[-1].startswith(until):
        line = await running.process.stdout.readline()
        assert line, await _end(running.process)
        running.lines.append(line.decode().rstrip("\n"))


async def _end(process: asyncio.subprocess.Process) -> Finished:
    try:
        async with asyncio.timeout(_PATIENCE):
            out, err = await process.communicate()
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return Finished(process.returncode, out.decode(), err.decode())
