"""Transactions: on SQLite in threads that keep their connections, on PostgreSQL never longer than they may take."""

from __future__ import annotations

import asyncio
import gc
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import URL, Connection, make_url, text

from app.database import close_engine, open_engine
from app.transactions import Transactions
from app.writer import Writer
from tests.silence import before

SOON = 20.0
"""In seconds: what a machine with much else to do may take."""


def _fails(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
    raise KeyError("nothing")


def _one(connection: Connection) -> int:
    found: int = connection.execute(text("SELECT 1")).scalar_one()
    return found


async def test_one_that_fails_leaves_nothing_to_the_collector(tmp_path: Path) -> None:
    """Where the database fails, every request does: what each leaves would add up."""
    with closing(Transactions(open_engine(make_url(f"sqlite:///{tmp_path / 'a.db'}")))) as transactions:
        with pytest.raises(KeyError):  # what is kept is made by now
            await transactions.run(_fails)
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            for _ in range(10):
                with suppress(KeyError):
                    await transactions.run(_fails)
            gc.collect()
            assert [each for each in gc.garbage if isinstance(each, KeyError)] == []
        finally:
            gc.set_debug(0)
            gc.garbage.clear()


async def test_what_comes_after_one_that_failed_or_closed_its_connection_is_run(tmp_path: Path) -> None:
    """On a connection of its own."""
    with closing(Transactions(open_engine(make_url(f"sqlite:///{tmp_path / 'a.db'}")), writes=True)) as transactions:
        with pytest.raises(KeyError):
            await transactions.run(_fails)
        assert await transactions.run(_one) == 1
        await transactions.run(Connection.close)
        assert await transactions.run(_one) == 1


async def test_a_server_that_is_lost_without_a_word_is_not_waited_for(cluster: URL) -> None:
    """What is asked of it ends in a TimeoutError, its connection is given up, and the next one is answered on a new one."""
    async with before(cluster) as silence:
        engine = open_engine(silence.url)
        transactions = Transactions(engine, seconds=0.5)
        assert await transactions.run(_one) == 1
        silence.fall()
        async with asyncio.timeout(SOON):
            with pytest.raises(TimeoutError):
                await transactions.run(_one)
        transactions = Transactions(engine)
        assert await transactions.run(_one) == 1
        silence.fall()
        async with asyncio.timeout(SOON):
            await close_engine(engine)


async def test_a_server_is_lost_at_any_moment_of_a_transaction(cluster: URL) -> None:
    """From the ping before it to the commit: what is not answered then ends in a TimeoutError all the same."""

    async def is_lost(after_parts: int) -> bool:
        async with before(cluster) as silence:
            engine = open_engine(silence.url)
            transactions = Transactions(engine, seconds=0.5)
            for _ in range(2):  # what is prepared once is by now
                await Transactions(engine).run(_one)
            silence.left = after_parts
            async with asyncio.timeout(SOON):
                [outcome] = await asyncio.gather(transactions.run(_one), return_exceptions=True)
                await close_engine(engine)
            assert outcome == 1 or isinstance(outcome, TimeoutError)
            return outcome != 1

    lost = [each for first in range(0, 16, 4) for each in await asyncio.gather(*map(is_lost, range(first, first + 4)))]
    assert sorted(lost, reverse=True) == lost
    assert (lost[0], lost[-1]) == (True, False)


async def test_the_writer_outlives_a_server_that_is_lost(cluster: URL) -> None:
    """Whoever handed something in is told that it was not stored; what comes next is, and the writer can be ended."""
    async with before(cluster) as silence:
        engine = open_engine(silence.url)
        writer = Writer(engine)
        async with asyncio.timeout(2 * SOON), writer.running():
            assert await writer.run(_one) == 1
            silence.fall()
            with pytest.raises(TimeoutError):
                await writer.run(_one)
            assert await writer.run(_one) == 1
            silence.fall()
        async with asyncio.timeout(SOON):
            await close_engine(engine)


async def test_a_connection_is_given_up_with_what_it_was_asked(cluster: URL) -> None:
    """Of a transaction that takes too long nothing stays, neither what it did nor its locks."""
    engine = open_engine(cluster)
    slow, others = Transactions(engine, seconds=0.5), Transactions(engine)
    with pytest.raises(TimeoutError):
        await slow.run(lambda c: c.execute(text("SELECT pg_advisory_xact_lock(7), pg_sleep(60)")) and None)
    assert await others.run(lambda c: c.execute(text("SELECT pg_try_advisory_xact_lock(7)")).scalar_one()) is True
    await close_engine(engine)
