"""Contacts, and what identifies them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.context import Info
from schema.costs import costs
from schema.scalars import JSON
from schema.types.activity import Activity
from schema.types.connection import Connection
from schema.types.contact_method import ContactMethod
from schema.types.linked import ACTIVITIES, CONTACT_METHODS, activities, contact_methods, identity_of
from schema.types.node import Node, Party

if TYPE_CHECKING:
    from schema.types.person import Person, Prospect


@strawberry.type(description="What identifies a contact: an e-mail address, a phone number, an ID elsewhere.")
class ContactIdentifier:
    key: str = strawberry.field(description="What kind of identifier it is, such as emailaddress or phonenumber.")
    value: str = strawberry.field(description="The identifier itself.")


@strawberry.type(description="A contact at Bird.")
class Contact(Node, Party):
    identifier_count: int | None = strawberry.field(default=None, description="How many identifiers the contact has.")
    attributes: JSON | None = strawberry.field(
        default=None, description="What else is known of the contact: a flat JSON object."
    )
    list_ids: list[strawberry.ID] = strawberry.field(description="The lists that the contact is on, by Bird's own IDs.")
    account_ids: list[strawberry.ID] = strawberry.field(description="The contact's accounts, by Bird's own IDs.")
    company_refs: list[str] = strawberry.field(description="References to companies.")
    is_anonymous: bool | None = strawberry.field(
        default=None, description="Whether nothing identifies the contact but visitor IDs."
    )
    created_at: datetime | None = strawberry.field(default=None, description="When the contact was made.")
    updated_at: datetime | None = strawberry.field(default=None, description="When the contact was last changed.")
    featured_identifiers: strawberry.Private[list[ContactIdentifier]]

    @strawberry.field(description="Everything that identifies the contact.", metadata=costs(1))
    async def identifiers(self, info: Info) -> list[ContactIdentifier]:
        return await info.context.contact_book.identifiers(self)

    @strawberry.field(description="The same human being as a person.", metadata=costs(1))
    async def person(self, info: Info) -> Annotated[Person, strawberry.lazy("schema.types.person")] | None:
        return next(iter(await info.context.links.people(identity_of(self))), None)

    @strawberry.field(description="The same human being as a prospect.", metadata=costs(1))
    async def prospect(self, info: Info) -> Annotated[Prospect, strawberry.lazy("schema.types.person")] | None:
        return next(iter(await info.context.links.prospects(identity_of(self))), None)

    contact_methods: Connection[ContactMethod] | None = strawberry.field(
        resolver=contact_methods, description=CONTACT_METHODS, metadata=costs(2)
    )
    activities: Connection[Activity] | None = strawberry.field(
        resolver=activities, description=ACTIVITIES, metadata=costs(1)
    )
