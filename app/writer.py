"""Groups the statements of concurrent writes into one transaction: durability costs one flush per group, not one each."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from app.database import AnyEngine, try_to_write
from app.transactions import Transactions, Work

T = TypeVar("T")

MOST_PER_GROUP = 64
"""With larger ones all callers wait for the same flush, and then want the event loop in the same moment."""

_ROUNDS = 8
"""Of the event loop before a group is stored. What is told of the last group hands in most of what makes the next one: without
these it goes with the group after it, and groups are half as large.
"""

_TRIAL_SECONDS = 1.0
"""For how long the outcome of a trial counts."""

_NEWS = "news"
_NAME = "writer"


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


@dataclass(eq=False, slots=True)
class _Job:
    work: Work[Any]
    done: asyncio.Future[Any]
    since: float


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
        self.name = secrets.token_hex(8)
        """No other process's writer has it."""
        self._committed = committed
        self._transactions = Transactions(engine, writes=True, executor=executor)
        self._jobs: list[_Job] = []
        """What waits for the next group."""
        self._group: list[_Job] = []
        """What is being stored."""
        self._idle: asyncio.Future[None] | None = None
        """What the writer waits for when there is nothing to store."""
        self._has_ended = False
        self._trial: asyncio.Future[None] | None = None
        """A transaction by which whoever asks whether anything can be stored finds out."""
        self._tried = -_TRIAL_SECONDS

    @property
    def engine(self) -> Engine:
        """What the groups are stored on."""
        return self._transactions.engine

    def late(self) -> float:
        """For how many seconds the oldest of what is being stored has been waiting."""
        return time.monotonic() - self._group[0].since if self._group else 0.0

    async def answers(self, seconds: float) -> bool:
        """Whether something can be written and committed, within so many seconds. All who ask within a second wait for the
        same trial: whoever may ask can't make the database write all the time.
        """
        now = time.monotonic()
        if self._trial is None or (self._trial.done() and now - self._tried >= _TRIAL_SECONDS):
            try:
                self._trial, self._tried = asyncio.ensure_future(self.run(try_to_write)), now
            except WriterEnded:
                return False
            self._trial.add_done_callback(_heard)
        trial = self._trial
        await asyncio.wait([trial], timeout=seconds)
        return trial.done() and not trial.cancelled() and trial.exception() is None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the writer; at the end everything handed in is stored, and nothing more is taken."""
        task = asyncio.create_task(self._run(), name="writer")
        try:
            yield
        finally:
            self._has_ended = True
            self._wake()
            try:
                await task
            finally:
                self._transactions.close()

    def run(self, work: Work[T]) -> Awaitable[T]:
        """The result of `work`, once it is committed; its error, if it was not. Raises WriterEnded after the end.

        It may be run twice, if a transaction has to be repeated. A caller who is cancelled does not take it back.
        """
        if self._has_ended:
            raise WriterEnded
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append(_Job(work, done, time.monotonic()))
        if self._idle is not None:
            self._wake()
        return done

    def _wake(self) -> None:
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    async def _run(self) -> None:
        try:
            while await self._has_jobs():
                for _ in range(_ROUNDS):
                    await asyncio.sleep(0)
                self._group, self._jobs = self._jobs[:MOST_PER_GROUP], self._jobs[MOST_PER_GROUP:]
                await self._store(self._group)
                self._group = []
        finally:
            self._has_ended = True
            for job in (*self._group, *self._jobs):
                _fail([job], WriterEnded())  # nobody waits for ever

    async def _has_jobs(self) -> bool:
        """Whether there is something to store, once there is; False at the end."""
        if not (self._jobs or self._has_ended):
            self._idle = asyncio.get_running_loop().create_future()
            await self._idle
            self._idle = None
        return bool(self._jobs)

    async def _store(self, jobs: list[_Job]) -> None:
        """All in one transaction; a job that fails in it is tried alone, the others again without it."""
        while failed := await self._try(jobs):
            jobs = [job for job in jobs if job is not failed]
            await self._try([failed])

    async def _try(self, jobs: list[_Job]) -> _Job | None:
        """Tells everybody, unless there is one job that keeps the others from being stored: that is returned."""
        try:
            group = asyncio.ensure_future(self._transactions.run(partial(_perform, self.name, jobs)))
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


def writer_of(connection: Connection) -> str:
    """The name of the writer whose transaction this is; empty if it is none's."""
    name: str = connection.info.get(_NAME, "")
    return name


def _heard(trial: asyncio.Future[None]) -> None:
    """Nobody may be waiting any more: then its error is no noise in the log."""
    if not trial.cancelled():
        trial.exception()


def _perform(name: str, jobs: Sequence[_Job], connection: Connection) -> tuple[list[Any], list[Any]]:
    """The results of all jobs, and what they announced."""
    results: list[Any] = []
    news: list[Any] = []
    connection.info[_NEWS], connection.info[_NAME] = news, name
    for job in jobs:
        try:
            results.append(job.work(connection))
        except Exception as error:
            raise _Failed(job, error) from error
    return results, news


def _is_lost(error: Exception) -> bool:
    """Whether the connection is gone, and no job is to blame."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _succeed(jobs: Iterable[_Job], results: Iterable[Any]) -> None:
    for job, result in zip(jobs, results, strict=True):
        if not job.done.done():
            job.done.set_result(result)


def _fail(jobs: Iterable[_Job], error: Exception) -> None:
    for job in jobs:
        if not job.done.done():
            job.done.set_exception(error)
