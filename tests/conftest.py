"""Fixtures: gateways over empty and over filled sandboxes."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.databases import cluster, database, engine
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

__all__ = ["cluster", "database", "demo", "empty", "engine"]

pytest_plugins = ["tests.canaries.plugin", "pytester"]


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway over four empty sandboxes."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
            yield served


@pytest.fixture
async def demo(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway over four sandboxes with the demo world."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=True) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
            yield served


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Prints the tallies that tests recorded as their property `tally`, wherever they ran."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", []):
                if name == "tally":
                    terminalreporter.write_line(str(value))


def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are processors: many tests wait, for timeouts, restarts and other processes."""
    return (os.cpu_count() or 1) + 2
