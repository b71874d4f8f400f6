"""The processes of a benchmark: a gateway, and the vendor that it writes to."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
WORKSPACE = "a1405560-c8d3-4b1a-877d-3f449ad95352"
GATEWAY = ("-m", "app.cli")


def environ_of(home: Path, port: str) -> dict[str, str]:
    return {
        "SWITCHBOARD_DATABASE_URL": f"sqlite:///{home / 'switchboard.db'}",
        "SWITCHBOARD_VENDOR_TIMEOUT": "60",
        "TEST_BIRD_BASE_URL": f"http://127.0.0.1:{port}",
        "TEST_BIRD_ACCESS_KEY": "a-key",
        "TEST_BIRD_WORKSPACE_ID": WORKSPACE,
    }


async def create_key(environ: Mapping[str, str]) -> str:
    options = ("--name", "Benchmark", "--environment", "test", "--scope", "*")
    process = await _spawn(*GATEWAY, "keys", "create", *options, environ=environ)
    out, _ = await process.communicate()
    return out.decode().splitlines()[-1]


@asynccontextmanager
async def started(*command: str, environ: Mapping[str, str]) -> AsyncIterator[tuple[int, str]]:
    """A process: its ID and its first line. It is ended in good order."""
    process = await _spawn(*command, environ=environ)
    try:
        assert process.stdout is not None
        yield process.pid, (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.communicate()


async def _spawn(*command: str, environ: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL if command[1] == "tests.bench.vendor" else None,
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "."), **environ},
        cwd=ROOT,
    )
