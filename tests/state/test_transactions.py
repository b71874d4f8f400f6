"""Transactions on SQLite, in threads that keep their connections."""

from __future__ import annotations

import gc
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import Connection, make_url, text

from app.database import open_engine
from app.transactions import Transactions


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
