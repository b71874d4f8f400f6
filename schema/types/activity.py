"""Activities: what was done with whom, and when."""

from __future__ import annotations

import asyncio
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
from schema.vendor import Vendor

if TYPE_CHECKING:
    from schema.types.contact import Contact
    from schema.types.person import Person


@strawberry.enum(description="The category of an activity that was logged by hand.")
class ActivityCategory(Enum):
    TEXT = member("TEXT", "A text message.")
    LINKEDIN = member("LINKEDIN", "A contact on LinkedIn.")
    SOCIAL_MEDIA = member("SOCIAL_MEDIA", "A contact on other social media.")
    EVENT = member("EVENT", "An event.")
    CONFERENCE = member("CONFERENCE", "A conference.")
    WEBINAR = member("WEBINAR", "A webinar.")
    CALL = member("CALL", "A call.")
    OTHER = member("OTHER", "Anything else.")


@strawberry.type(description="Somebody at a meeting.")
class MeetingParticipant:
    name: str | None = strawberry.field(default=None, description="The name.")
    email_address: str | None = strawberry.field(default=None, description="The e-mail address as the meeting has it.")
    is_host: bool | None = strawberry.field(default=None, description="Whether they host the meeting.")
    rsvp_status: str | None = strawberry.field(
        default=None, description="Their answer to the invitation, in Reevo's words."
    )
    reevo_contact_id: strawberry.Private[str | None] = None

    @strawberry.field(description="The participant as a contact, from Bird.", metadata=costs(1))
    async def contact(self, info: Info) -> Annotated[Contact, strawberry.lazy("schema.types.contact")] | None:
        own = self.reevo_contact_id
        identity = Identity(
            records=(VendorRecord(vendor=Vendor.REEVO, kind="contact", id=own),) if own else (),
            email_addresses=(self.email_address,) if self.email_address else (),
        )
        return next(iter(await info.context.links.contacts(identity)), None)


@strawberry.type(description="What only a meeting has.")
class MeetingDetails:
    title: str | None = strawberry.field(default=None, description="The title.")
    location: str | None = strawberry.field(default=None, description="Where it is held.")
    start_at: datetime | None = strawberry.field(default=None, description="When it begins.")
    end_at: datetime | None = strawberry.field(default=None, description="When it ends.")
    status: str | None = strawberry.field(default=None, description="Its status, in Reevo's words.")
    meeting_type: str | None = strawberry.field(default=None, description="Its type, in Reevo's words.")
    participants: list[MeetingParticipant] = strawberry.field(description="Who takes part.")


@strawberry.type(description="What a kind of activity carries that this schema doesn't know yet.")
class OtherActivityDetails:
    kind: str | None = strawberry.field(default=None, description="The kind, in Reevo's words.")
    raw: JSON = strawberry.field(description="All of it, as Reevo has it: a JSON object.")


ActivityDetails = Annotated[
    MeetingDetails | OtherActivityDetails,
    strawberry.union(
        "ActivityDetails",
        description="What only some kinds of activity carry. Kinds that this schema doesn't know yet are answered whole, as "
        "JSON.",
    ),
]


@strawberry.type(
    description="An activity at Reevo. Reevo doesn't give back the subject, description, category and relations of one logged "
    "by hand: they are answered where it passed through this gateway."
)
class Activity(Node):
    subject: str | None = strawberry.field(default=None, description="What it was about.")
    description: str | None = strawberry.field(default=None, description="More about it.")
    category: ActivityCategory | None = strawberry.field(default=None, description="The category it was logged under.")
    occurred_at: datetime | None = strawberry.field(default=None, description="When it happened.")
    type: str | None = strawberry.field(default=None, description="Its type, in Reevo's words.")
    sub_type: str | None = strawberry.field(default=None, description="Its sub-type, in Reevo's words.")
    status: str | None = strawberry.field(default=None, description="Its status, in Reevo's words.")
    priority: str | None = strawberry.field(default=None, description="Its priority, in Reevo's words.")
    location: str | None = strawberry.field(default=None, description="Where it happened.")
    badge_status: str | None = strawberry.field(default=None, description="Its badge, in Reevo's words.")
    owner: VendorRecord | None = strawberry.field(default=None, description="The user of Reevo who owns it.")
    details: ActivityDetails | None = strawberry.field(
        default=None, description="What only its kind of activity carries."
    )
    account: VendorRecord | None = strawberry.field(default=None, description="The account it concerns, where known.")
    opportunity: VendorRecord | None = strawberry.field(
        default=None, description="The opportunity it concerns, where known."
    )
    created_at: datetime | None = strawberry.field(default=None, description="When it was logged.")
    updated_at: datetime | None = strawberry.field(default=None, description="When it was last changed.")
    vendor_record: VendorRecord = strawberry.field(description="Where the record lives.")

    @strawberry.field(description="Whom it was with, as contacts from Bird.", metadata=costs(1))
    async def contacts(self, info: Info) -> list[Annotated[Contact, strawberry.lazy("schema.types.contact")]] | None:
        identities = await info.context.activities.contact_identities(self)
        found = await asyncio.gather(*map(info.context.links.contacts, identities))
        return list({contact.id: contact for contacts in found for contact in contacts}.values())

    @strawberry.field(description="Whom it was with, as people.", metadata=costs(1))
    async def people(self, info: Info) -> list[Annotated[Person, strawberry.lazy("schema.types.person")]] | None:
        identities = await info.context.activities.contact_identities(self)
        found = await asyncio.gather(*map(info.context.links.people, identities))
        return list({person.id: person for people in found for person in people}.values())
