"""`switchboard demo reset`: the demo world as it was."""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.cli.command import LAST_LINE, Finished, Started, free_port, run, started

SWITCHBOARD = (sys.executable, "-m", "app.cli")
SERVE = (*SWITCHBOARD, "serve", "--port", "0")
WRITE = """mutation ($i: CreatePersonLogInput!, $c: CreateContactInput!) {
  createPersonLog(input: $i) { person { id } }
  createContact(input: $c) { contact { id } }
}"""
GIVEN = {
    "i": {"source": "web", "payload": {}, "emailAddress": "zoe@new.example"},
    "c": {"displayName": "Zoë", "emailAddresses": ["zoe@new.example"]},
}
READ = """{
  people { nodes { emailAddresses } }
  contact(by: {emailAddress: "zoe@new.example"}) { id }
  contacts(first: 1) { nodes { displayName } }
  receipts { nodes { state } }
}"""


async def test_it_brings_the_demo_world_back(tmp_path: Path) -> None:
    """What was written is gone from the sandboxes and from memory, for every worker; receipts stay."""
    async with started(*SERVE, "--sandbox", "--demo", "--workers", "2", home=tmp_path, until=LAST_LINE) as gateway:
        assert "errors" not in (await gateway.ask(WRITE, GIVEN)).json()
        reset = await run(*SWITCHBOARD, "demo", "reset", "--port", _port(gateway), home=tmp_path)
        assert reset == Finished(0, "The sandboxes are as they started.\n", "")
        for _ in range(4):  # on connections of their own: any worker may answer
            assert (await gateway.ask(READ)).json()["data"] == {
                "people": {"nodes": []},
                "contact": None,
                "contacts": {"nodes": [{"displayName": "Ada Andersen"}]},
                "receipts": {"nodes": [{"state": "SUCCEEDED"}, {"state": "SUCCEEDED"}]},
            }


async def test_where_no_sandboxes_run_nothing_is_reset(tmp_path: Path) -> None:
    """A gateway over vendors does not have it, and says nothing of it."""
    async with started(*SERVE, home=tmp_path, until="GraphQL") as gateway:
        ended = await run(*SWITCHBOARD, "demo", "reset", "--port", _port(gateway), home=tmp_path)
        address = urlsplit(gateway.url).netloc
        line = f"Error: What answers at {address} runs no sandboxes that can be brought back.\n"
        assert ended == Finished(1, "", line)


async def test_where_nothing_answers_it_says_how_to_start_it(tmp_path: Path) -> None:
    """In one line."""
    port = str(free_port())
    ended = await run(*SWITCHBOARD, "demo", "reset", "--port", port, home=tmp_path)
    line = f"Error: Nothing answers at 127.0.0.1:{port}. Start it: switchboard serve --sandbox --demo\n"
    assert ended == Finished(1, "", line)


async def test_it_takes_a_key_with_every_scope(tmp_path: Path) -> None:
    """And no web page of another origin can ask for it: a key stands in a header."""
    async with started(*SERVE, "--sandbox", home=tmp_path, until=LAST_LINE) as gateway, gateway.http() as http:
        assert (await http.post("/demo/reset")).status_code == 401
        create = ("keys", "create", "--name", "x", "--environment", "test", "--scope", "read")
        key = (await run(*SWITCHBOARD, *create, home=tmp_path)).out.split()[-1]
        refused: httpx.Response = await http.post("/demo/reset", headers={"authorization": f"Bearer {key}"})
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("host", ["127.0.0.1:18200", "[::1]", "a..b"])
async def test_what_is_no_host_is_one_line(tmp_path: Path, host: str) -> None:
    """It says how to give one."""
    ended = await run(*SWITCHBOARD, "demo", "reset", "--host", host, home=tmp_path)
    line = f"Error: Host {host!r}: it is no name and no address. Give it without brackets, and the port with --port.\n"
    assert ended == Finished(1, "", line)


def _port(gateway: Started) -> str:
    return gateway.url.rpartition(":")[2]
