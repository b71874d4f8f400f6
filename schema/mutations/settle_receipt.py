"""settleReceipt: makes a write in doubt final by a person's word."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.access import Scope
from schema.context import Info
from schema.costs import costs
from schema.errors import MutationError
from schema.ids import Kind
from schema.mutations.outcome import settled
from schema.rules import Rules
from schema.types.receipt import Receipt


@strawberry.input(description="What a person found out about a write in doubt.")
class SettleReceiptInput:
    receipt_id: strawberry.ID = strawberry.field(description="The receipt.")
    applied: bool = strawberry.field(description="Whether the vendor applied the write.")
    vendor_record_id: str | None = strawberry.field(
        default=None, description="The record that it made, by ID of this API, where that is known."
    )
    note: str = strawberry.field(description="How it was found out, for those who ask later. Not empty.")


@strawberry.type(description="What became of settleReceipt.")
class SettleReceiptPayload:
    receipt: Receipt | None = strawberry.field(default=None, description="The receipt as it is now.")
    errors: list[MutationError] = strawberry.field(description="Why it was not done. Empty when it was.")


@strawberry.mutation(
    description="Settles a write whose outcome nobody could prove. For operators; needs the scope receipts:settle.",
    extensions=[Scope("receipts:settle")],
    metadata=costs(0),
)
async def settle_receipt(
    info: Info,
    input: Annotated[SettleReceiptInput, strawberry.argument(description="What was found out.")],
) -> SettleReceiptPayload | None:
    return await settled(SettleReceiptPayload, _settle(info, input))


async def _settle(info: Info, given: SettleReceiptInput) -> SettleReceiptPayload:
    rules = Rules()
    receipt_id = rules.record_id(Kind.RECEIPT, given.receipt_id, "receiptId") or ""
    note = rules.note(given.note, "note")
    rules.finish()
    receipt = await info.context.receipts.settle(
        receipt_id, applied=given.applied, vendor_record_id=given.vendor_record_id, note=note
    )
    return SettleReceiptPayload(receipt=receipt, errors=[])
