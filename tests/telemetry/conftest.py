"""One gateway for the tests of a file that leave nothing behind which another one sees."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A gateway over four sandboxes with the demo world."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=True) as environ:
        database = tmp_path_factory.mktemp("gateway") / "switchboard.db"
        async with gateway(environ, database, upstream) as shared:
            yield shared
