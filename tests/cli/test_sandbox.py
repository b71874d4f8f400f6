"""`switchboard sandbox`: the four vendors on fixed ports, for other people's tests."""

from __future__ import annotations

import shlex
import signal
from pathlib import Path

import httpx
import pytest

from app.registry import VENDORS
from app.settings import read_settings
from schema.vendor import Environment
from tests.cli.command import SWITCHBOARD, Finished, free_port, run, started

UUID = "00000000-0000-4000-8000-000000000000"
PATHS = ("/v0/person_logs", f"/workspaces/{UUID}/contacts", f"/clients/{UUID}/contact-methods/sync", "/api/v2/activity")
LAST_EXPORT = "export TEST_REEVO_API_KEY="


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
async def test_the_sandboxes_serve_alone_until_a_signal(tmp_path: Path, ending: signal.Signals) -> None:
    """Four vendors on the given ports; the export lines are all the settings a gateway needs; either signal ends with 0."""
    ports = [free_port() for _ in range(4)]
    command = (SWITCHBOARD, "sandbox", "--ports", ",".join(map(str, ports)))
    async with started(*command, home=tmp_path, until=LAST_EXPORT) as sandbox:
        settings = read_settings(_exported(sandbox.lines), VENDORS)
        where = [settings.vendors[spec.vendor, Environment.TEST] for spec in VENDORS]
        assert [each.base_url for each in where] == [f"http://127.0.0.1:{port}" for port in ports]
        assert [sorted(each.values) for each in where] == [sorted(spec.variables) for spec in VENDORS]
        async with httpx.AsyncClient() as http:
            answers = [await http.post(each.base_url + path, json={}) for each, path in zip(where, PATHS, strict=True)]
        refused = [answer.status_code for answer in answers]
        assert refused == [401, 401, 401, 401]
        assert await sandbox.interrupt(ending) == Finished(0, "", "")


@pytest.mark.parametrize("ports", ["9101,9102,9103", "1,2,3,4,5", "1,2,3,65536", "-1,1,2,x"])
async def test_anything_but_four_ports_is_refused(tmp_path: Path, ports: str) -> None:
    """The message shows the form."""
    refused = await run(SWITCHBOARD, "sandbox", f"--ports={ports}", home=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert (
        refused.err.splitlines()[-1] == "Error: Invalid value for --ports: give four ports, as in 9101,9102,9103,9104"
    )


async def test_the_same_port_twice_is_refused_like_a_taken_one(tmp_path: Path) -> None:
    """Two sandboxes can't share a port; the message names it."""
    port = free_port()
    ended = await run(SWITCHBOARD, "sandbox", "--ports", f"{port},{port},0,0", home=tmp_path)
    line = f"Error: Port {port} on 127.0.0.1: Address already in use. Choose another with --ports A,B,C,D.\n"
    assert ended == Finished(1, "", line)


def _exported(lines: list[str]) -> dict[str, str]:
    words = [shlex.split(line) for line in lines]
    assert {tuple(each[:-1]) for each in words} == {("export",)}
    return dict(each[-1].split("=", 1) for each in words)
