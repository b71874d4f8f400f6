"""What every record has: an ID of this API, and where it lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from schema.costs import costs
from schema.scalars import EmailAddress, PhoneNumber
from schema.vendor import Vendor

if TYPE_CHECKING:
    from schema.types.profile import Profile


@strawberry.interface(
    description="Every record has one opaque, stable ID, whatever its vendor's ID looks like (Relay global object "
    "identification)."
)
class Node:
    id: strawberry.ID = strawberry.field(description="The record's ID in this API: opaque and stable.")


@strawberry.type(description="Where a record lives: for support and for migration, never needed for ordinary work.")
class VendorRecord:
    vendor: Vendor = strawberry.field(description="Whose record it is.")
    kind: str = strawberry.field(description="What the vendor calls it, such as contact or person_log.")
    id: str = strawberry.field(description="The vendor's own ID.")


@strawberry.interface(description="One human being or organisation as one vendor knows it.")
class Party:
    id: strawberry.ID = strawberry.field(description="The record's ID in this API: opaque and stable.")
    display_name: str | None = strawberry.field(default=None, description="A name to show.")
    email_addresses: list[EmailAddress] = strawberry.field(description="The e-mail addresses that the vendor has.")
    phone_numbers: list[PhoneNumber] = strawberry.field(description="The phone numbers that the vendor has.")
    vendor_record: VendorRecord = strawberry.field(description="Where the record lives.")

    @strawberry.field(description="All records of all vendors that belong to the same human being.", metadata=costs(3))
    async def profile(self) -> Annotated[Profile, strawberry.lazy("schema.types.profile")]:
        from schema.types.linked import identity_of, profile_of  # noqa: PLC0415  # a profile has parties, a party has a profile

        return profile_of(identity_of(self))
