"""One write as the ledger has it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from app.ledger.states import is_blocking
from schema import errors
from schema.drafts import ActivityDraft, ContactDraft, Draft, LogDraft, SyncDraft
from schema.errors import MutationError
from schema.types.receipt import Delivery, WriteOperation, WriteState
from schema.vendor import Environment, Vendor

D = TypeVar("D", bound=Draft)

_DRAFTS: Mapping[WriteOperation, type[Draft]] = {
    WriteOperation.CREATE_PERSON_LOG: LogDraft,
    WriteOperation.CREATE_PROSPECT_LOG: LogDraft,
    WriteOperation.CREATE_CONTACT: ContactDraft,
    WriteOperation.SYNC_CONTACT_METHODS: SyncDraft,
    WriteOperation.LOG_ACTIVITY: ActivityDraft,
}

_NO_MEANING = ("idempotency_key", "identifier_paths")
"""What a draft holds beside what is to be written."""

_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


@dataclass  # not frozen, though nobody changes one: of so many columns that would take thrice the time
class Write:
    """A row of the ledger. Times are milliseconds since 1970; `draft` and `answer` are JSON."""

    id: str
    environment: Environment
    gateway_key: str
    idempotency_key: str
    operation: WriteOperation
    vendor: Vendor
    fingerprint: str
    vendor_key: str | None
    """The idempotency key that the vendor is sent; only a write that has one is ever sent again when in doubt."""
    lane: str
    """Writes in one lane are delivered in their order."""
    delivery: Delivery
    draft: str | None
    """What is to be written; emptied once final."""
    state: WriteState
    attempts: int
    in_doubt: bool
    owner: str | None
    lease_ms: int | None
    due_ms: int | None
    give_up_ms: int
    examined: int
    needs_attention: bool
    error: Mapping[str, Any] | None
    result_id: str | None
    answer: str | None
    """The vendor's answer, for replays."""
    first_sent_ms: int | None
    created_ms: int
    updated_ms: int
    completed_ms: int | None
    superseded: bool

    def but(self, values: Mapping[str, Any]) -> Write:
        """The same with other values in these columns; of so many, dataclasses.replace would copy each by itself."""
        new = object.__new__(Write)
        vars(new).update(vars(self), **values)
        return new

    def read_draft(self) -> Draft:
        draft: Draft = _drafts(self.operation).validate_json(self.draft or "null")
        return draft

    def read_error(self) -> MutationError | None:
        return read_error(self.error) if self.error is not None else None

    def is_blocking(self) -> bool:
        """Whether it holds its idempotency key."""
        error = self.read_error()
        return is_blocking(self.state, error is not None and error.retryable)


@dataclass(frozen=True)
class Event:
    """One change of state of a write."""

    write_id: str
    number: int
    at_ms: int
    before: WriteState | None
    after: WriteState
    reason: str


def with_key(draft: D, idempotency_key: str) -> D:
    """The same draft with this key; dataclasses.replace would copy each field by itself."""
    new = object.__new__(type(draft))
    vars(new).update(vars(draft), idempotency_key=idempotency_key)
    return new


def write_draft(operation: WriteOperation, draft: Draft) -> str:
    return _drafts(operation).serializer.to_json(draft).decode()


def fingerprint(operation: WriteOperation, draft: Draft) -> str:
    """SHA-256 over the operation and the validated input: the order of keys, white space and defaults make no difference,
    nor does by which of several fields the same was given.
    """
    plain = _drafts(operation).serializer.to_python(draft, mode="json")
    for name in _NO_MEANING:
        plain.pop(name, None)
    return hashlib.sha256(_CANONICAL.encode([operation.value, plain]).encode()).hexdigest()


@cache
def _drafts(operation: WriteOperation) -> TypeAdapter[Any]:
    return TypeAdapter(_DRAFTS[operation])


def write_error(error: MutationError) -> dict[str, Any]:
    """An error as JSON: its type and its fields."""
    values = {name: getattr(value, "value", value) for name, value in asdict(error).items()}
    return {"type": type(error).__name__, **values}


def read_error(stored: Mapping[str, Any]) -> MutationError:
    kind: type[MutationError] = getattr(errors, stored["type"])
    known = {field.name for field in fields(kind)}
    values = {name: value for name, value in stored.items() if name in known}
    if "vendor" in values:
        values["vendor"] = Vendor(values["vendor"])
    return kind(**values)
