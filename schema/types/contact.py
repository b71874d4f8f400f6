"""Contacts, and what identifies them."""

from __future__ import annotations

from datetime import datetime

import strawberry

from schema.context import Info
from schema.scalars import JSON
from schema.types.node import Node, Party


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

    @strawberry.field(description="Everything that identifies the contact.")
    async def identifiers(self, info: Info) -> list[ContactIdentifier]:
        return await info.context.contact_book.identifiers(self)
