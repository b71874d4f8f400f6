"""People and prospects, and what is logged about them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from schema.context import Info
from schema.scalars import JSON, URL
from schema.types.node import Node, Party, VendorRecord


@strawberry.type(
    description="A person at Architect. Architect can't be asked for people: this is what passed through this gateway."
)
class Person(Node, Party):
    name: str | None = strawberry.field(default=None, description="The name as given.")
    linkedin_profile_url: URL | None = strawberry.field(default=None, description="The LinkedIn profile as given.")
    created_at: datetime | None = strawberry.field(
        default=None, description="When the record was made, where this gateway saw it being made."
    )

    @strawberry.field(description="The same human being as a prospect: Architect keeps one record under both names.")
    async def prospect(self, info: Info) -> Annotated[Prospect, strawberry.lazy("schema.types.person")] | None:
        return await info.context.prospects.get(self.vendor_record.id)


@strawberry.type(description="Something that happened to a person, as another system reported it.")
class PersonLog(Node):
    source: str = strawberry.field(description="The system that reported it.")
    type: str = strawberry.field(description="What kind of thing happened.")
    payload: JSON | None = strawberry.field(default=None, description="What was reported: a JSON object.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="The idempotency key that the caller gave, where this gateway knows it."
    )
    created_at: datetime | None = strawberry.field(default=None, description="When the log was written.")
    updated_at: datetime | None = strawberry.field(default=None, description="When the log was last changed.")
    deleted_at: datetime | None = strawberry.field(default=None, description="When the log was deleted, if it was.")
    vendor_record: VendorRecord = strawberry.field(description="Where the log lives.")
    person_id: strawberry.Private[str]

    @strawberry.field(description="Whom it happened to.")
    async def person(self, info: Info) -> Person:
        return await info.context.people.named(self.person_id)


@strawberry.type(
    description="A prospect at Architect. Architect can't be asked for prospects: this is what passed through this gateway."
)
class Prospect(Node, Party):
    name: str | None = strawberry.field(default=None, description="The name as given.")
    linkedin_profile_url: URL | None = strawberry.field(default=None, description="The LinkedIn profile as given.")
    created_at: datetime | None = strawberry.field(
        default=None, description="When the record was made, where this gateway saw it being made."
    )

    @strawberry.field(description="The same human being as a person: Architect keeps one record under both names.")
    async def person(self, info: Info) -> Person | None:
        return await info.context.people.get(self.vendor_record.id)


@strawberry.type(
    description="Something that happened to a prospect. Architect can't be asked for it: this is what passed through."
)
class ProspectLog(Node):
    source: str = strawberry.field(description="The system that reported it.")
    type: str = strawberry.field(description="What kind of thing happened.")
    payload: JSON | None = strawberry.field(default=None, description="What was reported: a JSON object.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="The idempotency key that the caller gave, where this gateway knows it."
    )
    created_at: datetime | None = strawberry.field(default=None, description="When the log was written.")
    vendor_record: VendorRecord = strawberry.field(description="Where the log lives.")
    prospect_id: strawberry.Private[str]

    @strawberry.field(description="Whom it happened to.")
    async def prospect(self, info: Info) -> Prospect:
        return await info.context.prospects.named(self.prospect_id)
