"""Runs units of work over the database, each a synchronous function in one transaction and in one step.

On SQLite a step is one hop to a thread with a connection of its own: an async driver would make a hop of every statement. On
PostgreSQL the same function runs over asyncpg (https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html, "run_sync").
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import get_ident
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sqlalchemy import Connection, Engine

from app.database import LOCK_SECONDS, AnyEngine, in_threads
from app.statements import execute

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

T = TypeVar("T")
Work = Callable[[Connection], T]

_READERS = 2
ANSWER_SECONDS = 5.0
"""How long a transaction over PostgreSQL may take, from the wait for a connection to the commit. A server that is lost without a
word would be waited for without end: neither asyncpg nor TCP gives up by itself.
"""
_PATIENCE = 1.0
"""In seconds, with one that is given up, until it is told again."""


class Transactions:
    """Transactions that read, or with `writes` such that may write. `executor` runs SQLite's; threads of their own by default.

    Of SQLite's engine only the file is taken: the threads have connections of their own, which wait for those of other processes
    for `lock_seconds`. One over PostgreSQL that takes longer than `seconds` ends in a TimeoutError, and its connection with it.
    """

    def __init__(
        self,
        engine: AnyEngine,
        *,
        writes: bool = False,
        executor: Executor | None = None,
        lock_seconds: float = LOCK_SECONDS,
        seconds: float | None = ANSWER_SECONDS,
    ) -> None:
        self._engine = engine
        self._seconds = seconds
        self._threads: Engine | None = None
        self._writes = writes
        if engine.dialect.name == "sqlite":
            self._threads = in_threads(engine.url, lock_seconds)
            most = 1 if writes else _READERS
            self._executor = executor or ThreadPoolExecutor(most, thread_name_prefix="ledger" if writes else "reads")
            self._connections: dict[int, Connection] = {}
            """Of each thread its own: to take one from the pool and to give it back costs more than a transaction does."""

    @property
    def engine(self) -> Engine:
        """What the transactions run on."""
        return self._threads if self._threads is not None else cast("AsyncEngine", self._engine).sync_engine

    def run(self, work: Work[T], *, writes: bool = False) -> Awaitable[T]:
        """The result of `work`, once it is committed. When its caller goes away, SQLite's step is finished, and PostgreSQL's undone.

        Among transactions that read, one that `writes` takes SQLite's one write lock at its start, as those do that may write.
        """
        if self._threads is None:
            return self._over_asyncpg(work)
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        begin = "BEGIN IMMEDIATE" if writes or self._writes else "BEGIN"
        self._executor.submit(self._in_thread, begin, work, loop, [done])
        return done

    def close(self) -> None:
        """Ends the threads and their connections; PostgreSQL's belong to the engine that was given."""
        if self._threads is not None:
            self._executor.shutdown()
            for connection in self._connections.values():
                connection.close()
            self._threads.dispose()

    async def _over_asyncpg(self, work: Work[T]) -> T:
        """A transaction is given up by as many cancellations as it takes: one alone may end in a wait for the server, which
        is to confirm it (asyncpg's `_wait_for_cancellation`), and SQLAlchemy's rollback of a ping waits without a limit.
        """
        task = asyncio.create_task(self._transact(work))
        try:
            async with asyncio.timeout(self._seconds):
                return await asyncio.shield(task)
        finally:
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=_PATIENCE)
            del task  # an error, which it then holds, holds on to this frame

    async def _transact(self, work: Work[T]) -> T:
        async with cast("AsyncEngine", self._engine).begin() as connection:
            return await connection.run_sync(work)

    def _in_thread(
        self, begin: str, work: Work[T], loop: asyncio.AbstractEventLoop, waiting: list[asyncio.Future[T]]
    ) -> None:
        """One step, unless its caller went away before; tells the event loop what came of it.

        The one that is `waiting` is taken away and let go: an error, which it then holds, holds on to what its frames know.
        """
        done = waiting.pop()
        if done.cancelled():
            return
        try:
            result = self._perform(begin, work)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is the caller's
            loop.call_soon_threadsafe(_fail, done, error)
        else:
            loop.call_soon_threadsafe(_succeed, done, result)
        finally:
            del done

    def _perform(self, begin: str, work: Work[T]) -> T:
        thread = get_ident()
        connection = self._connections.get(thread)
        if connection is None or connection.closed:
            connection = self._connections[thread] = self.engine.connect()
        try:
            with connection.begin():
                execute(connection, begin)
                return work(connection)
        except BaseException:
            self._connections.pop(thread).close()  # back to the pool, which undoes whatever is left of the transaction
            raise


def _succeed(done: asyncio.Future[T], result: T) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Any], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
