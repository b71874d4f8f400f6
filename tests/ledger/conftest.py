"""Databases with the ledger's tables."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy.ext.asyncio import AsyncEngine

from app.migrate import migrate

settings.register_profile("steady", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")  # no test may fail because the machine is busy


@pytest.fixture
async def ledger(engine: AsyncEngine) -> AsyncEngine:
    """The engine of a database with empty tables, of each kind."""
    await migrate(engine)
    return engine
