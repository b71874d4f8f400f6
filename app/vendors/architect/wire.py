"""Architect's logs as they go over the wire (Customer API v0).

Person and prospect are two names of one record; the two families of logs differ in the names of three fields.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import AliasChoices, Field

from app.links.record import Record
from app.verdict import Complaint
from app.wire import Received, RecordId, Sent, Timestamp
from schema.drafts import LogDraft
from schema.ids import Kind, encode
from schema.scalars import JSON
from schema.types.node import VendorRecord
from schema.types.person import PersonLog as SchemaPersonLog
from schema.types.person import ProspectLog as SchemaProspectLog
from schema.vendor import Vendor


class NewLog(Sent):
    """Body of POST person_logs and POST prospect_logs."""

    source: str
    type: str
    payload: dict[str, Any]
    person_id: str | None = Field(None, alias="personId")
    prospect_id: str | None = Field(None, alias="prospectId")
    email: str | None = None
    phone_number: str | None = Field(None, alias="phoneNumber")
    linkedin_profile_url: str | None = Field(None, alias="linkedinProfileUrl")
    idempotency_key: str = Field(alias="idempotencyKey")
    name: str | None = None


class CreatedLog(Received):
    """Answer of POST person_logs and POST prospect_logs."""

    party_id: RecordId = Field(validation_alias=AliasChoices("personId", "prospectId"))
    log_id: RecordId = Field(validation_alias=AliasChoices("personLogId", "prospectLogId"))
    created_at: Timestamp | None = Field(None, alias="createdAt")
    created_party: bool | None = Field(None, validation_alias=AliasChoices("createdPerson", "createdProspect"))
    source: str | None = None
    type: str | None = None


class PersonLog(Received):
    """Answer of GET persons/{person_id}/logs/{person_log_id}."""

    person_id: RecordId = Field(alias="personId")
    log_id: RecordId = Field(alias="personLogId")
    source: str | None = None
    type: str | None = None
    payload: dict[str, Any] | None = None
    idempotency_key: str | None = Field(None, alias="idempotencyKey")
    created_at: Timestamp | None = Field(None, alias="createdAt")
    updated_at: Timestamp | None = Field(None, alias="updatedAt")
    deleted_at: Timestamp | None = Field(None, alias="deletedAt")


def from_draft(draft: LogDraft, kind: Kind, vendor_key: str) -> NewLog:
    """`vendor_key` is the idempotency key that Architect is sent, never the caller's own text."""
    return NewLog(
        source=draft.source,
        type=draft.type,
        payload=dict(draft.payload),
        person_id=draft.party_id if kind is Kind.PERSON else None,
        prospect_id=draft.party_id if kind is Kind.PROSPECT else None,
        email=draft.email,
        phone_number=draft.phone,
        linkedin_profile_url=draft.linkedin_url,
        idempotency_key=vendor_key,
        name=draft.name,
    )


def to_person_log(created: CreatedLog, draft: LogDraft) -> SchemaPersonLog:
    return SchemaPersonLog(
        id=encode(Kind.PERSON_LOG, created.party_id, created.log_id),
        person_id=created.party_id,
        source=created.source or draft.source,
        type=created.type or draft.type,
        payload=JSON(draft.payload),
        idempotency_key=draft.idempotency_key,
        created_at=created.created_at,
        vendor_record=VendorRecord(vendor=Vendor.ARCHITECT, kind="person_log", id=created.log_id),
    )


def to_prospect_log(created: CreatedLog, draft: LogDraft) -> SchemaProspectLog:
    return SchemaProspectLog(
        id=encode(Kind.PROSPECT_LOG, created.party_id, created.log_id),
        prospect_id=created.party_id,
        source=created.source or draft.source,
        type=created.type or draft.type,
        payload=JSON(draft.payload),
        idempotency_key=draft.idempotency_key,
        created_at=created.created_at,
        vendor_record=VendorRecord(vendor=Vendor.ARCHITECT, kind="prospect_log", id=created.log_id),
    )


def read_person_log(log: PersonLog, callers_key: str | None) -> SchemaPersonLog:
    """A log as Architect gives it back; the idempotency key is the caller's, where the gateway knows it."""
    return SchemaPersonLog(
        id=encode(Kind.PERSON_LOG, log.person_id, log.log_id),
        person_id=log.person_id,
        source=log.source or "",
        type=log.type or "",
        payload=None if log.payload is None else JSON(log.payload),
        idempotency_key=callers_key or _unless_ours(log.idempotency_key),
        created_at=log.created_at,
        updated_at=log.updated_at,
        deleted_at=log.deleted_at,
        vendor_record=VendorRecord(vendor=Vendor.ARCHITECT, kind="person_log", id=log.log_id),
    )


def recall_person_log(record: Record) -> SchemaPersonLog:
    """A log as the gateway remembers it."""
    fields = record.fields
    return SchemaPersonLog(
        id=encode(Kind.PERSON_LOG, fields["party"], record.id),
        person_id=fields["party"],
        source=fields["source"],
        type=fields["type"],
        payload=JSON(fields["payload"]),
        idempotency_key=fields.get("idempotencyKey"),
        created_at=moment(fields.get("createdAt")),
        vendor_record=VendorRecord(vendor=Vendor.ARCHITECT, kind="person_log", id=record.id),
    )


def recall_prospect_log(record: Record) -> SchemaProspectLog:
    """A log as the gateway remembers it."""
    fields = record.fields
    return SchemaProspectLog(
        id=encode(Kind.PROSPECT_LOG, fields["party"], record.id),
        prospect_id=fields["party"],
        source=fields["source"],
        type=fields["type"],
        payload=JSON(fields["payload"]),
        idempotency_key=fields.get("idempotencyKey"),
        created_at=moment(fields.get("createdAt")),
        vendor_record=VendorRecord(vendor=Vendor.ARCHITECT, kind="prospect_log", id=record.id),
    )


def moment(stored: str | None) -> datetime | None:
    """A remembered time stamp."""
    return datetime.fromisoformat(stored) if stored else None


OUR_KEYS = "gw1_"
"""What every idempotency key that this gateway makes up begins with."""


def _unless_ours(key: str | None) -> str | None:
    return None if key is None or key.startswith(OUR_KEYS) else key


def read_complaint(body: Any) -> Complaint:
    """Architect's error: `code`, and `details` with a field or with seconds to wait."""
    error = body if isinstance(body, dict) else {}
    details = error.get("details")
    field, wait = (details.get("field"), details.get("retryAfter")) if isinstance(details, dict) else (None, None)
    return Complaint(
        code=error.get("code") if isinstance(error.get("code"), str) else None,
        field=field.split(".") if isinstance(field, str) and field else None,
        retry_after=wait if isinstance(wait, int | float) and not isinstance(wait, bool) and wait > 0 else None,
    )
