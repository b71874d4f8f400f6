"""Several workers: any of them answers for all, also for one that is gone."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.cli.command import Started, started
from tests.telemetry.scrape import Samples, samples, series, value

SERVE = (sys.executable, "-m", "app.cli", "serve", "--sandbox", "--port", "0", "--workers", "2")
LABELS = {"type": "query", "operation": "other", "outcome": "success"}
NAMED = "query of_the_test { __typename }"


async def test_any_worker_answers_for_all(tmp_path: Path) -> None:
    """Counts are added up and outlive a worker that is killed; its gauges go with it; processes stand apart by pid."""
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


def _workers(found: Samples) -> set[int]:
    return {int(labels[0]) for labels in series(found, "process_resident_memory_bytes")}


async def _scraped(running: Started, until: Callable[[Samples], bool]) -> Samples:
    """The metrics, once they are as wanted: an answer may be a second old, and a worker takes a moment to start."""
    async with asyncio.timeout(30):
        while True:
            found = samples((await _get(running)).text)
            if until(found):
                return found
            await asyncio.sleep(0.1)


async def _get(running: Started) -> httpx.Response:
    async with running.http() as http:
        return await http.get("/metrics")
