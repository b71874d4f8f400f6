"""Fixtures: keys beside the sandbox's own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from app.main import open_signer
from app.registry import VENDORS
from app.security.keys import Keys
from app.settings import read_settings
from app.transactions import Transactions
from schema.vendor import Environment
from tests.databases import open_engine
from tests.gateway import Gateway, UpstreamCall, recorded_sandboxes
from tests.live.served import Served, served

NewKey = Callable[..., Awaitable[str]]


@pytest.fixture
async def new_key(empty: Gateway, tmp_path: Path) -> AsyncIterator[NewKey]:
    """Makes a key with these scopes for the gateway `empty`."""
    settings = read_settings({"SWITCHBOARD_DATABASE_URL": f"sqlite:///{tmp_path / 'switchboard.db'}"}, VENDORS)
    engine = open_engine(settings.database_url)
    keys = Keys(Transactions(engine), open_signer(settings))
    assert empty.app

    async def create(*scopes: str) -> str:
        return await keys.create("Test", Environment.TEST, scopes)

    yield create
    await engine.dispose()


@pytest.fixture
async def listening(tmp_path: Path) -> AsyncIterator[Served]:
    """A gateway on a socket, over four empty sandboxes."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with served(environ, tmp_path / "switchboard.db", upstream) as gateway:
            yield gateway
