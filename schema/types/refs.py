"""How callers point at a party."""

from __future__ import annotations

from typing import Any

import strawberry

from schema.scalars import URL, EmailAddress, PhoneNumber
from schema.vendor import Vendor


@strawberry.input(description="A vendor's own record.")
class VendorRecordInput:
    vendor: Vendor = strawberry.field(description="Whose record it is.")
    kind: str = strawberry.field(description="What the vendor calls it, such as contact or client.")
    id: str = strawberry.field(description="The vendor's own ID.")


@strawberry.input(one_of=True, description="Points at one party. Exactly one field is given.")
class PartyRef:
    id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="An ID of this API: Person, Prospect or Contact."
    )
    email_address: EmailAddress | None = strawberry.field(default=strawberry.UNSET, description="An e-mail address.")
    phone_number: PhoneNumber | None = strawberry.field(default=strawberry.UNSET, description="A phone number.")
    linkedin_profile_url: URL | None = strawberry.field(default=strawberry.UNSET, description="A LinkedIn profile.")
    vendor_record: VendorRecordInput | None = strawberry.field(
        default=strawberry.UNSET, description="A vendor's own record."
    )


def given_field(ref: object) -> tuple[str, Any]:
    """The one field of a @oneOf input that was given: its Python name and its value. Raises ValueError if there is none."""
    for name, value in vars(ref).items():
        if value is not strawberry.UNSET and value is not None:
            return name, value
    raise ValueError("no field was given")


def name_of(party: PartyRef) -> str:
    """A text that tells parties apart: two references that are given alike have the same."""
    field, value = given_field(party)
    if isinstance(value, VendorRecordInput):
        return f"{field}:{value.vendor.value}/{value.kind}/{value.id}"
    return f"{field}:{value}"
