"""What the schema needs from outside, as protocols; `app` fills them, one object per port and request.

A port raises Refusal for what the schema answers as data or as an error, and returns None for a record that doesn't exist.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

import strawberry

from schema.drafts import ActivityDraft, ContactDraft, LogDraft, SyncDraft
from schema.types.activity import Activity
from schema.types.connection import Connection
from schema.types.contact import Contact, ContactIdentifier
from schema.types.contact_method import ContactMethod, ContactMethodType
from schema.types.person import Person, PersonLog, Prospect, ProspectLog
from schema.types.refs import PartyRef
from schema.types.status import VendorStatus

P_co = TypeVar("P_co", covariant=True)
L_co = TypeVar("L_co", covariant=True)
P = TypeVar("P")
L = TypeVar("L")


@dataclass(frozen=True)
class Logged(Generic[P, L]):
    """A log that was written, whose it is, and whether that record was made for it."""

    party: P
    log: L
    created: bool | None


class Parties(Protocol[P_co]):
    """People, or prospects, as far as they passed through the gateway."""

    async def get(self, own_id: str) -> P_co | None:
        """The record with the vendor's own ID, or None if it never passed through."""

    async def named(self, own_id: str) -> P_co:
        """The record with the vendor's own ID, with nothing but its ID if it never passed through."""


class Logs(Protocol[P, L]):
    """Logs of people, or of prospects."""

    async def create(self, draft: LogDraft) -> Logged[P, L]:
        """Writes one log, making the person or prospect first where the vendor finds none."""

    async def get(self, party_id: str, log_id: str) -> L | None:
        """The log with the vendor's own IDs."""


class ContactBook(Protocol):
    """Contacts."""

    async def create(self, draft: ContactDraft) -> Contact: ...

    async def get(self, own_id: str) -> Contact | None: ...

    async def find(self, identifier: ContactIdentifier) -> Contact | None:
        """The contact that carries the identifier."""

    async def identifiers(self, contact: Contact) -> list[ContactIdentifier]:
        """All identifiers of the contact."""

    async def page(self, first: int, after: str | None) -> Connection[Contact]: ...


@dataclass(frozen=True)
class ContactMethodQuery:
    """Which contact methods to list; None asks for any. IDs are the vendor's own."""

    client_id: str | None = None
    type: ContactMethodType | None = None
    value: str | None = None
    external_id: str | None = None
    is_primary: bool | None = None


@dataclass(frozen=True)
class Synced:
    """What a sync did; deleted ones by ID of this API."""

    created: list[ContactMethod]
    updated: list[ContactMethod]
    deleted_ids: list[strawberry.ID]


class ContactMethodBook(Protocol):
    """Contact methods of clients."""

    async def sync(self, draft: SyncDraft) -> Synced: ...

    async def get(self, own_id: str) -> ContactMethod | None: ...

    async def page(self, query: ContactMethodQuery, first: int, after: str | None) -> Connection[ContactMethod]: ...


@dataclass(frozen=True)
class ActivityQuery:
    """Whose activities, and created when (`created_from` included, `created_to` not). One of the first three is given."""

    party: PartyRef | None = None
    account_id: str | None = None
    opportunity_id: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


class ActivityLog(Protocol):
    """Activities."""

    async def log(self, draft: ActivityDraft) -> Activity:
        """Logs one activity; raises Refusal(NotFound) for a party that the vendor doesn't know, and writes nothing."""

    async def get(self, own_id: str) -> Activity | None: ...

    async def page(self, query: ActivityQuery, first: int, after: str | None) -> Connection[Activity]: ...


class Vendors(Protocol):
    """The vendors as the gateway sees them."""

    async def statuses(self) -> Sequence[VendorStatus]: ...


People = Parties[Person]
Prospects = Parties[Prospect]
PersonLogs = Logs[Person, PersonLog]
ProspectLogs = Logs[Prospect, ProspectLog]
