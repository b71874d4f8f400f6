"""Groups the statements of concurrent writes into one transaction: durability costs one flush per group, not one each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.database import AnyEngine
from app.transactions import Transactions, Work

T = TypeVar("T")

MOST_PER_GROUP = 64
"""With larger ones all callers wait for the same flush, and then want the event loop in the same moment."""

_NEWS = "news"


class WriterEnded(RuntimeError):
    """What is handed in is not stored."""

    def __init__(self) -> None:
        super().__init__("The writer has ended, and stores nothing any more.")


class _Failed(Exception):
    """A job's own error, and whose it is."""

    def __init__(self, job: _Job, error: Exception) -> None:
        super().__init__()
        self.job = job
        self.error = error


@dataclass(eq=False)
class _Job:
    work: Work[Any]
    done: asyncio.Future[Any]
    since: float

    def perform(self, connection: Connection) -> Any:
        try:
            return self.work(connection)
        except Exception as error:
            raise _Failed(self, error) from error

    def succeed(self, result: Any) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class Writer:
    """One writer per process. What is handed in while a group is being stored makes the next group."""

    def __init__(
        self,
        engine: AnyEngine,
        executor: Executor | None = None,
        *,
        committed: Callable[[Sequence[Any]], None] = lambda _: None,
    ) -> None:
        """`committed` is told after each transaction, with what was announced in it."""
        self._committed = committed
        self._transactions = Transactions(engine, writes=True, executor=executor)
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue()
        self._oldest: _Job | None = None
        """Of the group that is being stored."""
        self._has_ended = False

    @property
    def engine(self) -> Engine:
        """What the groups are stored on."""
        return self._transactions.engine

    def late(self) -> float:
        """For how many seconds the oldest of what is being stored has been waiting."""
        return asyncio.get_running_loop().time() - self._oldest.since if self._oldest is not None else 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the writer; at the end everything handed in is stored, and nothing more is taken."""
        task = asyncio.create_task(self._run(), name="writer")
        try:
            yield
        finally:
            self._has_ended = True
            self._jobs.put_nowait(None)
            try:
                await task
            finally:
                self._transactions.close()

    async def run(self, work: Work[T]) -> T:
        """The result of `work`, once it is committed; its error, if it was not. Raises WriterEnded after the end.

        It may be run twice, if a transaction has to be repeated. A caller who is cancelled does not take it back.
        """
        if self._has_ended:
            raise WriterEnded
        loop = asyncio.get_running_loop()
        job = _Job(work, loop.create_future(), loop.time())
        self._jobs.put_nowait(job)
        return cast(T, await job.done)

    async def _run(self) -> None:
        try:
            while jobs := await self._next_group():
                self._oldest = jobs[0]
                await self._store(jobs)
                self._oldest = None
        finally:
            self._has_ended = True
            while not self._jobs.empty():
                _give_up([self._jobs.get_nowait()])

    async def _next_group(self) -> list[_Job]:
        """What waits, at least one job; none at the end."""
        jobs: list[_Job] = []
        while job := await self._jobs.get():
            jobs.append(job)
            if len(jobs) == MOST_PER_GROUP or self._jobs.empty():
                return jobs
        if jobs:
            self._jobs.put_nowait(None)  # the end, again: for the next time
        return jobs

    async def _store(self, jobs: list[_Job]) -> None:
        """All in one transaction; a job that fails in it is tried alone, the others again without it."""
        left = jobs
        try:
            while failed := await self._try(left):
                left = [job for job in left if job is not failed]
                await self._try([failed])
        finally:
            _give_up(jobs)

    async def _try(self, jobs: list[_Job]) -> _Job | None:
        """Tells everybody, unless there is one job that keeps the others from being stored: that is returned."""
        group = asyncio.ensure_future(self._transactions.run(lambda connection: _perform(jobs, connection)))
        try:
            results, news = await asyncio.shield(group)
        except asyncio.CancelledError:
            await asyncio.wait([group])  # whoever is told that it was not stored is told the truth
            if not group.cancelled() and group.exception() is None:
                _succeed(jobs, group.result()[0])
            raise
        except _Failed as failure:
            if len(jobs) > 1 and not _is_lost(failure.error):
                return failure.job
            _fail(jobs, failure.error)
        except Exception as error:  # noqa: BLE001  # no transaction, or no commit: whoever handed something in is told
            _fail(jobs, error)
        else:
            _succeed(jobs, results)
            self._committed(news)
        return None


def announce(connection: Connection, news: Any) -> None:
    """Lets whoever is told of the writer's commits know something, if this transaction is the writer's and is committed."""
    connection.info.get(_NEWS, []).append(news)


def _perform(jobs: Sequence[_Job], connection: Connection) -> tuple[list[Any], list[Any]]:
    """The results of all jobs, and what they announced."""
    news: list[Any] = []
    connection.info[_NEWS] = news
    return [job.perform(connection) for job in jobs], news


def _is_lost(error: Exception) -> bool:
    """Whether the connection is gone, and no job is to blame."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _succeed(jobs: Iterable[_Job], results: Iterable[Any]) -> None:
    for job, result in zip(jobs, results, strict=True):
        job.succeed(result)


def _fail(jobs: Iterable[_Job], error: Exception) -> None:
    for job in jobs:
        job.fail(error)


def _give_up(jobs: Iterable[_Job | None]) -> None:
    """Nobody waits for ever: who was not told anything is told that it was not stored."""
    _fail((job for job in jobs if job is not None), WriterEnded())
