"""Delivers writes, in tasks that belong to the service: a caller who hangs up cuts nothing.

SENDING is committed after the connection stands and before the first byte leaves; what the vendor's answer means is committed
together with what it leaves in memory.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.current import begin, current
from app.ledger import store
from app.ledger.states import Transition, after_attempt, milliseconds_until_look
from app.ledger.write import Write, write_error
from app.links import store as memory
from app.plan import Accepted, Plan
from app.telemetry import describe, new_request_id
from app.wire import Received
from app.writer import Work, Writer, WriterEnded
from schema.errors import MutationError, OutcomeUnknown, RateLimited, Refusal, VendorUnavailable
from schema.types.receipt import Delivery, WriteState

MOST_REPEATS = 2
"""How often a write that is waited for is sent again after it was provably not applied."""

_AGAIN = 0.2
LEASE_BEYOND_DEADLINE = 5.0
"""In seconds: how long after its deadline a write that is being sent counts as abandoned."""

_log = logging.getLogger(__name__)
Planner = Callable[[Write], Plan[Any]]


class LostWrite(Exception):
    """Another process has changed the write: it is not this one's to send."""


@dataclass
class Deliveries:
    """The deliveries of one process. `owner` names it in the ledger."""

    writer: Writer
    planner: Planner
    commits_early: bool = False
    """Whether SENDING is committed before the call: set where the hook before the first byte can't be relied on."""
    owner: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}:{new_request_id()}")

    def __post_init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Write]] = {}

    def start(self, write: Write, seconds: float) -> asyncio.Task[Write]:
        """Delivers a write within so many seconds; a write that is being delivered is not started twice."""
        task = self._tasks.get(write.id)
        if task is None:
            task = self._tasks[write.id] = asyncio.create_task(self._deliver(write, seconds), name=f"write {write.id}")
            task.add_done_callback(lambda _: self._tasks.pop(write.id, None))
        return task

    def under_way(self, write_id: str) -> asyncio.Task[Write] | None:
        return self._tasks.get(write_id)

    async def drain(self, seconds: float) -> None:
        """Lets what is under way finish; what does not is in doubt, unless no byte of it has left."""
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=seconds)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        await self.writer.run(self._give_up)

    async def _give_up(self, connection: AsyncConnection) -> None:
        """What this process was still sending is in doubt from now on."""
        for write in await store.abandoned(connection, dead_owners=[self.owner], most=1000):
            values: dict[str, Any] = {"state": WriteState.UNKNOWN, "in_doubt": True, "owner": None, "lease_ms": None}
            await store.change(
                connection, write, "the gateway was stopped while it was being sent", due_ms=store.now_ms(), **values
            )

    async def _deliver(self, write: Write, seconds: float) -> Write:
        begin(f"write-{write.id[-16:]}", seconds)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        plan = self.planner(write)
        while True:
            attempt = _Attempt(self, write, deadline - loop.time())
            answer, error = await attempt.run(plan)
            write = attempt.write
            left = current().remaining_for_repeat(seconds)
            transition = _verdict(write, error, left, plan)
            write = await self.commit(write, transition, plan, answer)
            if write.state is not WriteState.PENDING or transition.wait >= left:
                return write
            await asyncio.sleep(transition.wait)

    async def commit(self, write: Write, transition: Transition, plan: Plan[Any], answer: Received | None) -> Write:
        """Stores what became of an attempt, with what it leaves in memory."""
        accepted = plan.accept(answer) if answer is not None else None
        values = _values(write, transition, accepted, answer)

        async def work(connection: Any) -> Write | None:
            changed = await store.change(connection, write, transition.reason, **values)
            if changed is None:
                changed = await self._change_late(connection, write, transition, values)
            if changed is not None and accepted is not None:
                where = write.environment
                await memory.forget(connection, {(where, key) for key in accepted.gone})
                await memory.merge(connection, {(where, each.key): [each] for each in accepted.seen})
            return changed or await store.by_id(connection, write.id)

        return await self._store(work) or _doubtful(write, plan)

    async def _change_late(
        self, connection: AsyncConnection, write: Write, transition: Transition, values: dict[str, Any]
    ) -> Write | None:
        """The same for an attempt whose SENDING was committed only after it had been given up: it is still this one's."""
        found = await store.by_id(connection, write.id)
        is_ours = found is not None and found.owner == self.owner and found.attempts == write.attempts + 1
        if found is None or not is_ours or found.state is not WriteState.SENDING:
            return None
        return await store.change(connection, found, transition.reason, **values)

    async def _store(self, work: Work[Write | None]) -> Write | None:
        """Stores what became of an attempt, again and again within its time: it must not be lost for a busy database."""
        while True:
            try:
                return await self.writer.run(work)
            except (SQLAlchemyError, OSError, WriterEnded) as error:
                _log.error("the ledger could not be written", extra=describe(error))  # no payloads in logs
                if current().remaining(_AGAIN) < _AGAIN:
                    return None
                await asyncio.sleep(_AGAIN)


class _Attempt:
    """One try to send a write; `write` is as the ledger has it, during and after it."""

    def __init__(self, deliveries: Deliveries, write: Write, seconds: float) -> None:
        self._deliveries = deliveries
        self._seconds = seconds
        self.write = write

    async def run(self, plan: Plan[Any]) -> tuple[Received | None, MutationError | None]:
        """The vendor's answer, or the error that it ended in. Anything that nobody foresaw is doubt, once it was sent."""
        try:
            if self._deliveries.commits_early:
                await self._before_first_byte()
                return await plan.send(None), None
            return await plan.send(self._before_first_byte), None
        except Refusal as refusal:
            return None, refusal.errors[0]
        except Exception as error:  # noqa: BLE001  # anything else means unknown
            _log.error("unforeseen error of a delivery", extra=describe(error))
            return None, self._unforeseen(plan)

    def _unforeseen(self, plan: Plan[Any]) -> MutationError:
        if self.write.state is WriteState.SENDING:
            message = "The write was sent, and what came of it could not be read. Look before you repeat it."
            return OutcomeUnknown(message=message, vendor=plan.vendor)
        message = "The write could not be sent. Try again later."
        return VendorUnavailable(message=message, vendor=plan.vendor)

    async def _before_first_byte(self) -> None:
        """Commits SENDING. Raises LostWrite, which keeps the request from leaving, if the write has changed meanwhile."""
        now = store.now_ms()
        values: dict[str, Any] = {
            "state": WriteState.SENDING,
            "attempts": self.write.attempts + 1,
            "owner": self._deliveries.owner,
            "lease_ms": now + round((self._seconds + LEASE_BEYOND_DEADLINE) * 1000),
            "first_sent_ms": self.write.first_sent_ms or now,
        }
        write = self.write
        changed = await self._deliveries.writer.run(lambda c: store.change(c, write, "sending", **values))
        if changed is None:
            raise LostWrite
        self.write = changed


def _doubtful(write: Write, plan: Plan[Any]) -> Write:
    """A write of which the ledger could not be told what became of it; its lease will tell that it is in doubt."""
    message = "The write was sent, and what became of it could not be stored. Ask for the receipt before you repeat it."
    error = write_error(OutcomeUnknown(message=message, vendor=plan.vendor))
    return replace(write, state=WriteState.UNKNOWN, in_doubt=True, error=error)


def _verdict(write: Write, error: MutationError | None, left: float, plan: Plan[Any]) -> Transition:
    """What an attempt means. A background write has its own time, beyond that of one delivery; one that is waited for
    is tried again only so often, and only as the vendor's retry budget allows.
    """
    if write.delivery is Delivery.BACKGROUND:
        left = (write.give_up_ms - store.now_ms()) / 1000
    elif write.examined >= MOST_REPEATS or (
        isinstance(error, VendorUnavailable | RateLimited) and not plan.gate.may_repeat()
    ):
        left = 0.0
    return after_attempt(error, in_doubt=write.in_doubt, attempts=write.examined, seconds_left=left)


def _values(
    write: Write, transition: Transition, accepted: Accepted[Any] | None, answer: Received | None
) -> dict[str, Any]:
    """The columns that a transition changes."""
    error = write_error(transition.error) if transition.error is not None else None
    values: dict[str, Any] = {"state": transition.to, "error": error, "owner": None, "lease_ms": None}
    if transition.to is WriteState.UNKNOWN:
        examined = write.examined if write.in_doubt else 0
        values |= {"in_doubt": True, "examined": examined, "due_ms": store.now_ms() + milliseconds_until_look(examined)}
    if transition.to is WriteState.PENDING:
        values |= {"examined": write.examined + 1, "due_ms": store.now_ms() + round(transition.wait * 1000)}
    if accepted is not None and answer is not None:
        values |= {"result_id": accepted.record_id, "answer": answer.model_dump_json()}
    return values
