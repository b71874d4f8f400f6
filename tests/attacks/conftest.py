"""One gateway per file over empty sandboxes, for all attacks."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    """A gateway with the settings that the file names in ENVIRON, if it names any."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        database = tmp_path_factory.mktemp("gateway") / "switchboard.db"
        own = getattr(request.module, "ENVIRON", {})
        async with gateway({**environ, **own}, database, upstream) as shared:
            yield shared
