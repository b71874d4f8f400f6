"""The ledger as the schema's Ledger and Receipts: idempotency keys, replays, receipts."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from sqlalchemy import Connection as DatabaseConnection

from app.current import current
from app.ledger import store
from app.ledger.delivery import LEDGER_ERRORS, Deliveries
from app.ledger.settlement import Word, settle
from app.ledger.states import FINAL
from app.ledger.store import Wanted
from app.ledger.write import Write, fingerprint, with_key, write_draft
from app.paging import Cursors, edge, page_of
from app.plan import Accepted, Intent, Plan
from app.telemetry import describe
from app.transactions import Transactions
from app.writer import Writer
from schema import ids
from schema.access import EVERYTHING
from schema.drafts import Draft
from schema.errors import (
    IdempotencyConflict,
    LedgerUnavailable,
    MutationError,
    NotFound,
    OutcomeUnknown,
    Refusal,
    VendorUnavailable,
    WriteInProgress,
)
from schema.ids import Kind
from schema.ports import ReceiptQuery, Written
from schema.types.connection import Connection
from schema.types.receipt import Delivery, Receipt, ReceiptEvent, WriteOperation, WriteState
from schema.types.status import Viewer
from schema.vendor import Vendor

READ_ALL = "receipts:read-all"
_log = logging.getLogger(__name__)
_OPEN = frozenset({WriteState.PENDING, WriteState.SENDING})
_POLL = 0.1

_PATIENCE = 1.0
"""In seconds: after that no new try to store a new write is begun. A caller who is told soon can ask elsewhere."""


PLANNERS = {
    WriteOperation.CREATE_PERSON_LOG: "person_logs",
    WriteOperation.CREATE_PROSPECT_LOG: "prospect_logs",
    WriteOperation.CREATE_CONTACT: "contact_book",
    WriteOperation.SYNC_CONTACT_METHODS: "contact_methods",
    WriteOperation.LOG_ACTIVITY: "activities",
}
"""The port that plans each write, by its name in schema.context.Context."""


class Planner(Protocol):
    """A port that can write."""

    def plan(self, draft: Any, intent: Intent) -> Plan[Any]: ...


@dataclass  # not frozen: each request that writes makes one, and that takes thrice the time
class LedgerBook:
    """Fills schema.ports.Ledger and schema.ports.Receipts for one request.

    `delivery_max_age` is how long a background write is tried, in seconds; `configured` are the vendors that can be called, and
    `planners` the ports by name.
    """

    viewer: Viewer
    reads: Transactions
    writer: Writer
    deliveries: Deliveries
    planners: Mapping[str, Planner]
    configured: frozenset[Vendor]
    cursors: Cursors
    delivery_max_age: float
    wake: asyncio.Event

    async def write(
        self,
        operation: WriteOperation,
        draft: Draft,
        key: str | None,
        delivery: Delivery,
        resolve: Callable[[], Awaitable[Draft]] | None,
    ) -> Written[Any]:
        try:
            return await self._write(operation, draft, key, delivery, resolve)
        except LEDGER_ERRORS as error:
            _log.error("the ledger does not answer", extra=describe(error))  # no payloads in logs
            raise LedgerUnavailable("Writes can't be stored right now, so nothing was sent. Try again later.") from None

    async def _write(
        self,
        operation: WriteOperation,
        draft: Draft,
        key: str | None,
        delivery: Delivery,
        resolve: Callable[[], Awaitable[Draft]] | None,
    ) -> Written[Any]:
        """First the key is looked up, then everything else. Where nothing has to be asked for in between, both are one step."""
        mark = fingerprint(operation, draft)
        idempotency_key = key or f"made-{os.urandom(16).hex()}"
        draft = with_key(draft, idempotency_key)  # also where it was given in the header, or made
        intent = Intent(idempotency_key, _moment(self.deliveries.clock()))  # as the ledger keeps it: to the millisecond
        whole: Draft | None = None
        while True:
            held = await self._held(idempotency_key) if resolve is not None and key is not None else None
            if held is None:
                whole = whole or (with_key(await resolve(), idempotency_key) if resolve else draft)
                plan = self.planners[PLANNERS[operation]].plan(whole, intent)
                write = self._new(operation, whole, intent, mark, delivery, plan)
                refusal = self._refusal(write, plan)
                held = await self._claim(write, refusal, is_new=key is None)
                if held.id == write.id:
                    return await self._send(held, plan)
            answered = await self._repeat(held, mark, draft)
            if answered is not None:
                return answered

    async def _claim(self, write: Write, refusal: MutationError | None, *, is_new: bool) -> Write:
        """The write, stored, or the one that holds its key. Raises Refusal where it could not even be tried. `is_new`: its key
        was made a moment ago, and nobody holds it.
        """
        if refusal is not None:
            held = None if is_new else await self._held(write.idempotency_key)
            if held is None:
                raise Refusal(refusal)  # before it is stored: it leaves no receipt, and its key is free
            return held
        self.deliveries.reached("before_intent")
        held = await self._store(write, is_new=is_new)
        self.deliveries.reached("intent_committed")
        return held

    async def _store(self, write: Write, *, is_new: bool) -> Write:
        """Stores a new write, if need be again: it may be committed and nobody have heard of it. What is given up is not stored
        later, as far as this can be helped.
        """
        is_over = False

        def work(connection: DatabaseConnection) -> Write:
            if is_over:
                raise TimeoutError
            return store.claim_key(connection, write)

        try:
            return await self.deliveries.store(work, _PATIENCE)
        except LEDGER_ERRORS:
            is_over = True
            if write.delivery is Delivery.WAIT:
                raise  # stored or not, nobody sends it: it is due only when its time is over
            raise LedgerUnavailable(_perhaps_stored(is_new=is_new)) from None

    def _refusal(self, write: Write, plan: Plan[Any]) -> MutationError | None:
        """Why a write is not even stored: a background write waits for its vendor, one that is waited for may not."""
        if plan.vendor not in self.configured:
            return _not_configured(plan.vendor)
        return plan.gate.refusal() if write.delivery is Delivery.WAIT else None

    async def _send(self, write: Write, plan: Plan[Any]) -> Written[Any]:
        if write.delivery is Delivery.BACKGROUND:
            self.wake.set()
            return Written(None, self._receipt(write))
        seconds = current().remaining(300.0)
        done = await asyncio.shield(self.deliveries.start(write, seconds, plan))
        return await self._outcome(done.write, plan, done.accepted, replayed=False)

    async def get(self, receipt_id: str | None, idempotency_key: str | None) -> Receipt | None:
        if idempotency_key is not None:
            found = await self._by_key(idempotency_key)
        else:
            found = await self._by_id(receipt_id or "")
        return self._receipt(found) if found is not None and self._may_see(found) else None

    async def page(self, query: ReceiptQuery, first: int, after: str | None) -> Connection[Receipt]:
        wanted = Wanted(
            self.viewer.environment,
            None if self._sees_all() else self.viewer.key_id,
            query.state,
            query.needs_attention,
            _ms(query.window.start),
            _ms(query.window.end),
        )
        place = self.cursors.read(after) if after is not None else None
        after_place = (place[0], place[1]) if place else None
        found = await self.reads.run(lambda c: store.page(c, wanted, after_place, first + 1))
        edges = [edge(self._receipt(each), self.cursors, each.created_ms, each.id) for each in found[:first]]
        return page_of(edges, after, has_next_page=len(found) > first)

    async def events(self, receipt_id: str) -> list[ReceiptEvent]:
        found = (await self.reads.run(lambda c: store.events(c, [receipt_id]))).get(receipt_id, [])
        return [
            ReceiptEvent(at=_moment(each.at_ms), from_=each.before, to=each.after, reason=each.reason) for each in found
        ]

    async def settle(self, receipt_id: str, *, applied: bool, vendor_record_id: str | None, note: str) -> Receipt:
        found = await self._by_id(receipt_id)
        if found is None or not self._may_see(found):
            raise Refusal(NotFound(message="There is no such receipt.", path=["input", "receiptId"]))
        word = Word(applied, vendor_record_id, note, self.viewer.name)
        try:
            return self._receipt(await settle(self.writer, found, word, self.deliveries.clock()))
        except LEDGER_ERRORS as error:
            _log.error("the ledger does not answer", extra=describe(error))
            message = (
                "The ledger can't be written right now, so it may not be settled yet. Read the receipt, and try again."
            )
            raise LedgerUnavailable(message) from None

    async def _repeat(self, known: Write, mark: str, draft: Draft) -> Written[Any] | None:
        """What a repeat of a key is answered: the stored outcome, the vendor not asked; None once the key is free."""
        if known.fingerprint != mark:
            message = "This idempotency key was used for another input. Use a new key for a new write."
            raise Refusal(IdempotencyConflict(message=message), receipt=self._receipt(known))
        known = await self._wait_for(known)
        if not known.is_blocking():
            return None
        if known.state in _OPEN and known.delivery is Delivery.WAIT:
            message = "The same write is being sent right now. Ask again with the same key."
            raise Refusal(WriteInProgress(message=message), receipt=self._receipt(known, replayed=True))
        intent = Intent(known.idempotency_key, _moment(known.created_ms))
        plan = self.planners[PLANNERS[known.operation]].plan(draft, intent)
        return await self._outcome(known, plan, None, replayed=True)

    async def _wait_for(self, known: Write) -> Write:
        """The write once it is no longer open, as far as the deadline allows; a background write is not waited for."""
        loop = asyncio.get_running_loop()
        end = loop.time() + max(0.0, current().remaining(300.0) - 0.25)
        while known.state in _OPEN and known.delivery is Delivery.WAIT and loop.time() < end:
            task = self.deliveries.under_way(known.id)
            if task is not None:
                await asyncio.wait([task], timeout=end - loop.time())
            else:
                await asyncio.sleep(_POLL)
            known = await self._by_id(known.id) or known
        return known

    async def _outcome(
        self, write: Write, plan: Plan[Any], accepted: Accepted[Any] | None, *, replayed: bool
    ) -> Written[Any]:
        """What the caller is told; `accepted` is what the stored answer amounts to, where that is known already."""
        receipt = self._receipt(write, replayed=replayed)
        if write.state is WriteState.SUCCEEDED and write.answer is not None:
            accepted = accepted or plan.accept(plan.model.model_validate_json(write.answer))
            return Written(await accepted.read(), receipt)
        error = _told(write)
        if error is not None and write.state not in _OPEN:
            raise Refusal(error, receipt=receipt)
        return Written(None, receipt)

    async def _held(self, idempotency_key: str) -> Write | None:
        """The write that holds a key; None if it is free."""
        known = await self._by_key(idempotency_key)
        return known if known is not None and known.is_blocking() else None

    async def _by_key(self, idempotency_key: str) -> Write | None:
        if "\0" in idempotency_key:
            return None  # PostgreSQL has no text with it, and no write has such a key
        viewer = self.viewer
        return await self.reads.run(lambda c: store.by_key(c, viewer.environment, viewer.key_id, idempotency_key))

    async def _by_id(self, write_id: str) -> Write | None:
        return await self.reads.run(lambda c: store.by_id(c, write_id))

    def _new(
        self, operation: WriteOperation, draft: Draft, intent: Intent, mark: str, delivery: Delivery, plan: Plan[Any]
    ) -> Write:
        now = round(intent.at.timestamp() * 1000)
        is_background = delivery is Delivery.BACKGROUND
        seconds = self.delivery_max_age if is_background else current().remaining(300.0)
        write_id = store.new_id()
        return Write(
            id=write_id,
            environment=self.viewer.environment,
            gateway_key=self.viewer.key_id,
            idempotency_key=intent.idempotency_key,
            operation=operation,
            vendor=plan.vendor,
            fingerprint=mark,
            vendor_key=plan.vendor_key,
            lane=plan.lane or write_id,
            delivery=delivery,
            draft=write_draft(operation, draft),
            state=WriteState.PENDING,
            attempts=0,
            in_doubt=False,
            owner=None if is_background else self.deliveries.owner,
            lease_ms=None,
            due_ms=now if is_background else now + round(seconds * 1000) + 5000,
            give_up_ms=now + round(seconds * 1000),
            examined=0,
            needs_attention=False,
            error=None,
            result_id=None,
            answer=None,
            first_sent_ms=None,
            created_ms=now,
            updated_ms=now,
            completed_ms=None,
            superseded=False,
        )

    def _may_see(self, write: Write) -> bool:
        is_mine = write.gateway_key == self.viewer.key_id
        return write.environment is self.viewer.environment and (is_mine or self._sees_all())

    def _sees_all(self) -> bool:
        return bool({READ_ALL, EVERYTHING} & set(self.viewer.scopes))

    def _receipt(self, write: Write, *, replayed: bool = False) -> Receipt:
        return Receipt(
            id=ids.encode(Kind.RECEIPT, write.id),
            own_id=write.id,
            result_id=write.result_id,
            idempotency_key=write.idempotency_key,
            operation=write.operation,
            vendor=write.vendor,
            state=write.state,
            replayed=replayed,
            attempts=write.attempts,
            needs_attention=write.needs_attention,
            error=_shown(write),
            created_at=_moment(write.created_ms),
            updated_at=_moment(write.updated_ms),
            completed_at=_moment(write.completed_ms) if write.completed_ms else None,
        )


def _told(write: Write) -> MutationError | None:
    """What the caller is told of a write. One in doubt is never said to be repeatable, whatever its last attempt ended in."""
    error = write.read_error()
    if write.state is not WriteState.UNKNOWN or isinstance(error, OutcomeUnknown):
        return error
    return _doubt(write)


def _shown(write: Write) -> MutationError | None:
    """What its receipt says, also while it is sent again."""
    error = write.read_error()
    if error is None or not write.in_doubt or write.state in FINAL or isinstance(error, OutcomeUnknown):
        return error
    return _doubt(write)


def _doubt(write: Write) -> OutcomeUnknown:
    message = "The write was sent, and nobody knows whether it was applied. Ask for the receipt before you repeat it."
    return OutcomeUnknown(message=message, vendor=write.vendor)


def _perhaps_stored(*, is_new: bool) -> str:
    """What is said of a background write that may be sent later; `is_new`: its caller does not know its key."""
    what_next = "Look at the receipts before you repeat it." if is_new else "Ask with the same idempotency key again."
    return f"Whether this write was stored can't be told right now: it may be, and then it is sent later. {what_next}"


def _not_configured(vendor: Vendor) -> MutationError:
    message = f"{vendor.value.capitalize()} is not configured in this environment. Ask the gateway's operator."
    return VendorUnavailable(code="VENDOR_NOT_CONFIGURED", message=message, vendor=vendor, retryable=False)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
