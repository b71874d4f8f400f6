"""createPersonLog: writes what happened to a person."""

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
from schema.types.person import Person, PersonLog
from schema.types.receipt import Delivery, Receipt, WriteOperation


@strawberry.input(description="What happened, and to whom. At least one of the first four fields is given.")
class CreatePersonLogInput:
    person_id: strawberry.ID | None = strawberry.field(
        default=None, description="The person, by ID of this API or Architect's own."
    )
    email_address: EmailAddress | None = strawberry.field(
        default=None, description="Finds the person; makes one if there is none."
    )
    phone_number: PhoneNumber | None = strawberry.field(
        default=None, description="Finds the person; makes one if there is none."
    )
    linkedin_profile_url: URL | None = strawberry.field(
        default=None, description="Finds the person; makes one if there is none."
    )
    name: str | None = strawberry.field(
        default=None, description="The name, for a person who is made. 1 to 255 characters."
    )
    source: str = strawberry.field(description="The system that reports it. Kebab case, 1 to 100 characters.")
    type: str = strawberry.field(
        default="webhook", description="What kind of thing happened. Kebab case, 1 to 100 characters."
    )
    payload: JSON = strawberry.field(description="What happened: a JSON object.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes the mutation safe to repeat. 1 to 255 characters."
    )
    delivery: Delivery = strawberry.field(default=Delivery.WAIT, description="When to answer.")


@strawberry.type(description="What became of createPersonLog.")
class CreatePersonLogPayload:
    person_log: PersonLog | None = strawberry.field(default=None, description="The log that was written.")
    person: Person | None = strawberry.field(default=None, description="Whose log it is.")
    person_created: bool | None = strawberry.field(default=None, description="Whether the person was made for it.")
    receipt: Receipt | None = strawberry.field(default=None, description="The gateway's memory of this write.")
    errors: list[MutationError] = strawberry.field(description="Why it was not done. Empty when it was.")


@strawberry.mutation(
    description="Writes a log of a person at Architect, making the person first where nobody matches.",
    extensions=[Scope("person-logs:write")],
    metadata=costs(1),
)
async def create_person_log(
    info: Info,
    input: Annotated[CreatePersonLogInput, strawberry.argument(description="What happened, and to whom.")],
) -> CreatePersonLogPayload | None:
    return await settled(CreatePersonLogPayload, _create(info, input))


async def _create(info: Info, given: CreatePersonLogInput) -> CreatePersonLogPayload:
    draft = log_draft(given, Kind.PERSON, given.person_id, kebab=True)
    done = await written(info, WriteOperation.CREATE_PERSON_LOG, draft, given.delivery)
    if done.result is None:
        return CreatePersonLogPayload(receipt=done.receipt, errors=[])
    logged: Logged[Person, PersonLog] = done.result
    return CreatePersonLogPayload(
        person_log=logged.log, person=logged.party, person_created=logged.created, receipt=done.receipt, errors=[]
    )
