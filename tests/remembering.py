"""A memory at work over a database, and what tests do with it that the gateway never has to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncEngine

from app.links import store
from app.links.record import Key, Record
from app.links.records import Records, memory_over
from app.migrate import migrate
from schema.vendor import Environment


@asynccontextmanager
async def remembering(engine: AsyncEngine, environment: Environment = Environment.TEST) -> AsyncIterator[Records]:
    """The memory of one environment over a database with all tables."""
    await migrate(engine)
    async with memory_over(engine) as memory:
        yield Records(memory, environment)


async def keep(records: Records, *seen: Record) -> None:
    """Remembers; returns when it is stored."""
    records.note(*seen)
    await records.memory.settled()


async def drop(records: Records, *gone: Key) -> None:
    """Forgets records, as the ledger does with what a write has deleted."""
    await records.memory.write(lambda c: store.forget(c, {(records.environment, key) for key in gone}))


async def tamper(records: Records, statement: Executable) -> None:
    """Runs a statement over what is remembered."""
    await records.memory.write(lambda c: c.execute(statement) and None)
