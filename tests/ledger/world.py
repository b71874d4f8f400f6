"""A gateway's ledger in a world of its own: the real tables on SQLite, the real deliveries and reconciler, one process after the
other, a vendor that keeps the truth, and callers who remember what they were told.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.current import begin
from app.database import in_threads, write_events, writes
from app.ledger import store
from app.ledger.book import PLANNERS, LedgerBook
from app.ledger.delivery import Deliveries
from app.ledger.owner import where
from app.ledger.reconcile import Reconciler
from app.ledger.settlement import MADE, Word, settle
from app.ledger.states import FINAL
from app.ledger.write import Write
from app.migrate import migrate
from app.paging import Cursors
from app.security.signing import Signer
from app.transactions import Transactions
from app.writer import Writer
from schema.errors import LedgerUnavailable, Refusal
from schema.ports import Written
from schema.types.receipt import Delivery, Receipt, WriteState
from schema.types.status import Viewer
from schema.vendor import Environment, Vendor
from tests.canaries.keys import canary
from tests.databases import open_engine
from tests.ledger.truth import KINDS, Kind, Truth
from tests.ledger.virtual import AtOnce, VirtualLoop

T = TypeVar("T")
VIEWER = Viewer(key_id="partner", name="Partner", environment=Environment.TEST, scopes=["*"])
DEADLINE = 10.0
MAX_AGE = 600.0
DAYS = 30
OPEN = frozenset(WriteState) - FINAL
_HOPELESS = timedelta(hours=26).total_seconds()


@dataclass(frozen=True)
class Told:
    """What a caller was told of a write: its receipt, the record that it was given, and the codes of its errors."""

    receipt: Receipt | None
    result: str | None
    codes: tuple[str, ...]


class Process:
    """One life of a gateway over a database."""

    def __init__(self, host: str, number: int, engine: AsyncEngine, loop: VirtualLoop, truth: Truth) -> None:
        self.threads = AtOnce()
        self.reads = Transactions(engine, executor=self.threads)
        self.writer = Writer(engine, self.threads)
        owner = f"{host}:{os.getpid()}:{number}"
        self.deliveries = Deliveries(self.reads, self.writer, truth.plan_of, owner=owner, clock=loop.clock)
        self.wake = asyncio.Event()
        self.reconciler = Reconciler(
            self.reads,
            self.writer,
            self.deliveries,
            truth.plan_of,
            seconds=DEADLINE,
            keep=timedelta(days=DAYS),
            wake=self.wake,
            clock=loop.clock,
        )
        planners: Any = {PLANNERS[kind.operation]: truth.planner(kind) for kind in KINDS}
        cursors = Cursors(Signer(SecretStr(canary("secret"))), "receipts")
        self.book = LedgerBook(
            VIEWER,
            self.reads,
            self.writer,
            self.deliveries,
            planners,
            frozenset(Vendor),
            cursors,
            MAX_AGE,
            self.wake,
        )
        self.life = loop.create_task(self._live(), name="life")

    async def _live(self) -> None:
        async with self.writer.running():
            await asyncio.Event().wait()


@dataclass
class World:
    """Everything, and what must never be seen in it: `wrongs()`."""

    home: Path
    loop: VirtualLoop = field(default_factory=VirtualLoop)
    told: dict[str, list[Told]] = field(default_factory=dict)
    """By idempotency key, in the order in which callers were told."""
    process: Process | None = None

    def __post_init__(self) -> None:
        url = URL.create("sqlite", database=str(self.home / "switchboard.db"))
        self.engine = open_engine(url)
        self.tables: Engine = in_threads(url)
        self.truth = Truth(self.loop.clock, self._received)
        self._processes: list[Process] = []
        self._callers: list[asyncio.Task[None]] = []
        self.start()

    def start(self, host: str | None = None) -> None:
        """Another process, which takes those before it on its own host for dead: this host, unless another is given."""
        self.loop.run_until_complete(self._start(host or where()))

    async def _start(self, host: str) -> None:
        self.process = Process(host, len(self._processes) + 1, self.engine, self.loop, self.truth)
        self._processes.append(self.process)  # an event loop holds on to no task that only waits

    def write(self, kind: Kind, mark: str, key: str | None, delivery: Delivery) -> None:
        """A caller who writes; what they are told comes later, if ever."""
        self._callers.append(self.loop.create_task(self._write(kind, mark, key, delivery), name="caller"))
        self.loop.steps(1)

    def look(self) -> None:
        assert self.process is not None
        with suppress(OSError):
            self.run(self.process.reconciler.look())

    def kill(self) -> None:
        """Ends the process wherever it is: no task of it goes on, and nothing of it reaches the database any more."""
        assert self.process is not None
        self.process.threads.is_dead = True
        self.run(self._end_tasks())
        self.process.deliveries.writer.engine.dispose()
        self.process.reads.engine.dispose()

    def stop(self) -> None:
        """Ends the process in good order."""
        assert self.process is not None
        self.run(self.process.deliveries.drain(DEADLINE))
        self.kill()

    def settle(self) -> None:
        """A person looks at the vendor, and settles the oldest write in doubt for which nothing is still under way."""
        assert self.process is not None
        if self.truth.under_way:
            return
        for write in self.rows():
            if write.state is WriteState.UNKNOWN:
                made = self.truth.applied(write.idempotency_key)
                taken = {each.result_id for each in self.rows()}
                free = [each.record_id for each in made if each.record_id not in taken and write.operation in MADE]
                word = Word(bool(made), next(iter(free), None), "seen", "a person")
                with suppress(Refusal):  # it may have changed meanwhile
                    self.run(settle(self.process.writer, write, word, self.loop.clock()))
                self.truth.doubtful.discard(write.idempotency_key)
                return

    def pass_time(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def come_to_rest(self) -> None:
        """The vendor is well, and everybody has all the time that they may need."""
        for seconds in (1.0, 70.0, *[30.0] * 12, MAX_AGE, *[3600.0] * 6, _HOPELESS, 10.0, 10.0):
            self.pass_time(seconds)
            self.look()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def rows(self) -> list[Write]:
        """All writes, the oldest first."""

        def read(connection: Connection) -> list[Write]:
            ids = connection.execute(select(writes.c.id).order_by(writes.c.created_ms, writes.c.id)).scalars().all()
            return [each for each in (store.by_id(connection, write_id) for write_id in ids) if each is not None]

        return self._read(read)

    def wrongs(self) -> list[str]:
        """What breaks a promise: it must be empty after every step."""
        rows = self.rows()
        found = list(self.truth.misdeeds)
        for key in {each.idempotency_key for each in rows} | {each.key for each in self.truth.effects}:
            of_key = [each for each in rows if each.idempotency_key == key]
            found += [f"{key}: {wrong}" for wrong in self._wrongs_of(key, of_key)]
        sending = [each.lane for each in rows if each.state is WriteState.SENDING]
        found += [f"{lane} sends two at once" for lane in set(sending) if sending.count(lane) > 1]
        records = [each.result_id for each in rows if each.result_id is not None]
        found += [f"{record} is the outcome of two writes" for record in set(records) if records.count(record) > 1]
        return found + self._forbidden_steps()

    def close(self) -> None:
        if self.process is not None and not self.process.threads.is_dead:
            self.kill()
        self.tables.dispose()
        for task in self.truth.under_way:
            task.cancel()
        self.loop.steps(3)
        self.run(self.engine.dispose())
        self.run(self.loop.shutdown_asyncgens())
        self.loop.close()
        shutil.rmtree(self.home)

    def _wrongs_of(self, key: str, rows: list[Write]) -> list[str]:
        made = self.truth.applied(key)
        found = ["applied twice"] if len(made) > 1 else []
        if made and not rows:
            found.append("applied, and not in the ledger")
        if rows and rows[-1].state is WriteState.FAILED and made:
            found.append("applied, and said to have failed")
        marks = self.truth.asked.get(key, set())
        known = {each.record_id for each in self.truth.effects if each.mark in marks}
        succeeded = [each.result_id for each in rows if each.state is WriteState.SUCCEEDED]
        if set(succeeded) - known - ({None} if made else set()):
            found.append("succeeded, and not applied")
        if any(each.superseded and each.is_blocking() for each in rows):
            found.append("superseded, though its key was held")
        newest = [each for each in rows if not each.superseded]
        if rows and len(newest) != 1:
            found.append("held by not exactly one write")
        return found + self._told_wrongly(key, rows)

    def _told_wrongly(self, key: str, rows: list[Write]) -> list[str]:
        """What a caller was told for certain, and is not so."""
        by_id = {each.id: each for each in rows}
        found = []
        for told in self.told.get(key, []):
            if told.receipt is None:
                continue
            row = by_id.get(told.receipt.own_id)
            if row is None:
                found.append("a receipt that is not in the ledger")
            elif told.receipt.state in FINAL and row.state is not told.receipt.state:
                found.append(f"told {told.receipt.state.value}, and it is {row.state.value}")
            elif told.receipt.state is WriteState.SUCCEEDED and told.result not in (None, row.result_id):
                found.append("told another record than the ledger has")
        return found

    def _forbidden_steps(self) -> list[str]:
        """The laws of what may follow what, by the history of each write."""

        def read(connection: Connection) -> list[tuple[str, str | None, str, str | None]]:
            joined = select(write_events, writes.c.vendor_key).join(writes, writes.c.id == write_events.c.write_id)
            rows = connection.execute(joined.order_by(write_events.c.write_id, write_events.c.number))
            return [(row.write_id, row.before, row.after, row.vendor_key) for row in rows]

        found, last, doubted = [], dict[str, str](), set[str]()
        for write_id, before, after, vendor_key in self._read(read):
            if before != last.get(write_id):
                found.append(f"{write_id}: a step from {before}, where it was {last.get(write_id)}")
            if last.get(write_id) in ("SUCCEEDED", "FAILED"):
                found.append(f"{write_id}: a step from its end")
            if write_id in doubted and vendor_key is None and after in ("PENDING", "SENDING"):
                found.append(f"{write_id}: sent again in doubt")
            if after == "UNKNOWN":
                doubted.add(write_id)
            last[write_id] = after
        return found

    def _received(self, key: str) -> list[str]:
        """What is wrong with a request that arrives: it is not being sent, or another of its lane goes first."""
        rows = [each for each in self.rows() if each.idempotency_key == key and not each.superseded]
        if [each.state for each in rows] != [WriteState.SENDING]:
            return [f"{key} arrives, and the ledger does not say that it is being sent"]
        older = (rows[0].created_ms, rows[0].id)
        ahead = [
            each
            for each in self.rows()
            if each.lane == rows[0].lane and each.state is WriteState.PENDING and (each.created_ms, each.id) < older
        ]
        return [f"{key} overtakes {each.idempotency_key}" for each in ahead]

    async def _write(self, kind: Kind, mark: str, key: str | None, delivery: Delivery) -> None:
        assert self.process is not None
        begin("caller", DEADLINE)
        try:
            done: Written[Any] = await self.process.book.write(kind.operation, kind.draft(mark), key, delivery, None)
            told = Told(done.receipt, done.result, ())
        except Refusal as refusal:
            told = Told(refusal.receipt, None, tuple(each.code for each in refusal.errors))
        except LedgerUnavailable:
            told = Told(None, None, ("LEDGER_UNAVAILABLE",))
        name = told.receipt.idempotency_key if told.receipt is not None else key or ""
        self.told.setdefault(name, []).append(told)

    async def _end_tasks(self) -> None:
        mine = asyncio.current_task()
        left = [each for each in asyncio.all_tasks() if each is not mine and each not in self.truth.under_way]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _read(self, work: Callable[[Connection], T]) -> T:
        with self.tables.begin() as connection:
            return work(connection)


async def make_tables(file: Path) -> None:
    """A database with all tables, to be copied."""
    engine = open_engine(URL.create("sqlite", database=str(file)))
    await migrate(engine)
    await engine.dispose()
