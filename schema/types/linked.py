"""The fields that lead from one record to those of other vendors; every party has the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from schema.context import Info
from schema.pages import PAGE, After, First, page_size
from schema.types.activity import Activity
from schema.types.connection import Connection
from schema.types.contact_method import ContactMethod, ContactMethodType
from schema.types.identity import Identity
from schema.window import ANY_TIME

if TYPE_CHECKING:
    from schema.types.profile import Profile

OfType = Annotated[ContactMethodType | None, strawberry.argument(description="Only those of this kind.")]


def identity_of(party: Any) -> Identity:
    """Where the search begins for a Person, a Prospect or a Contact, which keeps it: nobody changes a party."""
    kept = party.__dict__
    identity: Identity | None = kept.get("identity")
    if identity is None:
        identity = kept["identity"] = _identity(party)
    return identity


def _identity(party: Any) -> Identity:
    profile_url = getattr(party, "linkedin_profile_url", None)
    return Identity(
        records=(party.vendor_record,),
        email_addresses=tuple(party.email_addresses),
        phone_numbers=tuple(party.phone_numbers),
        linkedin_profile_urls=(profile_url,) if profile_url else (),
    )


async def contact_methods(
    root: strawberry.Parent[Any], info: Info, type: OfType = None, first: First = PAGE, after: After = None
) -> Connection[ContactMethod] | None:
    return await info.context.contact_methods.of(identity_of(root), type, page_size(first), after)


async def activities(
    root: strawberry.Parent[Any], info: Info, first: First = PAGE, after: After = None
) -> Connection[Activity] | None:
    return await info.context.activities.of(identity_of(root), ANY_TIME, page_size(first), after)


def profile_of(identity: Identity) -> Profile:
    """The profile that begins with these records and identifiers; nothing is asked before a field of it is."""
    from schema.types.profile import Profile  # noqa: PLC0415  # a profile has parties, a party has a profile

    return Profile(identity=identity)


CONTACT_METHODS = "The ways to reach the same human being, from Artu."
ACTIVITIES = "What was done with the same human being, from Reevo: newest first by createdAt, then ID."
