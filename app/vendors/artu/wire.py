"""Artu's contact methods as they go over the wire (docs.artu.ai, ARTU Compliance API 1.0.0)."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, RootModel, model_validator
from strawberry import ID

from app.verdict import Complaint
from app.wire import Essential, ItemByItem, Received, RecordId, Sent, Timestamp, or_empty, question
from schema.drafts import ContactMethodDraft, SyncDraft
from schema.ids import Kind, encode
from schema.ports import ContactMethodQuery
from schema.scalars import JSON
from schema.types.contact_method import ContactMethod as SchemaContactMethod
from schema.types.contact_method import ContactMethodType
from schema.types.node import VendorRecord
from schema.vendor import Vendor


class SyncItem(Sent):
    id: str | None = None
    type: str | None = None
    value: str | None = None
    is_primary: bool | None = Field(None, alias="isPrimary")
    label: str | None = None
    external_id: str | None = Field(None, alias="externalId")
    metadata: dict[str, Any] | None = None
    delete: bool | None = Field(None, alias="_delete")


class Sync(Sent):
    """Body of POST clients/{clientId}/contact-methods/sync."""

    items: tuple[SyncItem, ...]
    replace_mode: bool = Field(alias="replaceMode")


class Listing(NamedTuple):
    """Body of POST contact-methods/list: a page, and the conditions of its filter."""

    limit: int
    cursor: str | None = None
    id: str | None = None
    client_id: str | None = None
    client_ids: tuple[str, ...] | None = None
    """By the filter operator `in`: documented on the alerts twin only."""
    type: str | None = None
    value: str | None = None
    external_id: str | None = None
    is_primary: bool | None = None

    def to_json(self) -> bytes:
        limit, cursor, own_id, client_id, client_ids, type_, value, external_id, is_primary = self
        clients = client_id if client_ids is None else {"in": client_ids}
        conditions = (own_id, clients, type_, value, external_id, is_primary)
        given = {name: each for name, each in zip(_CONDITIONS, conditions, strict=True) if each is not None}
        return question(filter=given or None, cursor=cursor, limit=limit)


_CONDITIONS = ("id", "clientId", "type", "value", "externalId", "isPrimary")


class ContactMethod(Received):
    id: RecordId
    client_id: str | None = Field(None, alias="clientId")
    type: str | None = None
    value: str | None = None
    is_verified: bool | None = Field(None, alias="isVerified")
    verified_at: Timestamp | None = Field(None, alias="verifiedAt")
    created_at: Timestamp | None = Field(None, alias="createdAt")
    updated_at: Timestamp | None = Field(None, alias="updatedAt")
    is_primary: bool | None = Field(None, alias="isPrimary")
    label: str | None = None
    external_id: str | None = Field(None, alias="externalId")
    metadata: dict[str, Any] | None = None


class Synced(Received):
    """Answer of a sync."""

    created: Annotated[list[ContactMethod], BeforeValidator(or_empty), Essential] = []
    updated: Annotated[list[ContactMethod], BeforeValidator(or_empty), Essential] = []
    deleted: Annotated[list[str], ItemByItem] = []

    @model_validator(mode="after")
    def says_something(self) -> Synced:
        if not self.model_fields_set:
            raise ValueError("none of created, updated and deleted")
        return self


class Primary(RootModel[ContactMethod | None]):
    """Answer of GET primary/{type}: the bare contact method, or null."""


class Pagination(Received):
    has_more: bool = Field(False, alias="hasMore")
    next_cursor: str | None = Field(None, alias="nextCursor")
    total_count: int | None = Field(None, alias="totalCount")


class ContactMethodPage(Received):
    """Answer of a listing."""

    data: Annotated[list[ContactMethod], ItemByItem, Essential]
    pagination: Pagination = Pagination()


def from_draft(draft: SyncDraft) -> Sync:
    return Sync(items=tuple(_item(item) for item in draft.items), replace_mode=draft.replace)


def from_query(query: ContactMethodQuery, cursor: str | None, limit: int) -> Listing:
    return Listing(
        limit,
        cursor,
        client_id=query.client_id,
        type=query.type and query.type.value.lower(),
        value=query.value,
        external_id=query.external_id,
        is_primary=query.is_primary,
    )


def to_contact_method(method: ContactMethod, client_id: str | None = None) -> SchemaContactMethod:
    """`client_id` serves where the answer has none."""
    return SchemaContactMethod(
        id=encode(Kind.CONTACT_METHOD, method.id),
        client_id=ID(method.client_id or client_id or ""),
        type=_type(method.type),
        value=method.value or "",
        is_primary=bool(method.is_primary),
        is_verified=bool(method.is_verified),
        verified_at=method.verified_at,
        label=method.label,
        external_id=method.external_id,
        metadata=None if method.metadata is None else JSON(method.metadata),
        created_at=method.created_at,
        updated_at=method.updated_at,
        vendor_record=VendorRecord(vendor=Vendor.ARTU, kind="contact_method", id=method.id),
    )


def read_complaint(body: Any) -> Complaint:
    """Artu's error: `code`, and `data.issues`, each with a path into the body."""
    error = body if isinstance(body, dict) else {}
    data = error.get("data")
    issues = data.get("issues") if isinstance(data, dict) else None
    first = issues[0] if isinstance(issues, list) and issues and isinstance(issues[0], dict) else {}
    path = first.get("path")
    return Complaint(
        code=error.get("code") if isinstance(error.get("code"), str) else None,
        field=[str(step) for step in path] if isinstance(path, list) and path else None,
    )


def _item(draft: ContactMethodDraft) -> SyncItem:
    return SyncItem(
        id=draft.id,
        type=draft.type and draft.type.value.lower(),
        value=draft.value,
        is_primary=draft.is_primary,
        label=draft.label,
        external_id=draft.external_id,
        metadata=None if draft.metadata is None else dict(draft.metadata),
        delete=True if draft.delete else None,
    )


def _type(name: str | None) -> ContactMethodType | None:
    return _TYPES.get(name.upper()) if name else None


_TYPES = {each.value: each for each in ContactMethodType}
