"""A memory on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import migrate
from app.links.records import Memory, Records
from schema.vendor import Environment
from tests.databases import cluster, database, engine

__all__ = ["cluster", "database", "engine", "records"]


@pytest.fixture
async def records(engine: AsyncEngine) -> AsyncIterator[Records]:  # pytest finds a fixture by its name
    """The memory of one environment over an empty database, with its writer at work."""
    await migrate(engine)
    memory = Memory(engine)
    async with memory.running():
        yield Records(memory, Environment.TEST)
