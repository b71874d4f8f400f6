"""Delivers writes, in tasks that belong to the service: a caller who hangs up cuts nothing.

SENDING is committed after the connection stands and before the first byte leaves; what the vendor's answer means is committed
together with what it leaves in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from app.clock import Clock, now_ms
from app.current import RESERVE, begin, current
from app.database import one_at_a_time
from app.failpoints import Reached, nowhere
from app.ledger import store
from app.ledger.owner import own_name
from app.ledger.states import Transition, after_attempt, milliseconds_until_look, out_of_time
from app.ledger.write import Write, write_error
from app.links import store as memory
from app.links.record import Key, Record
from app.plan import Accepted, Plan
from app.telemetry import describe
from app.transactions import Transactions, Work
from app.wire import Received
from app.writer import Writer, WriterEnded
from schema.drafts import ActivityDraft
from schema.errors import MutationError, OutcomeUnknown, RateLimited, Refusal, VendorUnavailable
from schema.types.receipt import Delivery, WriteOperation, WriteState
from schema.vendor import Environment

MOST_REPEATS = 2
"""How often a write that is waited for is sent again after it was provably not applied."""

_AGAIN = 0.2
_LONGEST = 300.0
_TURN = 0.25
"""In seconds: how often a write looks whether it has its turn, when only another process can tell."""

LEASE_BEYOND_DEADLINE = 5.0
"""In seconds: how long after its deadline a write that is being sent counts as abandoned."""

LEDGER_ERRORS = (SQLAlchemyError, OSError, WriterEnded)
"""What it ends in when the ledger can't be read or written."""

_log = logging.getLogger(__name__)
T = TypeVar("T")
Planner = Callable[[Write], Plan[Any]]
Learned = Callable[[Environment, Sequence[Record], Sequence[Key]], None]


class Delivered(NamedTuple):
    """A write after its delivery, and what its answer amounts to, where it is this delivery that brought it."""

    write: Write
    accepted: Accepted[Any] | None = None


class LostWrite(Exception):
    """Another process has changed the write, or another write of its lane goes first: it can't be sent now."""


@dataclass
class Deliveries:
    """The deliveries of one process. `owner` names it in the ledger; `reached` is told what is passed on the way."""

    reads: Transactions
    writer: Writer
    planner: Planner
    commits_early: bool = False
    """Whether SENDING is committed before the call: set where the hook before the first byte can't be relied on."""
    owner: str = field(default_factory=own_name)
    clock: Clock = now_ms
    reached: Reached = nowhere
    learned: Learned = lambda *_: None
    """Is told what a write has left in memory."""
    logged: Callable[[Environment, ActivityDraft, str], None] = lambda *_: None
    """Is told of an activity that was logged, by its own ID."""

    def __post_init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Delivered]] = {}
        self._ended = asyncio.Event()

    def start(self, write: Write, seconds: float, plan: Plan[Any] | None = None) -> asyncio.Task[Delivered]:
        """Delivers a write within so many seconds; a write that is being delivered is not started twice."""
        task = self._tasks.get(write.id)
        if task is None:
            work = self._deliver(write, plan or self.planner(write), seconds)
            task = self._tasks[write.id] = asyncio.create_task(work, name=f"write {write.id}")
            task.add_done_callback(partial(self._end, write.id))
        return task

    def under_way(self, write_id: str) -> asyncio.Task[Delivered] | None:
        return self._tasks.get(write_id)

    async def drain(self, seconds: float) -> None:
        """Lets what is under way finish; what does not is in doubt, unless no byte of it has left: then it is free for
        whoever comes next.
        """
        if self._tasks:
            _, late = await asyncio.wait(list(self._tasks.values()), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        try:
            await self.writer.run(self._give_up)
        except LEDGER_ERRORS as error:
            # Others take it when its lease is over, as of any process that they know nothing of.
            _log.error("what was under way could not be given up", extra=describe(error))

    async def expire(self, write: Write) -> Delivered:
        """Ends a write that was provably never sent, and has no time left. Raises one of LEDGER_ERRORS."""
        return await self.commit(write, out_of_time(write.vendor), None, None)

    async def commit(
        self,
        write: Write,
        transition: Transition,
        plan: Plan[Any] | None,
        answer: Received | None,
        *,
        was_found: bool = False,
    ) -> Delivered:
        """Stores what became of an attempt, with what it leaves in memory. `was_found`: the answer was looked for, and counts
        only while no other write has the record, or has done the same: two that are alike may have found the same one at
        the same moment, or its own one was answered meanwhile.

        A write that was sent is in doubt where that can't be stored in time. Of one that was not, the error is raised.
        """
        accepted = plan.accept(answer) if plan is not None and answer is not None else None
        values = _values(write, transition, accepted, answer, self.clock())

        def work(connection: Connection) -> Delivered | None:
            def is_taken() -> bool:
                return plan is not None and accepted is not None and _is_taken(connection, write, plan, accepted)

            if was_found and is_taken():
                return _as_it_is(connection, write)
            changed = store.change(connection, write, transition.reason, self.clock(), **values)
            if changed is None:
                changed = self._change_late(connection, write, transition, values, is_taken)
            if changed is not None and accepted is not None:
                where = write.environment
                memory.forget(connection, {(where, key) for key in accepted.gone})
                memory.merge(connection, {(where, each.key): [each] for each in accepted.seen})
            if store.has_company(write):
                store.next_is_due(connection, write, self.clock())
            return Delivered(changed, accepted) if changed is not None else _as_it_is(connection, write)

        done = await self._store(write, work)
        is_done = done is not None and done.write.state is WriteState.SUCCEEDED
        if accepted is not None and (done is None or is_done):
            self.learned(write.environment, accepted.seen, accepted.gone)
        self.reached("terminal_committed")
        if is_done and accepted is not None and write.operation is WriteOperation.LOG_ACTIVITY:
            self._tell(write, accepted)
        return done or Delivered(_doubtful(write))

    def _tell(self, write: Write, accepted: Accepted[Any]) -> None:
        draft = write.read_draft()
        if isinstance(draft, ActivityDraft):
            for each in accepted.seen:
                self.logged(write.environment, draft, each.id)

    async def has_turn(self, write: Write) -> bool:
        """Whether no other write of its lane goes first."""
        return not store.has_company(write) or await self.reads.run(lambda c: store.is_next_in_lane(c, write))

    def _end(self, write_id: str, task: asyncio.Task[Delivered]) -> None:
        self._tasks.pop(write_id, None)
        self._ended.set()
        if not task.cancelled():
            task.exception()  # whoever waits for it gets it; where nobody does any more, it is no noise in the log

    def _give_up(self, connection: Connection) -> None:
        """What this process was still sending is in doubt from now on."""
        now = self.clock()
        for write in store.abandoned(connection, now, dead_owners=[self.owner], most=1000):
            reason = "the gateway was stopped while it was being sent"
            store.change(connection, write, reason, now, **in_doubt_from(now))
        store.release(connection, now, [self.owner])

    async def _deliver(self, write: Write, plan: Plan[Any], seconds: float) -> Delivered:
        own = begin(f"write-{write.id[-16:]}", seconds)
        while await self._waits_for_turn(write, own.deadline):
            attempt = _Attempt(self, write, own.remaining(seconds))
            answer, error = await attempt.run(plan)
            if attempt.was_kept_back:
                if (known := await self._changed(write)) is not None:
                    return Delivered(known)
                continue
            write = attempt.write
            left = own.remaining_for_repeat(seconds)
            transition = self._verdict(write, error, left, plan)
            done = await self.commit(write, transition, plan, answer)
            write = done.write
            if write.state is not WriteState.PENDING or transition.wait >= left:
                return done
            await asyncio.sleep(transition.wait)
        return await self.expire(write) if write.delivery is Delivery.WAIT and not write.in_doubt else Delivered(write)

    async def _changed(self, write: Write) -> Write | None:
        """The write as it is now, if somebody has changed it."""
        known = await self.reads.run(lambda c: store.by_id(c, write.id))
        return known if known is not None and known.updated_ms != write.updated_ms else None

    async def _waits_for_turn(self, write: Write, deadline: float) -> bool:
        """Whether the write has its turn before the deadline: what is older in its lane goes first."""
        if not store.has_company(write):
            return True
        self._ended.clear()
        while not await self.has_turn(write):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _TURN)):
                    await self._ended.wait()
            self._ended.clear()
        return True

    def _verdict(self, write: Write, error: MutationError | None, left: float, plan: Plan[Any]) -> Transition:
        """What an attempt means. A background write has its own time, beyond that of one delivery; one that is waited for
        is tried again only so often, and only as the vendor's retry budget allows.
        """
        if write.delivery is Delivery.BACKGROUND:
            left = (write.give_up_ms - self.clock()) / 1000
        elif write.examined >= MOST_REPEATS or (
            isinstance(error, VendorUnavailable | RateLimited) and not plan.gate.may_repeat()
        ):
            left = 0.0
        return after_attempt(error, in_doubt=write.in_doubt, attempts=write.examined, seconds_left=left)

    def _change_late(
        self,
        connection: Connection,
        write: Write,
        transition: Transition,
        values: dict[str, Any],
        is_taken: Callable[[], bool],
    ) -> Write | None:
        """The same for an attempt that the ledger has otherwise by now.

        Its SENDING was committed only after it had been given up: it is still this one's. Or another process took it for lost,
        and it is in doubt, but here is the answer: that ends the doubt, unless what it did has been told to another write.
        """
        found = store.by_id(connection, write.id)
        if found is None:
            return None
        is_ours = found.owner == self.owner and found.attempts == write.attempts + 1
        is_same = write.state is WriteState.SENDING and found.attempts == write.attempts
        is_answered = is_same and transition.to is WriteState.SUCCEEDED
        if (found.state is WriteState.SENDING and is_ours) or (
            found.state is WriteState.UNKNOWN and is_answered and not is_taken()
        ):
            return store.change(connection, found, transition.reason, self.clock(), **values)
        return None

    async def _store(self, write: Write, work: Work[Delivered | None]) -> Delivered | None:
        try:
            return await self.store(work)
        except LEDGER_ERRORS:
            if write.state is WriteState.PENDING and not write.in_doubt:
                raise
            return None

    async def store(self, work: Work[T], most: float = _LONGEST) -> T:
        """The result of `work`, stored again and again within the time there is: nothing is lost for a busy database. No try is
        begun after `most` seconds.

        Raises the last of LEDGER_ERRORS, when nothing was stored or nothing was heard of it: what is still waiting for its turn
        then is stored later, and nobody is told.
        """
        end = asyncio.get_running_loop().time() + most
        while True:
            left = max(current().remaining(_LONGEST), RESERVE)  # also what comes at the last moment has a chance
            try:
                async with asyncio.timeout(left):
                    return await self.writer.run(work)
            except LEDGER_ERRORS as error:
                _log.error("the ledger could not be written", extra=describe(error))  # no payloads in logs
                if current().remaining(_AGAIN) < _AGAIN or asyncio.get_running_loop().time() > end:
                    raise
                await asyncio.sleep(_AGAIN)


class _Attempt:
    """One try to send a write; `write` is as the ledger has it, during and after it."""

    def __init__(self, deliveries: Deliveries, write: Write, seconds: float) -> None:
        self._deliveries = deliveries
        self._seconds = seconds
        self.write = write
        self.was_kept_back = False

    async def run(self, plan: Plan[Any]) -> tuple[Received | None, MutationError | None]:
        """The vendor's answer, or the error that it ended in. Anything that nobody foresaw is doubt, once it was sent."""
        is_early = self._deliveries.commits_early
        try:
            if is_early:
                await self._before_first_byte()
            answer = await plan.send(None if is_early else self._before_first_byte)
            self._deliveries.reached("answer_in_hand")
        except Refusal as refusal:
            return None, refusal.errors[0]
        except Exception as error:  # noqa: BLE001  # anything else means unknown
            if not self.was_kept_back:
                _log.error("unforeseen error of a delivery", extra=describe(error))
            return None, self._unforeseen(plan)
        return answer, None

    def _unforeseen(self, plan: Plan[Any]) -> MutationError:
        if self.write.state is WriteState.SENDING:
            message = "The write was sent, and what came of it could not be read. Look before you repeat it."
            return OutcomeUnknown(message=message, vendor=plan.vendor)
        message = "The write could not be sent. Try again later."
        return VendorUnavailable(message=message, vendor=plan.vendor)

    async def _before_first_byte(self) -> None:
        """Commits SENDING. Raises LostWrite, which keeps the request from leaving, if the write has changed meanwhile."""
        deliveries, write = self._deliveries, self.write
        now = deliveries.clock()
        values: dict[str, Any] = {
            "attempts": write.attempts + 1,
            "owner": deliveries.owner,
            "lease_ms": now + round((self._seconds + LEASE_BEYOND_DEADLINE) * 1000),
            "first_sent_ms": write.first_sent_ms or now,
        }
        changed = await deliveries.writer.run(lambda c: store.start_sending(c, write, now, **values))
        if changed is None:
            self.was_kept_back = True
            raise LostWrite
        self.write = changed
        deliveries.reached("sending_committed")


def in_doubt_from(now: int) -> dict[str, Any]:
    """The columns of a write that was being sent when its process ended."""
    due_ms = now + milliseconds_until_look(0)
    return {"state": WriteState.UNKNOWN, "in_doubt": True, "owner": None, "lease_ms": None, "due_ms": due_ms}


def _is_taken(connection: Connection, write: Write, plan: Plan[Any], accepted: Accepted[Any]) -> bool:
    """Whether another write has done this; from here on no other transaction can say that it has."""
    one_at_a_time(connection)
    if accepted.record_id is not None:
        return store.is_claimed(connection, write.environment, accepted.record_id)
    answers = store.answered_in_lane(connection, write) if accepted.effects else []
    others = (plan.accept(plan.model.model_validate_json(each)) for each in answers)
    return any(not accepted.effects.isdisjoint(other.effects) for other in others)


def _as_it_is(connection: Connection, write: Write) -> Delivered | None:
    known = store.by_id(connection, write.id)
    return Delivered(known) if known is not None else None


def _doubtful(write: Write) -> Write:
    """A write of which the ledger could not be told what became of it; its lease will tell that it is in doubt."""
    message = "The write was sent, and what became of it could not be stored. Ask for the receipt before you repeat it."
    error = write_error(OutcomeUnknown(message=message, vendor=write.vendor))
    return replace(write, state=WriteState.UNKNOWN, in_doubt=True, error=error)


def _values(
    write: Write, transition: Transition, accepted: Accepted[Any] | None, answer: Received | None, now: int
) -> dict[str, Any]:
    """The columns that a transition changes."""
    error = write_error(transition.error) if transition.error is not None else None
    values: dict[str, Any] = {"state": transition.to, "error": error, "owner": None, "lease_ms": None}
    if transition.to is WriteState.UNKNOWN:
        examined = write.examined if write.in_doubt else 0
        wait = max(milliseconds_until_look(examined), round(transition.wait * 1000))
        values |= {"in_doubt": True, "examined": examined, "due_ms": now + wait}
    if transition.to is WriteState.PENDING:
        values |= {"examined": write.examined + 1, "due_ms": now + round(transition.wait * 1000)}
        if write.delivery is Delivery.WAIT:  # stays this delivery's own: nobody else takes it before its time is over
            values |= {"owner": write.owner, "due_ms": max(values["due_ms"], write.give_up_ms + 5000)}
    if accepted is not None and answer is not None:
        values |= {"result_id": accepted.record_id, "answer": answer.model_dump_json()}
    return values
