"""The writer: many statements in few transactions, and everybody is told the truth about theirs."""

from __future__ import annotations

import asyncio
import gc
import resource
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import writes
from app.ledger import store
from app.migrate import migrate
from app.transactions import Work
from app.writer import MOST_PER_GROUP, Writer, WriterEnded
from tests.databases import opened
from tests.ledger.rows import a_write

JOBS = 64
Job = Work[str]


class JobBroke(Exception):
    """What a job of these tests raises."""


def storing(name: str) -> Job:
    """A job that stores a write, and answers with its ID."""

    def work(connection: Connection) -> str:
        assert store.add(connection, a_write(name), "stored")
        return name

    return work


def breaking(name: str) -> Job:
    """A job that stores a write, and then fails by itself."""

    def work(connection: Connection) -> str:
        storing(name)(connection)
        raise JobBroke(name)

    return work


def refused(name: str) -> Job:
    """A job whose statement the database refuses."""

    def work(connection: Connection) -> str:
        store.add(connection, a_write(name, idempotency_key=""), "stored")
        return name

    return work


async def test_concurrent_jobs_share_transactions(ledger: AsyncEngine) -> None:
    """64 at once need two at most: what comes while one is stored makes the next."""
    async with _running(ledger) as writer:
        with _counting(writer) as begun:
            names = await asyncio.gather(*(writer.run(storing(f"w{n}")) for n in range(JOBS)))
    assert 1 <= len(begun) <= 2
    assert names == [f"w{n}" for n in range(JOBS)]
    assert await stored(ledger) == {f"w{n}" for n in range(JOBS)}


async def test_callers_who_go_on_together_stay_together(ledger: AsyncEngine) -> None:
    """Each hands in three jobs, one after the other, some a little later than others: that takes three transactions."""

    async def caller(writer: Writer, number: int) -> None:
        for _ in range(number % 4):
            await asyncio.sleep(0)
        for step in range(3):
            await writer.run(storing(f"w{number}-{step}"))

    async with _running(ledger) as writer:
        with _counting(writer) as begun:
            await asyncio.gather(*(caller(writer, number) for number in range(12)))
    assert len(begun) == 3


async def test_a_group_has_its_bounds(ledger: AsyncEngine) -> None:
    """More than fit into one group are stored all the same, in more than one."""
    most = 2 * MOST_PER_GROUP + 1
    async with _running(ledger) as writer:
        with _counting(writer) as begun:
            await asyncio.gather(*(writer.run(_naming(f"w{n}")) for n in range(most)))
    assert 3 <= len(begun) <= 4


async def test_a_job_alone_does_not_wait_for_others(ledger: AsyncEngine) -> None:
    """One after the other, each has a transaction, and is stored when its caller goes on."""
    async with _running(ledger) as writer:
        for number in range(3):
            await writer.run(storing(f"w{number}"))
            assert len(await stored(ledger)) == number + 1


@pytest.mark.parametrize("failing", [breaking, refused])
async def test_a_failing_job_fails_alone(ledger: AsyncEngine, failing: Callable[[str], Job]) -> None:
    """Its caller gets its own error, nothing of it is stored, and the others' are, each with its own result."""
    bad = {3, 4, 40, JOBS - 1}
    jobs = [failing(f"w{n}") if n in bad else storing(f"w{n}") for n in range(JOBS)]
    async with _running(ledger) as writer:
        done = await asyncio.gather(*map(writer.run, jobs), return_exceptions=True)
    assert [each for n, each in enumerate(done) if n not in bad] == [f"w{n}" for n in range(JOBS) if n not in bad]
    assert {type(done[n]) for n in bad} == {JobBroke if failing is breaking else IntegrityError}
    assert await stored(ledger) == {f"w{n}" for n in range(JOBS) if n not in bad}


async def test_each_caller_gets_its_own_error(ledger: AsyncEngine) -> None:
    """Also where every job of a group fails."""
    async with _running(ledger) as writer:
        done = await asyncio.gather(*(writer.run(breaking(f"w{n}")) for n in range(JOBS)), return_exceptions=True)
    assert [str(each) for each in done] == [f"w{n}" for n in range(JOBS)]
    assert await stored(ledger) == set()


async def test_the_writer_goes_on_after_a_failure(ledger: AsyncEngine) -> None:
    """What comes next is stored."""
    async with _running(ledger) as writer:
        with pytest.raises(JobBroke):
            await writer.run(breaking("w1"))
        assert await writer.run(storing("w2")) == "w2"
    assert await stored(ledger) == {"w2"}


async def test_nobody_is_told_before_the_commit(ledger: AsyncEngine) -> None:
    """When the first caller of a group goes on, the whole group can be read by others."""
    seen: list[set[str]] = []

    async def store_and_look(name: str) -> None:
        await writer.run(storing(name))
        seen.append(await stored(ledger))

    async with _running(ledger) as writer:
        await asyncio.gather(*(store_and_look(f"w{n}") for n in range(3)))
    assert all(f"w{n}" in found for n, found in enumerate(seen))


async def test_a_commit_that_fails_stores_nothing_and_everybody_is_told(ledger: AsyncEngine) -> None:
    """Nobody is told of a success that the database did not confirm."""

    def fail(_: Connection) -> None:
        raise JobBroke("commit")

    async with _running(ledger) as writer:
        event.listen(writer.engine, "commit", fail)
        done = await asyncio.gather(*(writer.run(storing(f"w{n}")) for n in range(5)), return_exceptions=True)
        event.remove(writer.engine, "commit", fail)
        assert await writer.run(storing("next")) == "next"
    assert [str(each) for each in done] == ["commit"] * 5
    assert await stored(ledger) == {"next"}


async def test_a_database_that_is_away_is_told_to_everybody_at_once(tmp_path: Path) -> None:
    """One attempt for all of them, not one for each: it may take its time to fail."""
    async with opened(URL.create("postgresql", username="nobody", query={"host": str(tmp_path)})) as engine:
        attempts: list[object] = []

        @event.listens_for(engine.sync_engine, "do_connect")
        def _count(*given: object) -> None:
            attempts.append(given)

        async with _running(engine) as writer:
            done = await asyncio.gather(*(writer.run(_naming("w")) for _ in range(JOBS)), return_exceptions=True)
    assert {type(each) for each in done} <= {FileNotFoundError, ConnectionRefusedError, OSError}
    assert 1 <= len(attempts) <= 2


async def test_a_connection_that_is_lost_is_told_to_everybody_and_nothing_is_stored(ledger: AsyncEngine) -> None:
    """No job is to blame; the next group has a new connection."""
    if ledger.dialect.name == "sqlite":
        pytest.skip("a file has no connection to lose")

    def end_it(connection: Connection) -> str:
        own = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        connection.execute(text(f"SELECT pg_terminate_backend({own})"))
        return "still there"

    async with _running(ledger) as writer:
        jobs = [storing("w1"), end_it, storing("w2")]
        done = await asyncio.gather(*map(writer.run, jobs), return_exceptions=True)
        assert await writer.run(storing("next")) == "next"
    assert all(isinstance(each, DBAPIError) and each.connection_invalidated for each in done)
    assert await stored(ledger) == {"next"}


async def test_everything_handed_in_is_stored_at_the_end(ledger: AsyncEngine) -> None:
    """The end waits for it, however little of it had begun."""
    async with _running(ledger) as writer:
        callers = [asyncio.ensure_future(writer.run(storing(f"w{n}"))) for n in range(MOST_PER_GROUP + JOBS)]
        await writer.run(_naming("first"))
    assert await stored(ledger) == {f"w{n}" for n in range(MOST_PER_GROUP + JOBS)}
    assert await asyncio.gather(*callers) == [f"w{n}" for n in range(MOST_PER_GROUP + JOBS)]


async def test_what_is_handed_in_before_the_start_is_stored(ledger: AsyncEngine) -> None:
    """It waits for the writer to run."""
    writer = Writer(ledger)
    early = asyncio.ensure_future(writer.run(storing("early")))
    async with writer.running():
        assert await early == "early"
    assert await stored(ledger) == {"early"}


async def test_after_the_end_nothing_is_taken(ledger: AsyncEngine) -> None:
    """The caller is told; it does not wait for what never comes."""
    async with _running(ledger) as writer:
        pass
    with pytest.raises(WriterEnded):
        await writer.run(storing("late"))
    assert await stored(ledger) == set()


async def test_an_end_by_an_error_stores_what_was_handed_in(ledger: AsyncEngine) -> None:
    """What brings the gateway down costs nobody's write."""
    with pytest.raises(JobBroke, match="the gateway"):
        await _run_and_break(ledger)
    assert await stored(ledger) == {"w1"}


async def test_a_caller_who_goes_away_takes_nothing_back(ledger: AsyncEngine) -> None:
    """What was handed in is stored; an error that nobody waits for any more is no noise in the log."""
    noises: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, noise: noises.append(noise))
    writer = Writer(ledger)
    callers = [asyncio.ensure_future(writer.run(work)) for work in (storing("w1"), breaking("w2"))]
    await asyncio.wait(callers, timeout=0)
    for caller in callers:
        caller.cancel()
    await asyncio.wait(callers)
    async with writer.running():
        await writer.run(_naming("next"))
    gc.collect()
    assert await stored(ledger) == {"w1"}
    assert ([each.cancelled() for each in callers], noises) == ([True, True], [])


async def test_a_writer_that_is_killed_leaves_nobody_waiting(ledger: AsyncEngine) -> None:
    """Who was being stored is, and is told so; who had yet to be is told that it is not."""
    loop, started, release = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def hang(connection: Connection) -> str:
        storing("hanging")(connection)
        loop.call_soon_threadsafe(started.set)
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_sleep(0.2)"))
        else:
            release.wait()
        return "stored"

    told: list[object] = []

    async def kill() -> None:
        async with _running(ledger) as writer:
            callers = [asyncio.ensure_future(writer.run(hang))]
            await started.wait()
            callers.append(asyncio.ensure_future(writer.run(storing("waiting"))))
            await asyncio.sleep(0)
            [task] = [each for each in asyncio.all_tasks() if each.get_name() == "writer"]
            task.cancel()
            loop.call_soon(release.set)
            told.extend(await asyncio.gather(*callers, return_exceptions=True))

    with pytest.raises(asyncio.CancelledError):
        await kill()
    assert [each if isinstance(each, str) else type(each) for each in told] == ["stored", WriterEnded]
    assert await stored(ledger) == {"hanging"}


async def test_writers_of_two_processes_take_turns(database: URL, ledger: AsyncEngine) -> None:
    """Each with an engine of its own: nothing is lost, nothing fails."""
    async with opened(database) as other, _running(ledger) as one, _running(other) as two:
        names = await asyncio.gather(*((one, two)[n % 2].run(storing(f"w{n}")) for n in range(JOBS)))
    assert await stored(ledger) == set(names) == {f"w{n}" for n in range(JOBS)}


async def test_whether_anything_can_be_stored_is_found_out_by_writing(database: URL) -> None:
    """An empty transaction is committed on a full disk and on a read-only server, too."""
    async with opened(database) as engine:
        await migrate(engine)
        async with _running(engine) as writer:
            assert await writer.answers(5.0)
        async with _unwritable(engine), opened(database) as again, _running(again) as writer:
            assert await writer.run(lambda _: "stored") == "stored"
            assert not await writer.answers(5.0)
        async with _running(engine) as writer:
            assert await writer.answers(5.0)


async def test_whoever_asks_does_not_make_the_database_write_all_the_time(ledger: AsyncEngine) -> None:
    """A hundred questions, one after the other or at once, are answered by one trial."""
    async with _running(ledger) as writer:
        with _counting(writer) as begun:
            assert all(await asyncio.gather(*(writer.answers(5.0) for _ in range(50))))
            assert all([await writer.answers(5.0) for _ in range(50)])
    assert len(begun) == 1


@asynccontextmanager
async def _unwritable(engine: AsyncEngine) -> AsyncIterator[None]:
    """For who connects from now on: a full disk to SQLite, a server to PostgreSQL that has not taken over from another yet."""
    if engine.dialect.name == "sqlite":
        with _full(f"{engine.url.database}"):
            yield
        return
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text(f"ALTER DATABASE {engine.url.database} SET default_transaction_read_only = on"))
    yield


@contextmanager
def _full(database: str) -> Iterator[None]:
    """While it lasts no file grows. A reader keeps SQLite's log from being written anew from its beginning."""
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("CREATE TABLE grown (x)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM grown").fetchall()
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (Path(f"{database}-wal").stat().st_size, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@asynccontextmanager
async def _running(engine: AsyncEngine) -> AsyncIterator[Writer]:
    writer = Writer(engine)
    async with writer.running():
        yield writer


async def _run_and_break(engine: AsyncEngine) -> None:
    async with _running(engine) as writer:
        caller = asyncio.ensure_future(writer.run(storing("w1")))
        caller.add_done_callback(lambda done: done.result())
        await writer.run(_naming("first"))
        raise JobBroke("the gateway")


@contextmanager
def _counting(writer: Writer) -> Iterator[list[Connection]]:
    """The transactions that a writer begins meanwhile."""
    begun: list[Connection] = []

    def count(connection: Connection) -> None:
        begun.append(connection)

    event.listen(writer.engine, "begin", count)
    yield begun
    event.remove(writer.engine, "begin", count)


def _naming(name: str) -> Job:
    """A job that only answers."""

    def work(_: Connection) -> str:
        return name

    return work


async def stored(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        found = set((await connection.execute(select(writes.c.id))).scalars())
        count = (await connection.execute(select(func.count()).select_from(writes))).scalar_one()
    assert len(found) == count
    return found
