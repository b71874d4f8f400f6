"""The gateway as it is shipped, and the two Python builds that it is held against."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.bench import world
from tests.bench.contender import Contender, Cursors, Place
from tests.bench.measure import Asker
from tests.bench.process import Command, Failed
from tests.bench.workloads import CURSORS, LOG, MEMORIES, person_draft

ROOT = Path(__file__).parents[2]
CLI = (sys.executable, "-m", "app.cli")


def environ(place: Place) -> dict[str, str]:
    """A deployment's: vendors, keys, a database on disk; all that is on by default stays on."""
    vendors = {f"TEST_{vendor}_BASE_URL": place.stub.url for vendor in ("ARCHITECT", "ARTU", "BIRD", "REEVO")}
    keys = {"TEST_ARCHITECT_API_KEY", "TEST_ARTU_API_KEY", "TEST_BIRD_ACCESS_KEY", "TEST_REEVO_API_KEY"}
    return {
        "SWITCHBOARD_RATE_LIMIT": "999999999/1",  # on, and out of the way
        "SWITCHBOARD_DATABASE_URL": f"sqlite:///{place.home / 'switchboard.db'}",
        "TEST_BIRD_WORKSPACE_ID": world.WORKSPACE,
        **vendors,
        **dict.fromkeys(keys, "a-key-of-the-benchmark"),
    }


def _switchboard(workers: int) -> Contender:
    def command(place: Place) -> Command:
        words = [*CLI, "serve", "--port", str(place.port), "--workers", str(workers)]
        return Command(words, place.cores, ROOT, environ(place))

    return Contender("switchboard" if workers == 1 else f"switchboard, {workers} workers", command, _headers, _prepare)


def _headers(place: Place) -> Mapping[str, str]:
    """A gateway key that may do everything."""
    options = ("--name", "Benchmark", "--environment", "test", "--scope", "*")
    made = subprocess.run(  # noqa: S603  # this gateway's own command
        [*CLI, "keys", "create", *options],
        cwd=ROOT,
        env={**os.environ, **environ(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise Failed(made.stderr[-500:])
    return {"authorization": f"Bearer {made.stdout.splitlines()[-1]}"}


def _prepare(asker: Asker) -> Cursors:
    """Lets people pass through, who are its memory, and reads on from page to page."""
    for number in range(MEMORIES):
        asker.ask(LOG, person_draft(number))
    found: list[str | None] = [None]
    for _ in range(world.PAGES - 1):
        data, _size = asker.ask(CURSORS, {"after": found[-1]})
        found.append(data["contacts"]["pageInfo"]["endCursor"])
    return found


def _python(name: str, module: str) -> Contender:
    def command(place: Place) -> Command:
        words = [sys.executable, "-m", "uvicorn", module, "--port", str(place.port), "--log-level", "warning"]
        vendors = {"VENDORS": place.stub.url, "WORKSPACE": world.WORKSPACE}
        return Command([*words, "--no-access-log"], place.cores, ROOT, vendors)

    return Contender(name, command)


SWITCHBOARD = _switchboard(1)
TWO_WORKERS = _switchboard(2)
NAIVE = _python("strawberry, as documented", "tests.bench.naive:app")
FLOOR = _python("bare ASGI", "tests.bench.floor:app")
