"""Reevo's activities and contacts as they go over the wire (help.reevo.ai, Public API v2).

Every attribute that is read comes in an envelope, `{"value": …, "value_type": …}`; here it is unwrapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import AliasChoices, AliasPath, BeforeValidator, Field

from app.verdict import Complaint
from app.wire import Essential, ItemByItem, Received, RecordId, Sent, Timestamp, question
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


def _enveloped(name: str) -> Any:
    """A field of what is in the envelope, or of what stands there without one."""
    return Field(None, validation_alias=AliasChoices(AliasPath(name, "value"), name))


def _unwrapped(attribute: Any) -> Any:
    """A list's entries have envelopes of their own."""
    return [_value(each) for each in attribute] if isinstance(attribute, list) else _value(attribute)


def _value(attribute: Any) -> Any:
    return attribute["value"] if isinstance(attribute, dict) and "value" in attribute else attribute


EnvelopedList = Annotated[Annotated[list[T], ItemByItem] | None, BeforeValidator(_unwrapped)]


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


class ActivityQuery(NamedTuple):
    """Body of POST activity/_query, in which every field has this name."""

    limit: int
    contact_id: str | None = None
    account_id: str | None = None
    opportunity_id: str | None = None
    created_from: str | None = None
    created_to: str | None = None
    cursor: str | None = None

    def to_json(self) -> bytes:
        return question(**self._asdict())


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
    type: str | None = _enveloped("type")
    sub_type: str | None = _enveloped("sub_type")
    status: str | None = _enveloped("status")
    priority: str | None = _enveloped("priority")
    display_name: str | None = _enveloped("display_name")
    owner_user_id: Reference | None = _enveloped("owner_user_id")
    ended_at: Timestamp | None = _enveloped("ended_at")
    badge_status: str | None = _enveloped("badge_status")
    location: str | None = _enveloped("location")


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
    organization_id: str | None = _enveloped("organization_id")
    created_at: Timestamp | None = _enveloped("created_at")
    updated_at: Timestamp | None = _enveloped("updated_at")
    display_name: str | None = _enveloped("display_name")
    stage: Stage | None = _enveloped("stage")
    created_by_user_id: Reference | None = _enveloped("created_by_user_id")
    participant_user_id_list: EnvelopedList[Reference] = None
    first_name: str | None = _enveloped("first_name")
    middle_name: str | None = _enveloped("middle_name")
    last_name: str | None = _enveloped("last_name")
    title: str | None = _enveloped("title")
    department: str | None = _enveloped("department")
    primary_email: str | None = _enveloped("primary_email")
    primary_phone_number: str | None = _enveloped("primary_phone_number")
    sms_consent: bool | None = _enveloped("sms_consent")
    address: Address | None = _enveloped("address")
    contact_emails: EnvelopedList[ContactEmail] = None
    contact_phone_numbers: EnvelopedList[ContactPhoneNumber] = None


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


def from_fields(own_id: str, fields: Mapping[str, Any]) -> ActivityRecord:
    """What Reevo said of an activity, from the gateway's memory."""
    get = fields.get
    owner = get("owner")
    return ActivityRecord(
        id=own_id,
        created_at=get("createdAt"),
        updated_at=get("updatedAt"),
        metadata=get("metadata"),
        attributes=ActivityAttributes(
            type=get("type"),
            sub_type=get("subType"),
            status=get("status"),
            priority=get("priority"),
            display_name=get("displayName"),
            owner_user_id=owner and Reference(related_record_type=owner[0], related_record_id=owner[1]),
            ended_at=get("endedAt"),
            badge_status=get("badgeStatus"),
            location=get("location"),
        ),
    )


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


def to_activity(record: ActivityRecord) -> SchemaActivity:
    """An activity from what Reevo says of it. The name to show and the sub-type stand in for subject and category."""
    seen = record.attributes
    return SchemaActivity(
        id=encode(Kind.ACTIVITY, record.id),
        subject=seen.display_name,
        category=_CATEGORIES.get(seen.sub_type),
        occurred_at=seen.ended_at,
        type=seen.type,
        sub_type=seen.sub_type,
        status=seen.status,
        priority=seen.priority,
        location=seen.location,
        badge_status=seen.badge_status,
        owner=_owner(seen.owner_user_id),
        details=_details(record.metadata),
        created_at=record.created_at,
        updated_at=record.updated_at,
        vendor_record=VendorRecord(vendor=Vendor.REEVO, kind="activity", id=record.id),
    )


def completed(activity: SchemaActivity, rest: Mapping[str, Any]) -> SchemaActivity:
    """The same with what Reevo doesn't say of it, where any of that is in `rest`."""
    if _REST.isdisjoint(rest):
        return activity
    return replace(
        activity,
        subject=rest.get("subject") or activity.subject,
        description=rest.get("description"),
        category=_CATEGORIES.get(rest.get("category") or activity.sub_type),
        occurred_at=_moment(rest.get("occurredAt")) or activity.occurred_at,
        account=_related("account", rest.get("account")),
        opportunity=_related("opportunity", rest.get("opportunity")),
    )


_REST = frozenset({"subject", "description", "category", "occurredAt", "account", "opportunity"})


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


def participants(activity: SchemaActivity) -> list[str]:
    """Reevo's own contacts who take part in a meeting."""
    if not isinstance(activity.details, MeetingDetails):
        return []
    return [each.reevo_contact_id for each in activity.details.participants if each.reevo_contact_id]


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


_CATEGORIES: Mapping[str | None, ActivityCategory] = {each.value: each for each in ActivityCategory}


def _owner(owner: Reference | None) -> VendorRecord | None:
    return _related(owner.related_record_type or "user", owner.related_record_id) if owner else None


def _related(kind: str, own_id: str | None) -> VendorRecord | None:
    return VendorRecord(vendor=Vendor.REEVO, kind=kind, id=own_id) if own_id else None


def _moment(stored: str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if stored else None
