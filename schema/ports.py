"""What the schema needs from outside, as protocols; `app` fills them, one object per port and request.

A port raises Refusal for what the schema answers as data or as an error, and returns None for a record that doesn't exist.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import strawberry

from schema.drafts import Draft
from schema.types.activity import Activity
from schema.types.connection import Connection
from schema.types.contact import Contact, ContactIdentifier
from schema.types.contact_method import ContactMethod, ContactMethodType
from schema.types.identity import Identity
from schema.types.person import Person, PersonLog, Prospect, ProspectLog
from schema.types.receipt import Delivery, Receipt, ReceiptEvent, WriteOperation, WriteState
from schema.types.refs import PartyRef
from schema.types.status import VendorStatus
from schema.window import ANY_TIME, Window

P = TypeVar("P")
L = TypeVar("L")
T = TypeVar("T")


@dataclass(frozen=True)
class Logged(Generic[P, L]):
    """A log that was written, whose it is, and whether that record was made for it."""

    party: P
    log: L
    created: bool | None


@dataclass(frozen=True)
class WholeIdentity:
    """Everything known of one human being, and a name to show."""

    identity: Identity
    display_name: str | None


class Links(Protocol):
    """Who is who."""

    async def start(self, party: PartyRef) -> Identity | None:
        """Where the search for a party that passed the rules begins; None if the record that it names does not exist."""

    async def whole(self, identity: Identity) -> WholeIdentity:
        """Everything that memory and the vendors that can be asked know of one human being."""

    async def is_known(self, identity: Identity) -> bool:
        """Whether any record belongs to it. Raises Refusal where only a vendor that can't be asked could tell."""

    async def people(self, identity: Identity) -> list[Person]: ...

    async def prospects(self, identity: Identity) -> list[Prospect]: ...

    async def contacts(self, identity: Identity) -> list[Contact]: ...


class Parties(Protocol[P]):
    """People, or prospects, as far as they passed through the gateway."""

    async def get(self, own_id: str) -> P | None:
        """The record with the vendor's own ID, or None if it never passed through."""

    async def named(self, own_id: str) -> P:
        """The record with the vendor's own ID, with nothing but its ID if it never passed through."""

    async def page(self, first: int, after: str | None) -> Connection[P]:
        """All of them, in the order in which they were first seen."""


class Logs(Protocol[L]):
    """Logs of people, or of prospects."""

    async def get(self, party_id: str, log_id: str) -> L | None:
        """The log with the vendor's own IDs."""

    async def page(self, party_id: str, first: int, after: str | None) -> Connection[L]:
        """The logs of one person or prospect that passed through, the latest first."""


class ContactBook(Protocol):
    """Contacts."""

    async def get(self, own_id: str) -> Contact | None: ...

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

    async def get(self, own_id: str) -> ContactMethod | None: ...

    async def page(self, query: ContactMethodQuery, first: int, after: str | None) -> Connection[ContactMethod]: ...

    async def clients(self, identity: Identity) -> list[str]:
        """The vendor's own IDs of the clients that one human being is."""

    async def of(
        self, identity: Identity, type: ContactMethodType | None, first: int, after: str | None
    ) -> Connection[ContactMethod]:
        """The contact methods of all clients that one human being is."""


@dataclass  # not frozen: each human being whose activities are asked for makes one, and that takes thrice the time
class ActivityQuery:
    """Whose activities, and created when. One of the IDs is given; they are the vendor's own. Nobody changes one."""

    contact_id: str | None = None
    account_id: str | None = None
    opportunity_id: str | None = None
    window: Window = ANY_TIME


class ActivityLog(Protocol):
    """Activities."""

    async def contact_ids(self, identity: Identity) -> list[str]:
        """The activity vendor's own IDs of the contacts that one human being is, the likeliest first."""

    async def get(self, own_id: str) -> Activity | None: ...

    async def page(self, query: ActivityQuery, first: int, after: str | None) -> Connection[Activity]: ...

    async def of(self, identity: Identity, window: Window, first: int, after: str | None) -> Connection[Activity]:
        """The activities with one human being."""

    async def contact_identities(self, activity: Activity) -> list[Identity]:
        """Whom an activity was with: where the search for each begins."""


@dataclass(frozen=True)
class Written(Generic[T]):
    """What became of a write: its result, or None for one that is delivered later, and its receipt."""

    result: T | None
    receipt: Receipt


class Ledger(Protocol):
    """The one way to write: durable, safe to repeat."""

    async def write(
        self,
        operation: WriteOperation,
        draft: Draft,
        idempotency_key: str | None,
        delivery: Delivery,
        resolve: Callable[[], Awaitable[Draft]] | None,
    ) -> Written[Any]:
        """Writes, or answers what the same key wrote before. Raises Refusal, with the receipt where there is one.

        `resolve` completes a draft whose parties are still to be found; it is called only for a write that is new.
        """


@dataclass(frozen=True)
class ReceiptQuery:
    """Which receipts to list; None asks for any."""

    state: WriteState | None = None
    needs_attention: bool | None = None
    window: Window = ANY_TIME


class Receipts(Protocol):
    """What became of writes, as far as the gateway key may see them."""

    async def get(self, own_id: str | None, idempotency_key: str | None) -> Receipt | None:
        """By one of the two."""

    async def page(self, query: ReceiptQuery, first: int, after: str | None) -> Connection[Receipt]: ...

    async def events(self, own_id: str) -> list[ReceiptEvent]: ...

    async def settle(self, own_id: str, *, applied: bool, vendor_record_id: str | None, note: str) -> Receipt:
        """Makes a write in doubt final by a person's word. Raises Refusal."""


class Live(Protocol):
    """What is told as it happens. A stream raises Refusal where it can't go on."""

    def receipt(self, receipt: Receipt) -> AsyncGenerator[Receipt, None]:
        """A receipt as it was given, then after each change of its state; it ends with a final one."""

    def activities(self, subject: Identity | ActivityQuery) -> AsyncGenerator[Activity, None]:
        """The activities of a human being, an account or an opportunity that appear from now on, each once."""


class Vendors(Protocol):
    """The vendors as the gateway sees them."""

    async def statuses(self) -> Sequence[VendorStatus]: ...


People = Parties[Person]
Prospects = Parties[Prospect]
PersonLogs = Logs[PersonLog]
ProspectLogs = Logs[ProspectLog]
