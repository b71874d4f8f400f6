"""Fixtures: gateways on real sockets, over empty and over filled sandboxes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.gateway import UpstreamCall, recorded_sandboxes
from tests.live.served import Served, served


@pytest.fixture
def upstream() -> list[UpstreamCall]:
    """Every call that reaches a sandbox."""
    return []


@pytest.fixture
def environ(upstream: list[UpstreamCall]) -> Iterator[dict[str, str]]:
    """The variables that lead to sandboxes with the demo world, and what keeps tests quick."""
    with recorded_sandboxes(upstream, demo=True) as environ:
        yield environ | {"SWITCHBOARD_LIVE_POLL_SECONDS": "0.1"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """One gateway for all tests of a file that leave nothing behind; they run in its event loop."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with served(environ, tmp_path_factory.mktemp("shared") / "switchboard.db", upstream) as gateway:
            yield gateway


@pytest.fixture
async def gateway(environ: dict[str, str], tmp_path: Path, upstream: list[UpstreamCall]) -> AsyncIterator[Served]:
    """A gateway over the sandboxes."""
    async with served(environ, tmp_path / "switchboard.db", upstream) as gateway:
        yield gateway
