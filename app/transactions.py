"""Runs units of work over the database, each a synchronous function in one transaction and in one step.

On SQLite a step is one hop to a thread with a connection of its own: an async driver would make a hop of every statement. On
PostgreSQL the same function runs over asyncpg (https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html, "run_sync").
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from sqlalchemy import Connection, Engine

from app.database import LOCK_SECONDS, AnyEngine, in_threads

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Work = Callable[[Connection], T]

_READERS = 2


class Transactions:
    """Transactions that read, or with `writes` such that may write. `executor` runs SQLite's; threads of their own by default.

    Of SQLite's engine only the file is taken: the threads have connections of their own, which wait for those of other processes
    for `lock_seconds`.
    """

    def __init__(
        self,
        engine: AnyEngine,
        *,
        writes: bool = False,
        executor: Executor | None = None,
        lock_seconds: float = LOCK_SECONDS,
    ) -> None:
        self._engine = engine
        self._threads: Engine | None = None
        self._writes = writes
        if engine.dialect.name == "sqlite":
            self._threads = in_threads(engine.url, lock_seconds)
            most = 1 if writes else _READERS
            self._executor = executor or ThreadPoolExecutor(most, thread_name_prefix="ledger" if writes else "reads")

    @property
    def engine(self) -> Engine:
        """What the transactions run on."""
        return self._threads if self._threads is not None else cast("AsyncEngine", self._engine).sync_engine

    async def run(self, work: Work[T], *, writes: bool = False) -> T:
        """The result of `work`, once it is committed. When its caller goes away, SQLite's step is finished, and PostgreSQL's undone.

        Among transactions that read, one that `writes` takes SQLite's one write lock at its start, as those do that may write.
        """
        if self._threads is None:
            return await self._over_asyncpg(work)
        begin = "BEGIN IMMEDIATE" if writes or self._writes else "BEGIN"
        step = partial(_perform, self._threads, begin, work)
        return await asyncio.get_running_loop().run_in_executor(self._executor, step)

    def close(self) -> None:
        """Ends the threads and their connections; PostgreSQL's belong to the engine that was given."""
        if self._threads is not None:
            self._executor.shutdown()
            self._threads.dispose()

    async def _over_asyncpg(self, work: Work[T]) -> T:
        async with cast("AsyncEngine", self._engine).begin() as connection:
            return await connection.run_sync(work)


def _perform(engine: Engine, begin: str, work: Work[T]) -> T:
    with engine.begin() as connection:
        connection.exec_driver_sql(begin)
        return work(connection)
