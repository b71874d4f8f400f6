"""People and prospects, and what is logged about them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.context import Info
from schema.costs import costs
from schema.pages import PAGE, After, First, page_size
from schema.scalars import JSON, URL
from schema.types.activity import Activity
from schema.types.connection import Connection
from schema.types.contact_method import ContactMethod
from schema.types.linked import ACTIVITIES, CONTACT_METHODS, activities, contact_methods, identity_of
from schema.types.node import Node, Party, VendorRecord

if TYPE_CHECKING:
    from schema.types.contact import Contact


@strawberry.type(
    description="A person at Architect. Architect can't be asked for people: this is what passed through this gateway."
)
class Person(Node, Party):
    name: str | None = strawberry.field(default=None, description="The name as given.")
    linkedin_profile_url: URL | None = strawberry.field(default=None, description="The LinkedIn profile as given.")
    created_at: datetime | None = strawberry.field(
        default=None, description="When the record was made, where this gateway saw it being made."
    )

    @strawberry.field(
        description="The same human being as a prospect: Architect keeps one record under both names.",
        metadata=costs(0),
    )
    async def prospect(self, info: Info) -> Annotated[Prospect, strawberry.lazy("schema.types.person")] | None:
        return await info.context.prospects.get(self.vendor_record.id)

    @strawberry.field(
        description="What was logged about the person, the latest first. Architect can't be asked: what passed through.",
        metadata=costs(0),
    )
    async def logs(
        self, info: Info, first: First = PAGE, after: After = None
    ) -> Connection[Annotated[PersonLog, strawberry.lazy("schema.types.person")]] | None:
        return await info.context.person_logs.page(self.vendor_record.id, page_size(first), after)

    @strawberry.field(description="The same human being as contacts, from Bird.", metadata=costs(1))
    async def contacts(self, info: Info) -> list[Annotated[Contact, strawberry.lazy("schema.types.contact")]] | None:
        return await info.context.links.contacts(identity_of(self))

    contact_methods: Connection[ContactMethod] | None = strawberry.field(
        resolver=contact_methods, description=CONTACT_METHODS, metadata=costs(2)
    )
    activities: Connection[Activity] | None = strawberry.field(
        resolver=activities, description=ACTIVITIES, metadata=costs(1)
    )


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

    @strawberry.field(description="Whom it happened to.", metadata=costs(0))
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

    @strawberry.field(
        description="The same human being as a person: Architect keeps one record under both names.", metadata=costs(0)
    )
    async def person(self, info: Info) -> Person | None:
        return await info.context.people.get(self.vendor_record.id)

    @strawberry.field(
        description="What was logged about the prospect, the latest first. Architect can't be asked: what passed through.",
        metadata=costs(0),
    )
    async def logs(
        self, info: Info, first: First = PAGE, after: After = None
    ) -> Connection[Annotated[ProspectLog, strawberry.lazy("schema.types.person")]] | None:
        return await info.context.prospect_logs.page(self.vendor_record.id, page_size(first), after)

    @strawberry.field(description="The same human being as contacts, from Bird.", metadata=costs(1))
    async def contacts(self, info: Info) -> list[Annotated[Contact, strawberry.lazy("schema.types.contact")]] | None:
        return await info.context.links.contacts(identity_of(self))

    contact_methods: Connection[ContactMethod] | None = strawberry.field(
        resolver=contact_methods, description=CONTACT_METHODS, metadata=costs(2)
    )
    activities: Connection[Activity] | None = strawberry.field(
        resolver=activities, description=ACTIVITIES, metadata=costs(1)
    )


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

    @strawberry.field(description="Whom it happened to.", metadata=costs(0))
    async def prospect(self, info: Info) -> Prospect:
        return await info.context.prospects.named(self.prospect_id)
