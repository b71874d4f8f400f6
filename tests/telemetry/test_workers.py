"""Several workers: any of them answers for all, also for one that is gone."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.command import Started, started
from tests.telemetry.scrape import Samples, samples, series, value

SERVE = (sys.executable, "-m", "app.cli", "serve", "--sandbox", "--port", "0", "--workers", "2")
LABELS = {"type": "query", "operation": "other", "outcome": "success"}
NAMED = "query of_the_test { __typename }"


COUNT = """
from app.telemetry import Telemetry
telemetry = Telemetry()
telemetry.refused(401)
telemetry.vendor("BIRD", "TEST", "http://vendor").breaker("contacts.list", "open" if {ends} else "closed")
with telemetry.operation() as watched:
    watched.asks("query", None)
    watched.answers({{}}, None)
if {ends}:
    telemetry.metrics.registry.settle()
"""
SCRAPE = """
import asyncio, os
from pathlib import Path
from typing import Any
import httpx
from starlette.applications import Starlette
from starlette.routing import Route
from app.telemetry.exposition import Exposition
async def nothing():
    return {}
async def scrape():
    exposition = Exposition(telemetry.metrics.registry, nothing, folder=Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
    app = Starlette(routes=[Route("/metrics", exposition.get)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        print((await http.get("/metrics")).text)
asyncio.run(scrape())
"""

HELD = """
import multiprocessing, signal
from app.serving import _interrupts_held
with _interrupts_held():
    worker = multiprocessing.get_context("spawn").Process(target=int)
    worker.start()
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
worker.join()
"""


def test_one_worker_answers_also_for_one_that_is_gone(tmp_path: Path) -> None:
    """Counts are added up; of gauges and processes only the living are shown, each process by its pid."""
    _run(COUNT.format(ends=True), tmp_path)
    found = samples(_run(COUNT.format(ends=False) + SCRAPE, tmp_path))
    assert series(found, "http_requests_refused_total") == {("401",): 2}
    assert value(found, "graphql_operation_seconds_count", type="query", operation="anonymous") == 2
    assert list(series(found, "vendor_breaker_state").values()) == [0]
    assert len(_workers(found)) == 1


def _run(program: str, folder: Path) -> str:
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
    command = [sys.executable, "-c", program]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout  # noqa: S603  # our own


@pytest.mark.big
async def test_any_worker_answers_for_all(tmp_path: Path) -> None:
    """The same between real workers, one of which is killed; the one in its place is as patient with Ctrl-C as the first."""
    async with started(*SERVE, home=tmp_path, until="Try ") as running:
        await _scraped(running, lambda found: len(_workers(found)) == 2)
        answers = [await running.ask(NAMED) for _ in range(12)]
        assert {answer.status_code for answer in answers} == {200}
        found = await _scraped(running, lambda found: value(found, "graphql_operations_total", **LABELS) == 12)
        assert value(found, "graphql_operation_seconds_count", type="query", operation="other") == 12
        assert series(found, "ledger_writes") == {("PENDING",): 0, ("SENDING",): 0, ("UNKNOWN",): 0}
        [gone, stays] = sorted(_workers(found))
        os.kill(gone, signal.SIGKILL)
        found = await _scraped(running, lambda found: gone not in _workers(found))
        assert value(found, "graphql_operations_total", **LABELS) == 12
        assert stays in _workers(found)
        finished = await running.interrupt()
    assert (finished.code, finished.err) == (0, "")


async def test_a_worker_that_can_not_start_for_now_is_tried_again(tmp_path: Path) -> None:
    """Once one has started, a database that is down ends nothing: the other one serves, and the lost one comes back.

    The log says by what kind of exception it could not.
    """
    file, away = tmp_path / "switchboard.db", tmp_path / "away"
    variables = {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{file}", "SWITCHBOARD_SECRET": "s" * 32}
    async with started(*SERVE, home=tmp_path, until="Try ", **variables) as running:
        assert running.process.stderr is not None
        [gone, stays] = _workers(await _scraped(running, lambda found: len(_workers(found)) == 2))
        file.rename(away)
        file.mkdir()
        os.kill(gone, signal.SIGKILL)
        lines: list[dict[str, Any]] = []
        while [line["message"] for line in lines].count("Application startup failed. Exiting.") < 2:
            lines.append(json.loads(await running.process.stderr.readline()))
        failures = [line for line in lines if line["message"].startswith("the gateway could not start")]
        assert [line["error"] for line in failures] == ["OperationalError"] * 2
        assert not any("Traceback" in line["message"] for line in lines)
        assert (await running.ask(NAMED)).status_code == 200
        file.rmdir()
        away.rename(file)
        workers = _workers(await _scraped(running, lambda found: len(_workers(found) - {gone}) == 2))
        assert stays in workers
        assert (await running.interrupt()).code == 0


async def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    """Killed, it can tell them nothing: they leave by themselves, and with them goes the port."""
    async with started(*SERVE, home=tmp_path, until="Try ") as running:
        await _scraped(running, lambda found: len(_workers(found)) == 2)
        running.process.kill()
        try:
            async with asyncio.timeout(60):
                await running.process.wait()
                while await _answers(running):  # noqa: ASYNC110  # other processes end
                    await asyncio.sleep(0.1)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)


async def _answers(running: Started) -> bool:
    try:
        return (await _get(running)).is_success
    except httpx.TransportError:
        return False


def test_interrupts_stay_held_while_the_first_worker_starts(tmp_path: Path) -> None:
    """What Python starts beside the first one does not let them through to the next."""
    assert _run(HELD, tmp_path) == "True\n"


def _workers(found: Samples) -> set[int]:
    return {int(labels[0]) for labels in series(found, "process_resident_memory_bytes")}


async def _scraped(running: Started, until: Callable[[Samples], bool]) -> Samples:
    """The metrics, once they are as wanted: an answer may be a second old, and a worker takes a moment to start."""
    async with asyncio.timeout(120):
        while True:
            found = samples((await _get(running)).text)
            if until(found):
                return found
            await asyncio.sleep(0.1)


async def _get(running: Started) -> httpx.Response:
    async with running.http() as http:
        return await http.get("/metrics")
