"""A sync that is looked for at Artu's sandbox is done only if nobody else can have done what is found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger import store
from app.ledger.delivery import Deliveries
from app.ledger.states import Transition
from app.plan import Intent, Plan
from app.transactions import Transactions
from app.vendor import Scope
from app.vendors.artu import SPEC, wire
from app.vendors.artu.adapter import ArtuContactMethodBook
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from app.writer import Writer
from schema.drafts import ContactMethodDraft, SyncDraft
from schema.ids import Kind, encode
from schema.ports import Synced
from schema.types.contact_method import ContactMethodType
from schema.types.receipt import WriteOperation, WriteState
from schema.vendor import Vendor
from tests.ledger.rows import in_state
from tests.ledger.world import VIEWER
from tests.vendors.upstream import sandboxed


@pytest.fixture
async def book() -> AsyncIterator[ArtuContactMethodBook]:
    """Artu's contact methods, over a new sandbox. To write, it needs of a request only who asks."""
    async with sandboxed(SPEC) as client:
        yield ArtuContactMethodBook(client, Scope(VIEWER, *cast("Any", (None, None, {}))))


def a_sync(external_id: str | None = None, label: str | None = None) -> SyncDraft:
    """Of one e-mail address of one client."""
    email = ContactMethodType.EMAIL
    item = ContactMethodDraft(None, email, "ada@example.com", None, label, external_id, None, delete=False)
    return SyncDraft(FIRST_CLIENT_ID, None, (item,), replace=False, idempotency_key=None)


def planned(book: ArtuContactMethodBook, draft: SyncDraft) -> Plan[Synced]:
    return book.plan(draft, Intent("k", datetime.now(UTC)))


@pytest.mark.parametrize("external_id", [None, "crm-1"])
async def test_what_was_known_before_is_not_what_a_sync_has_made(
    book: ArtuContactMethodBook, external_id: str | None
) -> None:
    """It is there, alike and new, and still another's; what nobody knew is the sync's own."""
    plan = planned(book, a_sync(external_id))
    assert plan.find is not None
    made = await plan.send(None)
    assert isinstance(made, wire.Synced)
    known = {encode(Kind.CONTACT_METHOD, each.id) for each in made.created}

    async def is_claimed(record_id: str) -> bool:
        return record_id in known

    assert await plan.find(datetime.now(UTC), is_claimed) is None
    known.clear()
    assert await plan.find(datetime.now(UTC), is_claimed) == made


async def outcomes(engine: AsyncEngine, plan: Plan[Synced], *found: wire.Synced) -> list[WriteState]:
    """What becomes of syncs of one lane that are in doubt, each told that it has done this, one after the other."""
    sync = {"operation": WriteOperation.SYNC_CONTACT_METHODS, "vendor": Vendor.ARTU, "lane": "client"}
    writes = [in_state(WriteState.UNKNOWN, f"w{number}", **sync) for number in range(len(found))]
    transition = Transition(WriteState.SUCCEEDED, "found at the vendor")
    writer, reads = Writer(engine), Transactions(engine)
    deliveries = Deliveries(reads, writer, lambda _: plan)
    async with writer.running():
        assert await writer.run(lambda c: all(store.add(c, each) for each in writes))
        told = zip(writes, found, strict=True)
        done = [await deliveries.commit(write, transition, plan, each, was_found=True) for write, each in told]
    reads.close()
    return [each.write.state for each in done]


async def test_what_is_found_was_done_by_one_sync(ledger: AsyncEngine, book: ArtuContactMethodBook) -> None:
    """Two that are alike find the same: the second stays in doubt. Another change of the same contact method is another's."""
    plan = planned(book, a_sync("crm-1"))
    made = await plan.send(None)
    assert isinstance(made, wire.Synced)
    [method] = made.created
    changed, later = (
        made.model_copy(update={"created": [], "updated": [method.model_copy(update={"updated_at": at})]})
        for at in (datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (1, 2))
    )
    done, doubtful = WriteState.SUCCEEDED, WriteState.UNKNOWN
    assert await outcomes(ledger, plan, made, made, changed, changed, later) == [done, doubtful, done, doubtful, done]
