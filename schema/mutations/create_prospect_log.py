"""createProspectLog: writes what happened to a prospect."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.access import Scope
from schema.context import Info
from schema.costs import costs
from schema.errors import MutationError
from schema.ids import Kind
from schema.mutations.delivery import written
from schema.mutations.logs import log_draft
from schema.mutations.outcome import settled
from schema.ports import Logged
from schema.scalars import JSON, URL, EmailAddress, PhoneNumber
from schema.types.person import Prospect, ProspectLog
from schema.types.receipt import Delivery, Receipt, WriteOperation


@strawberry.input(description="What happened, and to whom. At least one of the first four fields is given.")
class CreateProspectLogInput:
    prospect_id: strawberry.ID | None = strawberry.field(
        default=None, description="The prospect, by ID of this API or Architect's own."
    )
    email_address: EmailAddress | None = strawberry.field(
        default=None, description="Finds the prospect; makes one if there is none."
    )
    phone_number: PhoneNumber | None = strawberry.field(
        default=None, description="Finds the prospect; makes one if there is none."
    )
    linkedin_profile_url: URL | None = strawberry.field(
        default=None, description="Finds the prospect; makes one if there is none."
    )
    name: str | None = strawberry.field(
        default=None, description="The name, for a prospect who is made. 1 to 255 characters."
    )
    source: str = strawberry.field(description="The system that reports it. 1 to 100 characters.")
    type: str = strawberry.field(default="webhook", description="What kind of thing happened. 1 to 100 characters.")
    payload: JSON = strawberry.field(description="What happened: a JSON object.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes the mutation safe to repeat. 1 to 255 characters."
    )
    delivery: Delivery = strawberry.field(default=Delivery.WAIT, description="When to answer.")


@strawberry.type(description="What became of createProspectLog.")
class CreateProspectLogPayload:
    prospect_log: ProspectLog | None = strawberry.field(default=None, description="The log that was written.")
    prospect: Prospect | None = strawberry.field(default=None, description="Whose log it is.")
    prospect_created: bool | None = strawberry.field(default=None, description="Whether the prospect was made for it.")
    receipt: Receipt | None = strawberry.field(default=None, description="The gateway's memory of this write.")
    errors: list[MutationError] = strawberry.field(description="Why it was not done. Empty when it was.")


@strawberry.mutation(
    description="Writes a log of a prospect at Architect, making the prospect first where nobody matches.",
    extensions=[Scope("prospect-logs:write")],
    metadata=costs(1),
)
async def create_prospect_log(
    info: Info,
    input: Annotated[CreateProspectLogInput, strawberry.argument(description="What happened, and to whom.")],
) -> CreateProspectLogPayload | None:
    return await settled(CreateProspectLogPayload, _create(info, input))


async def _create(info: Info, given: CreateProspectLogInput) -> CreateProspectLogPayload:
    draft = log_draft(given, Kind.PROSPECT, given.prospect_id, kebab=False)
    done = await written(info, WriteOperation.CREATE_PROSPECT_LOG, draft, given.delivery)
    if done.result is None:
        return CreateProspectLogPayload(receipt=done.receipt, errors=[])
    logged: Logged[Prospect, ProspectLog] = done.result
    return CreateProspectLogPayload(
        prospect_log=logged.log, prospect=logged.party, prospect_created=logged.created, receipt=done.receipt, errors=[]
    )
