"""Bird's contacts as they go over the wire (docs.bird.com/api, workspace-scoped Contacts API)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import Field
from strawberry import ID

from app.verdict import Complaint
from app.wire import Count, Essential, ItemByItem, Received, RecordId, Sent, Timestamp
from schema.drafts import ContactDraft
from schema.ids import Kind, encode
from schema.scalars import JSON, EmailAddress, PhoneNumber
from schema.types.contact import Contact as SchemaContact
from schema.types.contact import ContactIdentifier
from schema.types.node import VendorRecord
from schema.vendor import Vendor

EMAIL_KEY = "emailaddress"
PHONE_KEY = "phonenumber"


class Identifier(Sent):
    key: str
    value: str


class NewContact(Sent):
    """Body of POST contacts. Lists with a documented minimum of one are left out when they are empty."""

    display_name: str = Field(alias="displayName")
    identifiers: tuple[Identifier, ...] | None = None
    attributes: dict[str, Any] | None = None
    list_ids: tuple[str, ...] | None = Field(None, alias="listIds")
    account_ids: tuple[str, ...] | None = Field(None, alias="accountIds")
    company_refs: tuple[str, ...] | None = Field(None, alias="companyRefs")


class Search(Sent):
    """Body of POST contacts/search: one identifier a call."""

    identifier: Identifier


class FeaturedIdentifier(Received):
    key: str = ""
    value: str = ""


class Contact(Received):
    id: RecordId
    display_name: str | None = Field(None, alias="computedDisplayName")
    workspace_id: str | None = Field(None, alias="workspaceId")
    featured_identifiers: Annotated[list[FeaturedIdentifier], ItemByItem] = Field([], alias="featuredIdentifiers")
    identifier_count: Count | None = Field(None, alias="identifierCount")
    attributes: dict[str, Any] | None = None
    account_ids: Annotated[list[str], ItemByItem] = Field([], alias="accountIds")
    list_ids: Annotated[list[str], ItemByItem] = Field([], alias="listIds")
    company_refs: Annotated[list[str], ItemByItem] = Field([], alias="companyRefs")
    is_anonymous: bool | None = Field(None, alias="isAnonymous")
    created_at: Timestamp | None = Field(None, alias="createdAt")
    updated_at: Timestamp | None = Field(None, alias="updatedAt")


class ContactPage(Received):
    """Answer of GET contacts and POST contacts/search."""

    results: Annotated[list[Contact], ItemByItem, Essential]
    next_page_token: str | None = Field(None, alias="nextPageToken")


class ListedIdentifier(Received):
    contact_id: str | None = Field(None, alias="contactId")
    key: str = ""
    value: str = ""
    properties: dict[str, Any] | None = None
    created_at: Timestamp | None = Field(None, alias="createdAt")


class IdentifierPage(Received):
    """Answer of GET contacts/{id}/identifiers."""

    results: Annotated[list[ListedIdentifier], ItemByItem, Essential]
    next_page_token: str | None = Field(None, alias="nextPageToken")


def from_draft(draft: ContactDraft) -> NewContact:
    return NewContact(
        display_name=draft.display_name,
        identifiers=tuple(Identifier(key=each.key, value=each.value) for each in draft.identifiers) or None,
        attributes=None if draft.attributes is None else dict(draft.attributes),
        list_ids=draft.list_ids or None,
        account_ids=draft.account_ids or None,
        company_refs=draft.company_refs or None,
    )


def to_contact(contact: Contact) -> SchemaContact:
    featured = [ContactIdentifier(key=each.key, value=each.value) for each in contact.featured_identifiers if each.key]
    return SchemaContact(
        id=encode(Kind.CONTACT, contact.id),
        display_name=contact.display_name,
        email_addresses=list(map(EmailAddress, _values(contact, featured, EMAIL_KEY))),
        phone_numbers=list(map(PhoneNumber, _values(contact, featured, PHONE_KEY))),
        vendor_record=VendorRecord(vendor=Vendor.BIRD, kind="contact", id=contact.id),
        identifier_count=contact.identifier_count,
        attributes=None if contact.attributes is None else JSON(contact.attributes),
        list_ids=list(map(ID, contact.list_ids)),
        account_ids=list(map(ID, contact.account_ids)),
        company_refs=contact.company_refs,
        is_anonymous=contact.is_anonymous,
        created_at=contact.created_at,
        updated_at=contact.updated_at,
        featured_identifiers=featured,
    )


def read_complaint(body: Any) -> Complaint:
    """Bird's error: `code`, and `details` that maps a dotted path with a leading dot to messages."""
    error = body if isinstance(body, dict) else {}
    details = error.get("details")
    path = next(iter(details), None) if isinstance(details, dict) else None
    field = path.replace("[", ".").replace("]", "").strip(".").split(".") if path else None
    return Complaint(code=error.get("code") if isinstance(error.get("code"), str) else None, field=field)


def _values(contact: Contact, featured: list[ContactIdentifier], key: str) -> Iterable[str]:
    """Identifiers of one kind: the featured ones, and those that the vendor mirrors into the attributes."""
    found = dict.fromkeys([each.value for each in featured if each.key == key])
    mirrored = contact.attributes.get(key) if contact.attributes else None
    for each in mirrored if isinstance(mirrored, list) else (mirrored,):
        if isinstance(each, str):
            found[each] = None
    return found
