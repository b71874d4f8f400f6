"""Brings what was left open to its end, in the background and after every start."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.clock import Clock, now_ms
from app.current import begin, current
from app.ledger import store
from app.ledger.delivery import Deliveries, Planner, in_doubt_from
from app.ledger.owner import is_dead
from app.ledger.states import LONGEST_DOUBT, Transition, after_doubt, after_loss
from app.ledger.write import Write
from app.plan import Plan
from app.telemetry import describe
from app.transactions import Transactions
from app.writer import Writer
from schema import ids
from schema.errors import Refusal
from schema.types.receipt import WriteState

_EVERY = 1.0
_MOST_AT_ONCE = 50
_AGAIN = 0.25
"""In seconds: how often is asked whether the vendor has answered what was being sent."""

_LATER = 1000
"""Milliseconds after which a write whose lane is taken is looked at again."""

_log = logging.getLogger(__name__)


@dataclass
class Reconciler:
    """Looks for what is due. `seconds` is what one delivery may take; `keep` how long final writes are kept."""

    reads: Transactions
    writer: Writer
    deliveries: Deliveries
    planner: Planner
    seconds: float
    keep: timedelta
    wake: asyncio.Event
    clock: Clock = now_ms
    _handling: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run(), name="reconciler")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            for handling in list(self._handling):
                handling.cancel()
            await asyncio.gather(*self._handling, return_exceptions=True)

    async def look(self) -> None:
        """One round: what is abandoned is in doubt, what is due is taken up."""
        await self._recover()
        if not await self.reads.run(lambda c: store.is_any_due(c, self.clock())):
            return
        owner, hold = self.deliveries.owner, round((self.seconds + 10) * 1000)
        due = await self.writer.run(
            lambda c: store.claim_due(c, self.clock(), owner=owner, hold_ms=hold, most=_MOST_AT_ONCE)
        )
        for write in due:
            task = asyncio.create_task(self._handle(write), name=f"reconcile {write.id}")
            self._handling.add(task)
            task.add_done_callback(self._handled)

    async def _run(self) -> None:
        purged = 0.0
        while True:
            try:
                await self.look()
                purged = await self._purge_hourly(purged)
            except Exception as error:  # noqa: BLE001  # the database may be away for a while; this must go on
                _log.error("reconciling failed", extra=describe(error))
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY):
                    await self.wake.wait()
            self.wake.clear()

    async def _recover(self) -> None:
        """What dead processes were sending is in doubt, what else they held is free."""
        mine = self.deliveries.owner
        owners = await self.reads.run(store.owners)
        dead = [each for each in owners if each != mine and is_dead(each)]
        if dead:
            await self.writer.run(lambda c: store.release(c, self.clock(), dead))
        now = self.clock()
        for write in await self.reads.run(lambda c: store.abandoned(c, now, dead_owners=dead, most=_MOST_AT_ONCE)):
            transition = after_loss(state=write.state)
            if transition is not None and self.deliveries.under_way(write.id) is None:
                await self._change(write, transition.reason, in_doubt_from(now))

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._handling.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # the database may be away for a while: it is due again
            _log.error("reconciling failed", extra=describe(error))

    async def _handle(self, write: Write) -> None:
        begin(f"reconcile-{write.id[-12:]}", self.seconds)
        if write.state is WriteState.UNKNOWN:
            await self._examine(write)
        elif self.deliveries.under_way(write.id) is not None:
            return
        elif write.in_doubt and self._since_first_attempt(write) >= LONGEST_DOUBT:
            await self._examine(write)  # nobody was there to send it again, and by now the vendor may not know its key
        else:
            await self._deliver(write)

    async def _deliver(self, write: Write) -> None:
        """A write that waits for its delivery, in its turn. A background write that fails is tried again until its time is up."""
        known = await self.reads.run(lambda c: store.by_id(c, write.id))
        if known is None or known.state is not WriteState.PENDING:
            return
        if known.give_up_ms <= self.clock() and not known.in_doubt:
            await self.deliveries.expire(known)
        elif await self.deliveries.has_turn(known):
            await asyncio.shield(self.deliveries.start(known, self.seconds))
        else:
            later = {"due_ms": self.clock() + _LATER, "owner": None}
            await self._change(known, "waits for an older write of its lane", later, quietly=True)
            return
        self.wake.set()

    async def _examine(self, write: Write) -> None:
        """A write in doubt: sent again where the vendor takes a key, else looked for."""
        plan = self.planner(write)
        if write.vendor_key is None and await self._was_found(write, plan):
            return
        has_key, since = write.vendor_key is not None, self._since_first_attempt(write)
        verdict = after_doubt(has_vendor_key=has_key, since_first_attempt=since, examined=write.examined)
        changed = await self._change(write, verdict.reason, _examined(write, plan, verdict, self.clock()))
        if changed is not None and changed.state is WriteState.PENDING:
            await asyncio.shield(self.deliveries.start(changed, self.seconds))

    async def _was_found(self, write: Write, plan: Plan[Any]) -> bool:
        if plan.find is None:
            return False

        async def is_claimed(record_id: str) -> bool:
            record = ids.decode(record_id)

            def work(connection: Connection) -> bool:
                if store.is_claimed(connection, write.environment, record_id):
                    return True
                return record is not None and store.was_seen(connection, write, record.parts[-1])

            return await self.reads.run(work)

        try:
            answer = await plan.find(_first_attempt(write), is_claimed)
        except Refusal:
            return False
        if answer is None or not await self._others_are_answered(write):
            return False
        found = Transition(WriteState.SUCCEEDED, "found at the vendor")
        done = await self.deliveries.commit(write, found, plan, answer, was_found=True)
        return done.write.state is WriteState.SUCCEEDED

    async def _others_are_answered(self, write: Write) -> bool:
        """Whether what was being sent when the write was found has come to its end, within the time of this look: what was
        found may be the record of another that is alike, and whose answer is still to come. Such a one has claimed it then.
        """
        others = await self._sent_beside(write)
        while others:
            if current().remaining(_AGAIN) < _AGAIN:
                return False
            await asyncio.sleep(_AGAIN)
            others &= await self._sent_beside(write)  # what is sent only now has not made it
        return True

    async def _sent_beside(self, write: Write) -> set[str]:
        return await self.reads.run(lambda c: store.sent_beside(c, write))

    async def _change(
        self, write: Write, reason: str, values: dict[str, Any], *, quietly: bool = False
    ) -> Write | None:
        now = self.clock()
        return await self.writer.run(lambda c: store.change(c, write, reason, now, quietly=quietly, **values))

    def _since_first_attempt(self, write: Write) -> timedelta:
        return datetime.fromtimestamp(self.clock() / 1000, UTC) - _first_attempt(write)

    async def _purge_hourly(self, last: float) -> float:
        now = asyncio.get_running_loop().time()
        if last and now - last < 3600:
            return last
        before = self.clock() - round(self.keep.total_seconds() * 1000)
        while await self.writer.run(lambda c: store.purge(c, completed_before_ms=before)) == store.MOST_PURGED:
            pass
        return now


def _examined(write: Write, plan: Plan[Any], verdict: Transition, now: int) -> dict[str, Any]:
    """The columns after a look: when the next one is, or that a person is needed. One that is sent again stays held."""
    if verdict.to is WriteState.PENDING:
        return {"state": verdict.to, "examined": write.examined + 1}
    is_hopeless = verdict.to is WriteState.UNKNOWN and (
        verdict.wait == 0.0 or (plan.find is None and not write.vendor_key)
    )
    due = None if is_hopeless else now + round(verdict.wait * 1000)
    return {
        "state": verdict.to,
        "examined": write.examined + 1,
        "due_ms": due,
        "owner": None,
        "needs_attention": write.needs_attention or is_hopeless,
    }


def _first_attempt(write: Write) -> datetime:
    return datetime.fromtimestamp((write.first_sent_ms or write.created_ms) / 1000, UTC)
