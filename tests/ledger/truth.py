"""A vendor that keeps the truth: what it was sent, what it applied, and whether it ever was sent what it must not be.

It fills the port that the vendors' adapters fill: a Plan for every write. It outlives any process of the gateway.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from app.call import Hook
from app.current import current
from app.ledger.settlement import MADE
from app.ledger.write import Write
from app.plan import CLOCKS_DIFFER, Accepted, Intent, IsClaimed, Plan
from app.wire import Received
from schema import ids
from schema.drafts import ActivityDraft, ContactDraft, Draft, LogDraft, SyncDraft
from schema.errors import OutcomeUnknown, RateLimited, Refusal, VendorRejected, VendorUnavailable
from schema.types.activity import ActivityCategory
from schema.types.contact import ContactIdentifier
from schema.types.receipt import WriteOperation
from schema.vendor import Vendor


class Mood(Enum):
    """What the vendor does with what it is sent, until it is in another mood."""

    WELL = "applies it and answers"
    REFUSES = "can't be connected to"
    RESETS = "reads it, and resets the connection"
    RESETS_APPLIED = "applies it, and resets the connection"
    LATE = "resets the connection, and applies it later"
    SLOW = "applies it, and answers long after the deadline"
    PATIENCE = "answers 429"
    ERROR = "answers 500, and has applied nothing"
    ERROR_APPLIED = "answers 500, and has applied it"
    NO = "answers 422"
    GARBAGE = "applies it, and answers what nobody foresaw"


APPLIES = frozenset({Mood.WELL, Mood.RESETS_APPLIED, Mood.SLOW, Mood.ERROR_APPLIED, Mood.GARBAGE})
NOT_APPLIED = frozenset({Mood.NO, Mood.PATIENCE})
"""The moods in which the caller is told for certain that nothing was applied."""

KEY_LIFE = timedelta(hours=24)
"""For how long the vendor knows the keys that it takes: what comes later is another write to it."""

LATER = 40.0


class Made(Received):
    """An answer."""

    id: str


@dataclass(frozen=True)
class Kind:
    """A kind of write. `has_key`: the vendor takes a key. `is_found`: it can be looked for. `lane`: it keeps an order."""

    operation: WriteOperation
    draft: Callable[[str], Draft]
    has_key: bool = False
    is_found: bool = False
    lane: str | None = None


def _log(mark: str) -> Draft:
    return LogDraft(None, None, None, None, None, mark, "webhook", {"mark": mark}, None)


def _contact(mark: str) -> Draft:
    return ContactDraft(mark, (ContactIdentifier(key="crm", value=mark),), (), None, (), (), (), None)


def _sync(mark: str) -> Draft:
    return SyncDraft(mark, None, (), False, None)


def _activity(mark: str) -> Draft:
    return ActivityDraft(mark, None, ActivityCategory.OTHER, None, (), (), None, None, None, None, None)


KINDS = (
    Kind(WriteOperation.CREATE_PERSON_LOG, _log, has_key=True),
    Kind(WriteOperation.CREATE_CONTACT, _contact, is_found=True),
    Kind(WriteOperation.SYNC_CONTACT_METHODS, _sync, lane="TEST/client"),
    Kind(WriteOperation.LOG_ACTIVITY, _activity),
)


def _record_id(operation: WriteOperation, number: int) -> str:
    """What the vendor made, by ID of this API; of a sync, that it was done."""
    made = MADE.get(operation)
    if made is None:
        return f"r{number}"
    return ids.encode(made, *["p1"] * (made is ids.Kind.PERSON_LOG), f"r{number}")


@dataclass(frozen=True)
class Effect:
    """What was made: for which idempotency key of a caller, with which content, and when."""

    key: str
    operation: WriteOperation
    mark: str
    record_id: str
    at: datetime


@dataclass
class Truth:
    """`misdeeds` is what never may happen, and did. `received` is called as a request arrives, with the caller's key."""

    clock: Callable[[], int]
    received: Callable[[str], list[str]]
    mood: Mood = Mood.WELL
    latency: float = 0.05
    """In seconds: of a connection, of a request, and of its answer."""
    effects: list[Effect] = field(default_factory=list)
    asked: dict[str, set[str]] = field(default_factory=dict)
    """By the caller's key, the contents that were ever to be written."""
    misdeeds: list[str] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    """The callers' keys of what was sent without a definite answer, and is not settled by a person."""
    under_way: set[asyncio.Task[Any]] = field(default_factory=set)
    """What it still works at, whoever has asked for it."""
    _by_vendor_key: dict[str, Effect] = field(default_factory=dict)

    def planner(self, kind: Kind) -> _Planner:
        return _Planner(self, kind)

    def plan_of(self, write: Write) -> Plan[str]:
        """Fills app.ledger.delivery.Planner."""
        kind = next(each for each in KINDS if each.operation is write.operation)
        at = datetime.fromtimestamp(write.created_ms / 1000, UTC)
        return _Planner(self, kind).plan(write.read_draft(), Intent(write.idempotency_key, at))

    def applied(self, key: str) -> list[Effect]:
        return [each for each in self.effects if each.key == key]

    def applies(self, key: str, operation: WriteOperation, mark: str, vendor_key: str | None) -> Effect:
        now = datetime.fromtimestamp(self.clock() / 1000, UTC)
        known = self._by_vendor_key.get(vendor_key or "")
        if known is not None and now - known.at < KEY_LIFE:
            if known.mark != mark:
                self.misdeeds.append(f"{key} came with another content than before")
            return known
        effect = Effect(key, operation, mark, _record_id(operation, len(self.effects)), now)
        self.effects.append(effect)
        if vendor_key is not None:
            self._by_vendor_key[vendor_key] = effect
        return effect

    def works_at(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name="vendor")
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # its caller may be gone
        return task


@dataclass(frozen=True)
class _Planner:
    truth: Truth
    kind: Kind

    def plan(self, draft: Any, intent: Intent) -> Plan[str]:
        mark = _mark(draft)
        self.truth.asked.setdefault(intent.idempotency_key, set()).add(mark)
        vendor_key = f"gw1_{intent.idempotency_key}" if self.kind.has_key else None
        request = _Request(self.truth, intent.idempotency_key, self.kind.operation, mark, vendor_key)
        return Plan(
            Vendor.ARCHITECT,
            request.send,
            Made,
            _accept,
            vendor_key=vendor_key,
            lane=self.kind.lane,
            find=request.find if self.kind.is_found else None,
        )


@dataclass(frozen=True)
class _Request:
    truth: Truth
    key: str
    operation: WriteOperation
    mark: str
    vendor_key: str | None

    async def send(self, hook: Hook | None) -> Made:
        """As app.rest has it: every end but an answer is a Refusal, and an error of the hook keeps the request back."""
        await asyncio.sleep(self.truth.latency)
        if self.truth.mood is Mood.REFUSES:
            raise Refusal(VendorUnavailable(message="Not reached.", vendor=Vendor.ARCHITECT))
        try:
            if hook is not None:
                await hook()
        except Exception:  # noqa: BLE001  # as app.rest does
            raise Refusal(VendorUnavailable(message="Kept back.", vendor=Vendor.ARCHITECT)) from None
        mood = self.truth.mood
        work = self.truth.works_at(self._process(mood))
        try:
            async with asyncio.timeout(current().remaining(10.0)):
                return await asyncio.shield(work)
        except TimeoutError:
            raise Refusal(OutcomeUnknown(message="Too slow.", vendor=Vendor.ARCHITECT)) from None
        except Refusal:
            if mood in NOT_APPLIED:
                self.truth.doubtful.discard(self.key)
            raise

    async def find(self, sent_at: datetime, is_claimed: IsClaimed) -> Made | None:
        await asyncio.sleep(self.truth.latency)
        if self.truth.mood is Mood.REFUSES:
            raise Refusal(VendorUnavailable(message="Not reached.", vendor=Vendor.ARCHITECT))
        alike = [
            each
            for each in self.truth.effects
            if (each.operation, each.mark) == (self.operation, self.mark) and each.at >= sent_at - CLOCKS_DIFFER
        ]
        if len(alike) != 1 or await is_claimed(alike[0].record_id):
            return None
        return Made(id=alike[0].record_id)

    async def _process(self, mood: Mood) -> Made:
        """The vendor's side of it, from the moment at which the request arrives."""
        truth = self.truth
        if self.vendor_key is None and self.key in truth.doubtful:
            truth.misdeeds.append(f"{self.key} was sent again while it was in doubt")
        truth.misdeeds += truth.received(self.key)
        truth.doubtful.add(self.key)
        await asyncio.sleep(self.truth.latency)
        effect = truth.applies(self.key, self.operation, self.mark, self.vendor_key) if mood in APPLIES else None
        if mood is Mood.LATE:
            truth.works_at(self._apply_later())
        await asyncio.sleep(60.0 if mood is Mood.SLOW else truth.latency)
        return self._answer(mood, effect)

    async def _apply_later(self) -> None:
        await asyncio.sleep(LATER)
        self.truth.applies(self.key, self.operation, self.mark, self.vendor_key)

    def _answer(self, mood: Mood, effect: Effect | None) -> Made:
        if mood is Mood.GARBAGE:
            raise ValueError("what nobody foresaw")
        if mood is Mood.PATIENCE:
            raise Refusal(RateLimited(message="Patience.", retry_after_seconds=2.0))
        if mood is Mood.NO:
            raise Refusal(VendorRejected(message="No.", vendor=Vendor.ARCHITECT, status=422))
        if effect is None or mood is not Mood.WELL:
            raise Refusal(OutcomeUnknown(message="Nobody knows.", vendor=Vendor.ARCHITECT))
        return Made(id=effect.record_id)


def _accept(made: Made) -> Accepted[str]:
    async def read() -> str:
        return made.id

    return Accepted(read, made.id)


def _mark(draft: Any) -> str:
    match draft:
        case LogDraft():
            return str(draft.source)
        case ContactDraft():
            return draft.display_name
        case SyncDraft():
            return draft.client_id
        case _:
            return str(draft.subject)
