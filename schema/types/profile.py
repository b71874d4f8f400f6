"""Profiles: one human being, whatever the vendors call the records."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import strawberry

from schema.context import Info
from schema.costs import costs
from schema.pages import PAGE, After, First, page_size
from schema.scalars import URL, EmailAddress, PhoneNumber
from schema.types.activity import Activity
from schema.types.connection import Connection
from schema.types.contact import Contact
from schema.types.contact_method import ContactMethod
from schema.types.identity import Identity
from schema.types.linked import ACTIVITIES, CONTACT_METHODS, OfType
from schema.types.node import VendorRecord
from schema.types.person import Person, Prospect
from schema.window import ANY_TIME

T = TypeVar("T")


@strawberry.type(
    description="All records of all vendors that belong to the same human being, joined by ID, e-mail, phone or LinkedIn profile."
)
class Profile:
    identity: strawberry.Private[Identity]

    @strawberry.field(description="A name to show: the first that a vendor has.", metadata=costs(0))
    async def display_name(self, info: Info) -> str | None:
        return (await info.context.links.whole(self.identity)).display_name

    @strawberry.field(
        description="All e-mail addresses that vendors have, as far as they can be asked.", metadata=costs(0)
    )
    async def email_addresses(self, info: Info) -> list[EmailAddress]:
        whole = (await info.context.links.whole(self.identity)).identity
        return [EmailAddress(each) for each in whole.email_addresses]

    @strawberry.field(
        description="All phone numbers that vendors have, as far as they can be asked.", metadata=costs(0)
    )
    async def phone_numbers(self, info: Info) -> list[PhoneNumber]:
        whole = (await info.context.links.whole(self.identity)).identity
        return [PhoneNumber(each) for each in whole.phone_numbers]

    @strawberry.field(description="All LinkedIn profiles that vendors have.", metadata=costs(0))
    async def linkedin_profile_urls(self, info: Info) -> list[URL]:
        whole = (await info.context.links.whole(self.identity)).identity
        return [URL(each) for each in whole.linkedin_profile_urls]

    @strawberry.field(description="The human being as people at Architect.", metadata=costs(1))
    async def people(self, info: Info) -> list[Person] | None:
        return await self._read(info, info.context.links.people)

    @strawberry.field(description="The human being as prospects at Architect.", metadata=costs(1))
    async def prospects(self, info: Info) -> list[Prospect] | None:
        return await self._read(info, info.context.links.prospects)

    @strawberry.field(description="The human being as contacts at Bird.", metadata=costs(1))
    async def contacts(self, info: Info) -> list[Contact] | None:
        return await self._read(info, info.context.links.contacts)

    @strawberry.field(description=CONTACT_METHODS, metadata=costs(2))
    async def contact_methods(
        self, info: Info, type: OfType = None, first: First = PAGE, after: After = None
    ) -> Connection[ContactMethod] | None:
        size = page_size(first)
        return await self._read(info, lambda each: info.context.contact_methods.of(each, type, size, after))

    @strawberry.field(description=ACTIVITIES, metadata=costs(1))
    async def activities(self, info: Info, first: First = PAGE, after: After = None) -> Connection[Activity] | None:
        size = page_size(first)
        return await self._read(info, lambda each: info.context.activities.of(each, ANY_TIME, size, after))

    @strawberry.field(description="Where its records live.", metadata=costs(0))
    async def vendor_records(self, info: Info) -> list[VendorRecord]:
        return list((await info.context.links.whole(self.identity)).identity.records)

    async def _read(self, info: Info, read: Callable[[Identity], Awaitable[T]]) -> T:
        """What is found from here; where that is nothing, once more with what all vendors know.

        A vendor that is slow or down delays only what it is needed for.
        """
        found = await read(self.identity)
        is_empty = not (found.nodes if isinstance(found, Connection) else found)
        return await read((await info.context.links.whole(self.identity)).identity) if is_empty else found
