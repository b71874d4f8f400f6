"""Groups the statements of concurrent writes into one transaction: durability costs one flush per group, not one each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.database import writing

T = TypeVar("T")
Work = Callable[[AsyncConnection], Awaitable[T]]

MOST_PER_GROUP = 200


@dataclass
class _Job:
    work: Work[Any]
    done: asyncio.Future[Any]


class Writer:
    """One writer per process. What is handed in while a group is being stored makes the next group."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._jobs: asyncio.Queue[_Job] = asyncio.Queue()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Runs the writer; at the end everything handed in is stored."""
        task = asyncio.create_task(self._run(), name="writer")
        try:
            yield
        finally:
            await self._jobs.join()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def run(self, work: Work[T]) -> T:
        """The result of `work`, once it is committed. It may be run twice, if a transaction has to be repeated."""
        job = _Job(work, asyncio.get_running_loop().create_future())
        self._jobs.put_nowait(job)
        return cast(T, await asyncio.shield(job.done))

    async def _run(self) -> None:
        while True:
            jobs = [await self._jobs.get()]
            while len(jobs) < MOST_PER_GROUP and not self._jobs.empty():
                jobs.append(self._jobs.get_nowait())
            await self._store(jobs)
            for _ in jobs:
                self._jobs.task_done()

    async def _store(self, jobs: list[_Job]) -> None:
        """All in one transaction; if that fails, each in its own, so that none suffers for another."""
        try:
            async with writing(self._engine).begin() as connection:
                results = [await job.work(connection) for job in jobs]
        except Exception as error:  # noqa: BLE001  # whoever handed it in is told
            await self._fail_or_split(jobs, error)
            return
        for job, result in zip(jobs, results, strict=True):
            _tell(job.done, result)

    async def _fail_or_split(self, jobs: list[_Job], error: Exception) -> None:
        if len(jobs) == 1:
            if not jobs[0].done.done():
                jobs[0].done.set_exception(error)
            return
        for job in jobs:
            await self._store([job])


def _tell(done: asyncio.Future[Any], result: Any) -> None:
    if not done.done():
        done.set_result(result)
