"""How a receipt is followed: what the ledger's history says has happened between two looks is told step by step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from app.live.receipts import ReceiptWatch, follow
from schema.errors import OutcomeUnknown
from schema.ports import Receipts
from schema.types.receipt import Receipt, ReceiptEvent, WriteOperation, WriteState
from schema.vendor import Vendor
from tests.live.served import PATIENCE

START = datetime(2026, 11, 21, tzinfo=UTC)
PENDING, SENDING, UNKNOWN, SUCCEEDED = (
    WriteState.PENDING,
    WriteState.SENDING,
    WriteState.UNKNOWN,
    WriteState.SUCCEEDED,
)


class FakeReceipts:
    """Fills schema.ports.Receipts, and is its own watch: a change is what the test writes down."""

    def __init__(self) -> None:
        self.events_: list[ReceiptEvent] = []
        self.receipt: Receipt | None = Receipt(
            id=cast(Any, "id"),
            own_id="own",
            result_id=None,
            idempotency_key="k",
            operation=WriteOperation.CREATE_CONTACT,
            vendor=Vendor.BIRD,
            state=PENDING,
            replayed=False,
            attempts=0,
            needs_attention=False,
            created_at=START,
            updated_at=START,
        )
        self.changes = asyncio.Semaphore(0)
        self.write(PENDING)

    def write(self, state: WriteState, **fields: Any) -> None:
        """One change in the ledger."""
        assert self.receipt is not None
        before = self.events_[-1].to if self.events_ else None
        at = START + timedelta(milliseconds=len(self.events_))
        attempts = self.receipt.attempts + (state is SENDING)
        self.receipt = replace(self.receipt, state=state, updated_at=at, attempts=attempts, **fields)
        self.events_.append(ReceiptEvent(at=at, from_=before, to=state, reason=""))

    async def get(self, _: str | None, __: str | None) -> Receipt | None:
        return self.receipt

    async def events(self, _: str) -> list[ReceiptEvent]:
        return self.events_

    async def changed(self, _: str, __: datetime) -> None:
        await self.changes.acquire()


@pytest.fixture
def ledger() -> FakeReceipts:
    """A ledger with one write, which is pending."""
    return FakeReceipts()


@pytest.fixture
async def stream(ledger: FakeReceipts) -> AsyncIterator[Any]:
    """The write as it is followed; the first receipt has been told."""
    assert ledger.receipt is not None
    stream = follow(cast(Receipts, ledger), cast(ReceiptWatch, ledger), ledger.receipt)
    assert (await anext(stream)).state is PENDING
    yield stream
    await stream.aclose()


async def test_what_changed_several_times_between_two_looks_is_told_several_times(
    ledger: FakeReceipts, stream: Any
) -> None:
    """With the state, the time and the number of attempts of each; the last is whole, and ends the stream."""
    error = OutcomeUnknown(message="?", vendor=Vendor.BIRD)
    for state in (SENDING, PENDING, SENDING):
        ledger.write(state)
    ledger.write(UNKNOWN, error=error)
    ledger.write(SUCCEEDED, error=None, result_id="made", completed_at=START)
    ledger.changes.release()
    told = [each async for each in stream]
    assert [(each.state, each.attempts) for each in told] == [
        (SENDING, 1),
        (PENDING, 1),
        (SENDING, 2),
        (UNKNOWN, 2),
        (SUCCEEDED, 2),
    ]
    assert [each.updated_at for each in told] == [event.at for event in ledger.events_[1:]]
    assert [each.completed_at for each in told[:-1]] == [None] * 4
    assert told[-1] == ledger.receipt


async def test_a_look_without_a_change_of_state_is_not_told(ledger: FakeReceipts, stream: Any) -> None:
    """Such as one that moves the time of the next look; but it is told when a person is needed from now on."""
    ledger.write(UNKNOWN)
    ledger.changes.release()
    assert (await anext(stream)).state is UNKNOWN
    for fields in ({}, {"needs_attention": True}):
        ledger.write(UNKNOWN, **fields)
        ledger.changes.release()
    told = await anext(stream)
    assert (told.state, told.needs_attention) == (UNKNOWN, True)


async def test_a_receipt_that_may_not_be_seen_any_longer_ends_the_stream(ledger: FakeReceipts, stream: Any) -> None:
    """It was deleted, or the key lost the scope."""
    ledger.receipt = None
    ledger.changes.release()
    async with asyncio.timeout(PATIENCE):
        assert [each async for each in stream] == []
