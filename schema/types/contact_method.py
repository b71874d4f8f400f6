"""Contact methods: the ways in which a client can be reached."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.context import Info
from schema.costs import costs
from schema.enums import member
from schema.scalars import JSON
from schema.types.identity import Identity
from schema.types.node import Node, VendorRecord

if TYPE_CHECKING:
    from schema.types.contact import Contact
    from schema.types.profile import Profile


@strawberry.enum(description="The kind of a contact method.")
class ContactMethodType(Enum):
    EMAIL = member("EMAIL", "An e-mail address.")
    PHONE = member("PHONE", "A fixed phone.")
    MOBILE = member("MOBILE", "A mobile phone.")
    FAX = member("FAX", "A fax number.")
    OTHER = member("OTHER", "Anything else.")


@strawberry.type(description="One way to reach a client of Artu.")
class ContactMethod(Node):
    client_id: strawberry.ID = strawberry.field(description="Whose it is: Artu's own ID of the client.")
    type: ContactMethodType | None = strawberry.field(
        default=None, description="The kind; null for one not known here."
    )
    value: str = strawberry.field(description="The address or number as stored.")
    is_primary: bool = strawberry.field(description="Whether it is the one to use first among those of its kind.")
    is_verified: bool = strawberry.field(description="Whether the vendor has verified it.")
    verified_at: datetime | None = strawberry.field(default=None, description="When it was verified.")
    label: str | None = strawberry.field(default=None, description="A name for it, such as Work.")
    external_id: str | None = strawberry.field(default=None, description="Its ID in the caller's own system.")
    metadata: JSON | None = strawberry.field(default=None, description="The caller's own notes: a JSON object.")
    created_at: datetime | None = strawberry.field(default=None, description="When it was made.")
    updated_at: datetime | None = strawberry.field(default=None, description="When it was last changed.")
    vendor_record: VendorRecord = strawberry.field(description="Where the record lives.")

    @strawberry.field(description="All records of all vendors that belong to the same human being.", metadata=costs(3))
    async def profile(self) -> Annotated[Profile, strawberry.lazy("schema.types.profile")]:
        from schema.types.linked import profile_of  # noqa: PLC0415  # a profile has contact methods, and they a profile

        return profile_of(self.identity())

    @strawberry.field(description="The contacts of the same human being, from Bird.", metadata=costs(1))
    async def contacts(self, info: Info) -> list[Annotated[Contact, strawberry.lazy("schema.types.contact")]] | None:
        return await info.context.links.contacts(self.identity())

    def identity(self) -> Identity:
        """Where the search for its owner begins."""
        is_email = self.type is ContactMethodType.EMAIL
        is_phone = self.type in (ContactMethodType.PHONE, ContactMethodType.MOBILE)
        return Identity(
            records=(self.vendor_record,),
            email_addresses=(self.value,) if is_email else (),
            phone_numbers=(self.value,) if is_phone else (),
        )
