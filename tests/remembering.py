"""A memory at work over a database, and what tests do with it that the gateway never has to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Executable
from sqlalchemy.ext.asyncio import AsyncEngine

from app.links import store
from app.links.record import Key, Record
from app.links.records import Memory, Records
from app.migrate import migrate
from app.transactions import Transactions
from app.writer import Writer
from schema.vendor import Environment


@asynccontextmanager
async def remembering(engine: AsyncEngine, environment: Environment = Environment.TEST) -> AsyncIterator[Records]:
    """The memory of one environment over a database with all tables."""
    async with remembering_beside(engine, environment) as (records, _):
        yield records


@asynccontextmanager
async def remembering_beside(
    engine: AsyncEngine, environment: Environment = Environment.TEST
) -> AsyncIterator[tuple[Records, Writer]]:
    """The same with its writer, by which others commit beside it, as the ledger does."""
    await migrate(engine)
    reads, writer = Transactions(engine), Writer(engine)
    memory = Memory(reads, writer)
    try:
        async with writer.running(), memory.running():
            yield Records(memory, environment), writer
    finally:
        reads.close()


async def caught_up(records: Records) -> None:
    """Returns when what had been committed when this was called has been learned."""
    lease = records.at_hand.lease
    until = lease.until
    for _ in range(2):  # the first look may have begun before
        while lease.until == until:  # noqa: ASYNC110  # nobody is told when it is renewed
            await asyncio.sleep(0.01)
        until = lease.until


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
