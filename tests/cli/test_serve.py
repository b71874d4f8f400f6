"""`switchboard serve` with its sandboxes: what a newcomer sees, and how it ends."""

from __future__ import annotations

import asyncio
import json
import shlex
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.cli.command import LAST_LINE, ROOT, SWITCHBOARD, Finished, free_port, run, started

QUERY = "{ contacts(first: 3) { nodes { displayName emailAddresses } } }"
FIRST_THREE = {
    "data": {
        "contacts": {
            "nodes": [
                {"displayName": "Ada Andersen", "emailAddresses": ["ada.andersen@aurora-freight.example"]},
                {"displayName": "Björn Andersen", "emailAddresses": ["bjorn.andersen@bluebell-clinics.example"]},
                {"displayName": "Chloé Andersen", "emailAddresses": ["chloe.andersen@cobalt-robotics.example"]},
            ]
        }
    }
}
DEMO = (SWITCHBOARD, "serve", "--sandbox", "--demo")
HANGS = """
import asyncio, sys
from contextlib import asynccontextmanager
from starlette.applications import Starlette
from app import main, serving
from app.sockets import bound_socket

@asynccontextmanager
async def running(_):
    try:
        print("starting", flush=True)
        yield await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.1)
        print("closed", flush=True)

main.create_app = lambda: Starlette(lifespan=running)
if __name__ == "__main__":
    serving.serve(bound_socket("127.0.0.1", 0), int(sys.argv[1]), lambda: None)
"""
STATUSES = "{ vendors { vendor environment available sandboxed } viewer { name environment scopes } }"


async def test_the_announced_curl_line_works_as_it_stands(tmp_path: Path) -> None:
    """URL, key and one line to paste are all that is printed; a shell runs the line; Ctrl-C ends with 0 and no word."""
    port = free_port()
    async with started(*DEMO, "--port", str(port), home=tmp_path, until=LAST_LINE) as gateway:
        graphql, key, try_it = gateway.lines
        assert graphql == f"GraphQL   http://127.0.0.1:{port}/graphql (GraphiQL in a browser)"
        assert key == "Key       sk_test_sandbox"
        answer = await run("/bin/sh", "-c", try_it.removeprefix(LAST_LINE).strip(), home=tmp_path)
        assert (answer.code, json.loads(answer.out), answer.err) == (0, FIRST_THREE, "")
        assert await gateway.interrupt() == Finished(0, "", "")


async def test_two_workers_share_the_sandboxes_and_stop_together(tmp_path: Path) -> None:
    """With workers, what is announced is served at once, each worker finds the sandboxes, and Ctrl-C ends them all
    with nothing left open.

    Whichever of them is asked for metrics answers for both.
    """
    serve, warn = (*DEMO, "--port", "0", "--workers", "2"), "error::ResourceWarning"
    async with started(*serve, home=tmp_path, until=LAST_LINE, PYTHONWARNINGS=warn) as gateway:
        for _ in range(8):  # each on a connection of its own
            answer = await gateway.ask(QUERY)
            assert answer.json() == FIRST_THREE
        counted = 'graphql_operations_total{operation="anonymous",outcome="success",type="query"} 8.0'
        async with gateway.http() as http, asyncio.timeout(120):
            while counted not in (await http.get("/metrics")).text:  # noqa: ASYNC110  # another process counts
                await asyncio.sleep(0.1)
        assert await gateway.interrupt() == Finished(0, "", "")


async def test_the_server_itself_refuses_what_is_no_request(tmp_path: Path) -> None:
    """Headers without measure, which no app would ever see; the deadlines for what never comes hang on the same protocol."""
    async with started(SWITCHBOARD, "serve", "--sandbox", "--port", "0", home=tmp_path, until=LAST_LINE) as gateway:
        port = int(gateway.url.rpartition(":")[2])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /graphql HTTP/1.1\r\n" + b"x: y\r\n" * 20_000)
        answered = await reader.read()
        writer.close()
        assert answered.startswith(b"HTTP/1.1 431 ")
        assert b'"HEADERS_TOO_LARGE"' in answered


async def test_without_demo_the_sandboxes_are_empty_and_sigterm_ends_with_0(tmp_path: Path) -> None:
    """`serve --sandbox` starts with nothing in it, all vendors sandboxed; SIGTERM is an orderly end."""
    async with started(SWITCHBOARD, "serve", "--sandbox", "--port", "0", home=tmp_path, until=LAST_LINE) as gateway:
        contacts = await gateway.ask(QUERY)
        assert contacts.json() == {"data": {"contacts": {"nodes": []}}}
        statuses = await gateway.ask(STATUSES)
        vendor = {"environment": "TEST", "available": True, "sandboxed": True}
        assert statuses.json()["data"] == {
            "vendors": [{"vendor": name, **vendor} for name in ("ARCHITECT", "BIRD", "ARTU", "REEVO")],
            "viewer": {"name": "Sandbox", "environment": "TEST", "scopes": ["*"]},
        }
        assert await gateway.interrupt(signal.SIGTERM) == Finished(0, "", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_start_that_hangs_ends_with_0_too(tmp_path: Path, workers: str, number: signal.Signals) -> None:
    """As one that waits for another process to change the tables: nothing is served yet, and what was opened is closed."""
    script = tmp_path / "hangs.py"
    script.write_text(HANGS)
    command = (sys.executable, str(script), workers)
    async with started(*command, home=tmp_path, until="starting", PYTHONPATH=str(ROOT)) as gateway:
        ended = await gateway.interrupt(number)
    assert (ended.code, ended.err, "closed\n" in ended.out) == (0, "", True)


async def test_what_a_sandbox_held_is_forgotten_at_the_next_start(tmp_path: Path) -> None:
    """The gateway does not remember records of a sandbox that starts anew."""
    logged = """mutation { createPersonLog(input: {source: "web", type: "sign-up", payload: {}, emailAddress: "a@b.example"})
        { personLog { id person { id } } } }"""
    serve = (SWITCHBOARD, "serve", "--sandbox", "--port", "0")
    async with started(*serve, home=tmp_path, until=LAST_LINE) as gateway:
        made = (await gateway.ask(logged)).json()["data"]
        person = made["createPersonLog"]["personLog"]["person"]["id"]
        read = await gateway.ask("query ($id: ID!) { person(id: $id) { id } }", {"id": person})
        assert read.json() == {"data": {"person": {"id": person}}}
        await gateway.interrupt()
    async with started(*serve, home=tmp_path, until=LAST_LINE) as gateway:
        read = await gateway.ask("query ($id: ID!) { person(id: $id) { id } }", {"id": person})
        assert read.json() == {"data": {"person": None}}


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_taken_port_is_one_line_that_says_what_to_do(tmp_path: Path, workers: str) -> None:
    """The port is named, and the way to choose another; nothing is announced."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = await run(*DEMO, "--port", port, "--workers", workers, home=tmp_path)
    line = (
        f"Error: Port {port} on 127.0.0.1: Address already in use. Choose another with --port N (make run: PORT=N).\n"
    )
    assert ended == Finished(1, "", line)


async def test_make_run_honours_host_and_port(tmp_path: Path) -> None:
    """`make run` serves where HOST and PORT say, with the demo world; Ctrl-C ends it as a shell reads 0 or 130."""
    port = free_port()
    make = shlex.split(
        "make --old-file=.venv/.installed --old-file=app/pages/assets/built.json run"
    )  # what is installed is being tested, not installing
    async with started(*make, home=tmp_path, until=LAST_LINE, HOST="localhost", PORT=str(port)) as gateway:
        assert gateway.url == f"http://127.0.0.1:{port}"
        answer = await gateway.ask(QUERY)
        assert answer.json() == FIRST_THREE
        ended = await gateway.interrupt()
        assert (ended.code in (0, 130, -signal.SIGINT), "Traceback" in ended.err) == (True, False)
