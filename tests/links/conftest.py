"""A memory on each database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.links.records import Records
from tests.remembering import remembering


@pytest.fixture
async def records(engine: AsyncEngine) -> AsyncIterator[Records]:  # pytest finds a fixture by its name
    """The memory of one environment over an empty database, with its writer at work."""
    async with remembering(engine) as records:
        yield records
