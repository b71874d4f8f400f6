"""One gateway per file: the tests of input rules change nothing that another one sees."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings

from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

settings.register_profile("steady", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")  # no test may fail because the machine is busy


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A gateway over four empty sandboxes, shared by the tests of a file."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        database = tmp_path_factory.mktemp("gateway") / "switchboard.db"
        async with gateway(environ, database, upstream) as shared:
            yield shared
