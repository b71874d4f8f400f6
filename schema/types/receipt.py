"""Receipts: the gateway's memory of one write."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from schema.context import Info
from schema.costs import costs
from schema.enums import Quick, member
from schema.errors import MutationError
from schema.nodes import read_node
from schema.types.node import Node
from schema.vendor import Vendor


@strawberry.enum(description="When a mutation answers.")
class Delivery(Enum):
    WAIT = member("WAIT", "When the vendor has answered.")
    BACKGROUND = member("BACKGROUND", "As soon as the write is safely stored; it is delivered later.")


@strawberry.enum(description="The five writes.")
class WriteOperation(Quick):
    CREATE_PERSON_LOG = member("CREATE_PERSON_LOG", "createPersonLog.")
    CREATE_PROSPECT_LOG = member("CREATE_PROSPECT_LOG", "createProspectLog.")
    CREATE_CONTACT = member("CREATE_CONTACT", "createContact.")
    SYNC_CONTACT_METHODS = member("SYNC_CONTACT_METHODS", "syncContactMethods.")
    LOG_ACTIVITY = member("LOG_ACTIVITY", "logActivity.")


@strawberry.enum(description="How far a write has come.")
class WriteState(Quick):
    PENDING = member("PENDING", "Stored, not sent.")
    SENDING = member("SENDING", "Being sent.")
    UNKNOWN = member("UNKNOWN", "Sent, and nobody knows whether it was applied.")
    SUCCEEDED = member("SUCCEEDED", "Applied. Final.")
    FAILED = member("FAILED", "Not applied. Final.")


@strawberry.type(description="One change of state of a write.")
class ReceiptEvent:
    at: datetime = strawberry.field(description="When it happened.")
    from_: WriteState | None = strawberry.field(
        name="from", default=None, description="The state before; null at the start."
    )
    to: WriteState = strawberry.field(description="The state after.")
    reason: str = strawberry.field(description="Why.")


@strawberry.type(
    description="The gateway's durable memory of one write. It survives crashes and answers every repeat of the same "
    "idempotency key."
)
class Receipt(Node):
    idempotency_key: str = strawberry.field(description="The caller's key, or the one made for it.")
    operation: WriteOperation = strawberry.field(description="Which write.")
    vendor: Vendor = strawberry.field(description="Whose API it ends in.")
    state: WriteState = strawberry.field(description="How far it has come.")
    replayed: bool = strawberry.field(description="This answer came from memory: the vendor was not asked again.")
    attempts: int = strawberry.field(description="How often it was sent.")
    needs_attention: bool = strawberry.field(description="Whether a person has to settle it.")
    error: MutationError | None = strawberry.field(default=None, description="Why it failed.")
    created_at: datetime = strawberry.field(description="When it was stored.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    completed_at: datetime | None = strawberry.field(default=None, description="When its state became final.")
    own_id: strawberry.Private[str]
    result_id: strawberry.Private[str | None]

    @strawberry.field(description="The record that it made; null for a sync of contact methods.", metadata=costs(1))
    async def result(self, info: Info) -> Node | None:
        return await read_node(info.context, self.result_id) if self.result_id is not None else None

    @strawberry.field(description="Its history.", metadata=costs(0))
    async def events(self, info: Info) -> list[ReceiptEvent]:
        return await info.context.receipts.events(self.own_id)
