"""Writes that passed the input rules: what a port is asked to do, in this API's terms and the vendor's own IDs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schema.types.activity import ActivityCategory
from schema.types.contact import ContactIdentifier
from schema.types.contact_method import ContactMethodType


@dataclass(frozen=True)
class LogDraft:
    """A log of a person or a prospect; None is absent. `party_id` is the vendor's own."""

    party_id: str | None
    email: str | None
    phone: str | None
    linkedin_url: str | None
    name: str | None
    source: str
    type: str
    payload: Mapping[str, Any]
    idempotency_key: str | None


@dataclass(frozen=True)
class ContactDraft:
    """A contact to create; empty tuples and None are absent. `identifier_paths` says where each identifier was given."""

    display_name: str
    identifiers: tuple[ContactIdentifier, ...]
    identifier_paths: tuple[tuple[str, ...], ...]
    attributes: Mapping[str, Any] | None
    list_ids: tuple[str, ...]
    account_ids: tuple[str, ...]
    company_refs: tuple[str, ...]
    idempotency_key: str | None


@dataclass(frozen=True)
class ContactMethodDraft:
    """One item of a sync; None is absent, `id` is the vendor's own."""

    id: str | None
    type: ContactMethodType | None
    value: str | None
    is_primary: bool | None
    label: str | None
    external_id: str | None
    metadata: Mapping[str, Any] | None
    delete: bool


@dataclass(frozen=True)
class SyncDraft:
    """What shall become of one client's contact methods. `party` is whose, if that was given in place of the client's ID."""

    client_id: str
    party: str | None
    items: tuple[ContactMethodDraft, ...]
    replace: bool
    idempotency_key: str | None


@dataclass(frozen=True)
class ActivityDraft:
    """An activity to log. `parties` are whom it was with, as given; `contact_ids` the vendor's own records of them."""

    subject: str
    description: str | None
    category: ActivityCategory
    occurred_at: datetime | None
    parties: tuple[str, ...]
    contact_ids: tuple[str, ...]
    account_id: str | None
    opportunity_id: str | None
    sequence_id: str | None
    pipeline_stage_id: str | None
    idempotency_key: str | None


Draft = LogDraft | ContactDraft | SyncDraft | ActivityDraft
