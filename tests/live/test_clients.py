"""The clients of front ends: Apollo Client, urql, graphql-ws and graphql-sse, each as its own manual has it."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from platformdirs import user_cache_path

from app.security.keys import SANDBOX_KEY
from tests.live.served import PATIENCE, Served

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("clients")]

HERE = Path(__file__).parent / "clients"
VIEWER = {"viewer": {"name": "Sandbox"}}
CREATE = """mutation ($key: String!) { createContact(input: {displayName: "sandbox-500", idempotencyKey: $key}) {
  receipt { id } } }"""
SETTLE = (
    'mutation ($id: ID!) { settleReceipt(input: {receiptId: $id, applied: false, note: "no"}) { errors { code } } }'
)


@pytest.fixture(scope="module")
def script() -> Path:
    """The script, beside the clients that it uses; they are installed once, outside of the tree."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no Node.js here: install it, with npm (Debian: apt-get install nodejs npm)")
    lock = (HERE / "package-lock.json").read_bytes()
    folder = user_cache_path("switchboard") / f"clients-{hashlib.sha256(lock).hexdigest()[:16]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _install(folder)
    return Path(shutil.copy(HERE / "follow.mjs", folder / "follow.mjs"))


@pytest.mark.parametrize("client", ["graphql-ws", "graphql-sse", "apollo", "urql", "urql-fetch"])
async def test_a_client_asks_and_follows(shared: Served, script: Path, client: str) -> None:
    """A query is answered, where the client asks any; then a receipt is followed from doubt to its final state. urql follows
    by a WebSocket or by fetch: then it takes event streams, and its query is answered with JSON all the same.
    """
    made = await shared.ask(CREATE, {"key": client})
    async with _following(script, client, shared.url + "/graphql") as lines:
        if client != "graphql-sse":
            assert await anext(lines) == VIEWER
        assert await anext(lines) == {"receiptChanged": {"state": "UNKNOWN"}}
        await shared.ask(SETTLE, {"id": made.data["createContact"]["receipt"]["id"]})
        assert [line async for line in lines] == [{"receiptChanged": {"state": "FAILED"}}, "complete"]


def _install(folder: Path) -> None:
    if (folder / "installed").exists():
        return
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder / name)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # our own words
    if done.returncode != 0:
        pytest.skip(f"npm could not install the clients: {done.stderr.strip()[-300:]}")
    (folder / "installed").touch()


@asynccontextmanager
async def _following(script: Path, client: str, url: str) -> AsyncIterator[AsyncIterator[Any]]:
    """What the client hands on, parsed."""
    process = await asyncio.create_subprocess_exec(
        "node", script, client, url, SANDBOX_KEY, client, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(PATIENCE):
            yield _lines(process)
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[Any]:
    assert process.stdout is not None
    async for line in process.stdout:
        yield json.loads(line)
