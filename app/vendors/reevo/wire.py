"""Reevo's activities and contacts as they go over the wire (help.reevo.ai, Public API v2).

Every attribute that is read comes in an envelope, `{"value": …, "value_type": …}`; here it is unwrapped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field

from app.verdict import Complaint
from app.wire import Essential, ItemByItem, Received, RecordId, Sent, Timestamp
from schema.drafts import ActivityDraft
from schema.ids import Kind, encode
from schema.scalars import JSON
from schema.types.activity import (
    Activity as SchemaActivity,
)
from schema.types.activity import (
    ActivityCategory,
    MeetingDetails,
    MeetingParticipant,
    OtherActivityDetails,
)
from schema.types.node import VendorRecord
from schema.vendor import Vendor

T = TypeVar("T")


def _unwrapped(attribute: Any) -> Any:
    return [_value(each) for each in attribute] if isinstance(attribute, list) else _value(attribute)


def _value(attribute: Any) -> Any:
    return attribute["value"] if isinstance(attribute, dict) and "value" in attribute else attribute


Enveloped = Annotated[T | None, BeforeValidator(_unwrapped)]


class ActivityMetadata(Sent):
    activity_time: str
    subject: str
    description: str | None = None
    category: str


class NewActivityAttributes(Sent):
    metadata: ActivityMetadata
    account_id: str | None = None
    opportunity_id: str | None = None
    contact_ids: tuple[str, ...] | None = None
    sequence_id: str | None = None
    pipeline_select_list_value_id: str | None = None


class NewActivity(Sent):
    """Body of POST activity."""

    attributes: NewActivityAttributes


class ActivityQuery(Sent):
    """Body of POST activity/_query."""

    contact_id: str | None = None
    account_id: str | None = None
    opportunity_id: str | None = None
    created_from: str | None = None
    created_to: str | None = None
    cursor: str | None = None
    limit: int


class Condition(Sent):
    field: str
    operator: str
    value: tuple[str, ...]


class AnyOf(Sent):
    conditions: tuple[Condition, ...] = Field(alias="or")


class ContactQuery(Sent):
    """Body of POST contact/_query."""

    filters: tuple[Condition | AnyOf, ...]
    limit: int


class Reference(Received):
    related_record_id: str | None = None
    related_record_type: str | None = None


class ActivityAttributes(Received):
    type: Enveloped[str] = None
    sub_type: Enveloped[str] = None
    status: Enveloped[str] = None
    priority: Enveloped[str] = None
    display_name: Enveloped[str] = None
    owner_user_id: Enveloped[Reference] = None
    ended_at: Enveloped[Timestamp] = None
    badge_status: Enveloped[str] = None
    location: Enveloped[str] = None


class ActivityRecord(Received):
    id: RecordId
    record_type: str | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    attributes: ActivityAttributes = ActivityAttributes()
    metadata: dict[str, Any] | None = None


class ActivityEnvelope(Received):
    """Answer of POST activity."""

    data: Annotated[ActivityRecord, Essential]


class ActivityPage(Received):
    """Answer of POST activity/_query."""

    data: Annotated[list[ActivityRecord], ItemByItem, Essential]
    next_cursor: str | None = None


class Participant(Received):
    name: str | None = None
    email: str | None = None
    is_host: bool | None = None
    rsvp_status: str | None = None
    user_id: str | None = None
    contact_id: str | None = None


class Meeting(Received):
    """Metadata of kind `meeting`."""

    title: str | None = None
    location: str | None = None
    start_date: Timestamp | None = None
    end_date: Timestamp | None = None
    status: str | None = None
    meeting_type: str | None = None
    participants: Annotated[list[Participant], ItemByItem] = []


class Stage(Received):
    id: str | None = None
    display_value: str | None = None
    api_name: str | None = None
    color: str | None = None


class Address(Received):
    street_one: str | None = None
    street_two: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    zip_code: str | None = None


class ContactEmail(Received):
    id: str | None = None
    email: str | None = None
    is_primary: bool | None = None
    labels: Annotated[list[str], ItemByItem] = []


class ContactPhoneNumber(Received):
    id: str | None = None
    phone_number: str | None = None
    is_primary: bool | None = None
    labels: Annotated[list[str], ItemByItem] = []


class ContactAttributes(Received):
    organization_id: Enveloped[str] = None
    created_at: Enveloped[Timestamp] = None
    updated_at: Enveloped[Timestamp] = None
    display_name: Enveloped[str] = None
    stage: Enveloped[Stage] = None
    created_by_user_id: Enveloped[Reference] = None
    participant_user_id_list: Enveloped[list[Reference]] = None
    first_name: Enveloped[str] = None
    middle_name: Enveloped[str] = None
    last_name: Enveloped[str] = None
    title: Enveloped[str] = None
    department: Enveloped[str] = None
    primary_email: Enveloped[str] = None
    primary_phone_number: Enveloped[str] = None
    sms_consent: Enveloped[bool] = None
    address: Enveloped[Address] = None
    contact_emails: Enveloped[list[ContactEmail]] = None
    contact_phone_numbers: Enveloped[list[ContactPhoneNumber]] = None


class Contact(Received):
    id: RecordId
    record_type: str | None = None
    created_at: Timestamp | None = None
    updated_at: Timestamp | None = None
    attributes: ContactAttributes = ContactAttributes()
    relationships: dict[str, Any] | None = None


class ContactEnvelope(Received):
    """Answer of GET contact/{id}."""

    data: Annotated[Contact, Essential]


class ContactPage(Received):
    """Answer of POST contact/_query."""

    data: Annotated[list[Contact], ItemByItem, Essential]
    next_cursor: str | None = None


def from_draft(draft: ActivityDraft, occurred_at: datetime) -> NewActivity:
    metadata = ActivityMetadata(
        activity_time=print_moment(occurred_at),
        subject=draft.subject,
        description=draft.description,
        category=draft.category.value,
    )
    attributes = NewActivityAttributes(
        metadata=metadata,
        account_id=draft.account_id,
        opportunity_id=draft.opportunity_id,
        contact_ids=draft.contact_ids or None,
        sequence_id=draft.sequence_id,
        pipeline_select_list_value_id=draft.pipeline_stage_id,
    )
    return NewActivity(attributes=attributes)


def to_fields(record: ActivityRecord) -> dict[str, Any]:
    """What Reevo says of an activity, as JSON for the gateway's memory."""
    seen, owner = record.attributes, record.attributes.owner_user_id
    return {
        "type": seen.type,
        "subType": seen.sub_type,
        "status": seen.status,
        "priority": seen.priority,
        "displayName": seen.display_name,
        "owner": [owner.related_record_type, owner.related_record_id] if owner else None,
        "endedAt": seen.ended_at and seen.ended_at.isoformat(),
        "badgeStatus": seen.badge_status,
        "location": seen.location,
        "metadata": record.metadata,
        "createdAt": record.created_at and record.created_at.isoformat(),
        "updatedAt": record.updated_at and record.updated_at.isoformat(),
    }


def draft_fields(draft: ActivityDraft, occurred_at: datetime) -> dict[str, Any]:
    """What Reevo accepts of an activity and doesn't give back."""
    return {
        "subject": draft.subject,
        "description": draft.description,
        "category": draft.category.value,
        "occurredAt": occurred_at.isoformat(),
        "account": draft.account_id,
        "opportunity": draft.opportunity_id,
    }


def to_activity(own_id: str, fields: Mapping[str, Any]) -> SchemaActivity:
    """An activity from what is known of it. The name to show and the sub-type stand in for subject and category."""
    get = fields.get
    return SchemaActivity(
        id=encode(Kind.ACTIVITY, own_id),
        subject=get("subject") or get("displayName"),
        description=get("description"),
        category=_category(get("category") or get("subType")),
        occurred_at=_moment(get("occurredAt") or get("endedAt")),
        type=get("type"),
        sub_type=get("subType"),
        status=get("status"),
        priority=get("priority"),
        location=get("location"),
        badge_status=get("badgeStatus"),
        owner=_owner(get("owner")),
        details=_details(get("metadata")),
        account=_related("account", get("account")),
        opportunity=_related("opportunity", get("opportunity")),
        created_at=_moment(get("createdAt")),
        updated_at=_moment(get("updatedAt")),
        vendor_record=VendorRecord(vendor=Vendor.REEVO, kind="activity", id=own_id),
    )


def identifiers(contact: Contact) -> tuple[tuple[str, str], ...]:
    """All e-mail addresses and phone numbers of a contact, as types and values."""
    seen = contact.attributes
    emails = [seen.primary_email, *(each.email for each in seen.contact_emails or ())]
    phones = [seen.primary_phone_number, *(each.phone_number for each in seen.contact_phone_numbers or ())]
    found = [("email", each) for each in emails if each] + [("phone", each) for each in phones if each]
    return tuple(dict.fromkeys(found))


def print_moment(moment: datetime) -> str:
    """RFC 3339 in UTC with a Z, as Reevo's own examples have it."""
    return moment.isoformat().replace("+00:00", "Z")


def read_complaint(body: Any) -> Complaint:
    """Reevo's error: a code in one of five places, or `detail[]` with a path into the body for a wrong shape."""
    error = body if isinstance(body, dict) else {}
    nested = [error.get(name) for name in ("details", "error")]
    places = [each.get("code") for each in nested if isinstance(each, dict)]
    places += [error.get("code"), error.get("error_code"), error.get("error")]
    detail = error.get("detail")
    first = detail[0] if isinstance(detail, list) and detail and isinstance(detail[0], dict) else {}
    path = first.get("loc")
    return Complaint(
        code=next((each for each in [*places, first.get("type")] if isinstance(each, str)), None),
        field=[str(step) for step in path] if isinstance(path, list) and path else None,
    )


def participants(metadata: dict[str, Any] | None) -> list[str]:
    """Reevo's own contacts who take part in a meeting."""
    details = _details(metadata)
    if not isinstance(details, MeetingDetails):
        return []
    return [each.reevo_contact_id for each in details.participants if each.reevo_contact_id]


def _details(metadata: dict[str, Any] | None) -> MeetingDetails | OtherActivityDetails | None:
    if not metadata:
        return None
    if metadata.get("kind") != "meeting":
        kind = metadata.get("kind")
        return OtherActivityDetails(kind=kind if isinstance(kind, str) else None, raw=JSON(metadata))
    meeting = Meeting.model_validate(metadata)
    return MeetingDetails(
        title=meeting.title,
        location=meeting.location,
        start_at=meeting.start_date,
        end_at=meeting.end_date,
        status=meeting.status,
        meeting_type=meeting.meeting_type,
        participants=[_participant(each) for each in meeting.participants],
    )


def _participant(participant: Participant) -> MeetingParticipant:
    return MeetingParticipant(
        name=participant.name,
        email_address=participant.email,
        is_host=participant.is_host,
        rsvp_status=participant.rsvp_status,
        reevo_contact_id=participant.contact_id,
    )


def _category(name: str | None) -> ActivityCategory | None:
    return next((each for each in ActivityCategory if each.value == name), None)


def _owner(owner: Sequence[str | None] | None) -> VendorRecord | None:
    return _related(owner[0] or "user", owner[1]) if owner else None


def _related(kind: str, own_id: str | None) -> VendorRecord | None:
    return VendorRecord(vendor=Vendor.REEVO, kind=kind, id=own_id) if own_id else None


def _moment(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
