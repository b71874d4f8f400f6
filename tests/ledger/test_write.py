"""What the ledger keeps of a write: a fingerprint of what was meant, a draft and an error that come back as they were."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strawberry import ID

from app.ledger.write import fingerprint, read_error, write_draft, write_error
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from schema import errors
from schema.drafts import ActivityDraft, ContactDraft, ContactMethodDraft, Draft, LogDraft, SyncDraft
from schema.errors import MutationError
from schema.ids import Kind
from schema.mutations.create_contact import CreateContactInput, contact_draft
from schema.mutations.create_person_log import CreatePersonLogInput
from schema.mutations.log_activity import LogActivityInput, activity_draft
from schema.mutations.logs import log_draft
from schema.mutations.sync_contact_methods import ClientRef, ContactMethodItem, SyncContactMethodsInput, sync_draft
from schema.types.activity import ActivityCategory
from schema.types.contact import ContactIdentifier
from schema.types.contact_method import ContactMethodType
from schema.types.receipt import WriteOperation
from schema.vendor import Vendor
from tests.ledger.rows import a_write

ERROR_TYPES = sorted(
    (
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, MutationError) and each is not MutationError
    ),
    key=lambda each: each.__name__,
)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
MAYBE = st.none() | TEXT
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
SCALARS = (
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False, allow_infinity=False) | TEXT
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=10
)
OBJECT = st.dictionaries(TEXT, JSON, max_size=4)
LOGS = st.builds(
    LogDraft,
    party_id=MAYBE,
    email=MAYBE,
    phone=MAYBE,
    linkedin_url=MAYBE,
    name=MAYBE,
    source=TEXT,
    type=TEXT,
    payload=OBJECT,
    idempotency_key=MAYBE,
)
CONTACTS = st.builds(
    ContactDraft,
    display_name=TEXT,
    identifiers=st.lists(st.builds(ContactIdentifier, key=TEXT, value=TEXT), max_size=3).map(tuple),
    identifier_paths=st.lists(TEXTS, max_size=3).map(tuple),
    attributes=st.none() | OBJECT,
    list_ids=TEXTS,
    account_ids=TEXTS,
    company_refs=TEXTS,
    idempotency_key=MAYBE,
)
ITEMS = st.builds(
    ContactMethodDraft,
    id=MAYBE,
    type=st.none() | st.sampled_from(ContactMethodType),
    value=MAYBE,
    is_primary=st.none() | st.booleans(),
    label=MAYBE,
    external_id=MAYBE,
    metadata=st.none() | OBJECT,
    delete=st.booleans(),
)
SYNCS = st.builds(
    SyncDraft,
    client_id=TEXT,
    items=st.lists(ITEMS, max_size=3).map(tuple),
    replace=st.booleans(),
    idempotency_key=MAYBE,
)
ACTIVITIES = st.builds(
    ActivityDraft,
    subject=TEXT,
    description=MAYBE,
    category=st.sampled_from(ActivityCategory),
    occurred_at=st.none() | st.datetimes(timezones=st.just(UTC)),
    contact_ids=TEXTS,
    account_id=MAYBE,
    opportunity_id=MAYBE,
    sequence_id=MAYBE,
    pipeline_stage_id=MAYBE,
    idempotency_key=MAYBE,
)
KINDS: dict[WriteOperation, st.SearchStrategy[Any]] = {
    WriteOperation.CREATE_PERSON_LOG: LOGS,
    WriteOperation.CREATE_PROSPECT_LOG: LOGS,
    WriteOperation.CREATE_CONTACT: CONTACTS,
    WriteOperation.SYNC_CONTACT_METHODS: SYNCS,
    WriteOperation.LOG_ACTIVITY: ACTIVITIES,
}
DRAFTS = st.sampled_from(list(KINDS)).flatmap(lambda operation: st.tuples(st.just(operation), KINDS[operation]))


@given(DRAFTS)
def test_every_draft_comes_back_as_it_was(drawn: tuple[WriteOperation, Draft]) -> None:
    """All five kinds: types, the order of keys, whole numbers and fractions of any size, text of any script."""
    operation, draft = drawn
    read = a_write(operation=operation, draft=write_draft(operation, draft)).read_draft()
    assert type(read) is type(draft)
    assert _exact(read) == _exact(draft)


@given(DRAFTS, MAYBE)
def test_the_key_itself_and_the_order_of_keys_make_no_difference(
    drawn: tuple[WriteOperation, Draft], key: str | None
) -> None:
    """The same meaning has the same fingerprint, whoever sends it in whatever order."""
    operation, draft = drawn
    same = dataclasses.replace(_turned_around(draft), idempotency_key=key)
    assert fingerprint(operation, same) == fingerprint(operation, draft)


@given(DRAFTS, DRAFTS)
def test_any_other_difference_makes_another_fingerprint(
    one: tuple[WriteOperation, Draft], other: tuple[WriteOperation, Draft]
) -> None:
    """Two drafts have one fingerprint if, and only if, nothing but their keys differs."""
    assert (fingerprint(*one) == fingerprint(*other)) is (_meaning(*one) == _meaning(*other))


@given(st.data())
def test_a_change_of_any_one_field_makes_another_fingerprint(data: st.DataObject) -> None:
    """However alike two drafts of a kind are else."""
    operation, draft = data.draw(DRAFTS)
    other = data.draw(KINDS[operation])
    name = data.draw(st.sampled_from([each.name for each in dataclasses.fields(draft)]))
    changed = dataclasses.replace(draft, **{name: getattr(other, name)})
    is_same = _meaning(operation, changed) == _meaning(operation, draft)
    assert (fingerprint(operation, changed) == fingerprint(operation, draft)) is is_same


@given(LOGS)
def test_the_operation_is_part_of_the_meaning(draft: LogDraft) -> None:
    """A log of a person is none of a prospect, however alike."""
    operations = (WriteOperation.CREATE_PERSON_LOG, WriteOperation.CREATE_PROSPECT_LOG)
    assert len({fingerprint(operation, draft) for operation in operations}) == 2


def test_a_default_that_is_given_makes_no_difference() -> None:
    """Of all inputs that have one."""
    enough: dict[str, Any] = {"email_address": "ada@example.com", "source": "crm", "payload": {}}
    logs = [CreatePersonLogInput(**enough), CreatePersonLogInput(**enough, type="webhook", name=None)]
    assert _prints(WriteOperation.CREATE_PERSON_LOG, [log_draft(x, Kind.PERSON, None, kebab=True) for x in logs]) == 1
    contacts = [
        CreateContactInput(display_name="Ada"),
        CreateContactInput(display_name="Ada", list_ids=[], identifiers=[]),
    ]
    assert _prints(WriteOperation.CREATE_CONTACT, [contact_draft(each) for each in contacts]) == 1
    activities = [LogActivityInput(subject="Call"), LogActivityInput(subject="Call", category=ActivityCategory.OTHER)]
    assert _prints(WriteOperation.LOG_ACTIVITY, [activity_draft(each)[0] for each in activities]) == 1
    kind = ContactMethodType.EMAIL
    items = [
        ContactMethodItem(type=kind, value="a@x.example"),
        ContactMethodItem(type=kind, value="a@x.example", delete=False, label=None),
    ]
    syncs = [SyncContactMethodsInput(client=ClientRef(client_id=ID(FIRST_CLIENT_ID)), items=[item]) for item in items]
    syncs.append(dataclasses.replace(syncs[0], replace=False))
    assert _prints(WriteOperation.SYNC_CONTACT_METHODS, [sync_draft(each)[0] for each in syncs]) == 1


@pytest.mark.parametrize("kind", ERROR_TYPES, ids=lambda kind: kind.__name__)
def test_every_error_comes_back_as_it_was(kind: type[MutationError]) -> None:
    """All eight types, with every field set and with the defaults, through JSON."""
    values: dict[str, Any] = {
        "code": "ÉTÉ",
        "message": "ça",
        "retryable": True,
        "path": ["input", "items", "3"],
        "vendor": Vendor.ARTU,
        "status": 422,
        "vendor_code": "x.y",
        "retry_after_seconds": 1.5,
    }
    names = [each.name for each in dataclasses.fields(kind)]
    needed = {each.name for each in dataclasses.fields(kind) if _is_needed(each)}
    full = {name: values[name] for name in names}
    for given_error in (kind(**full), kind(**{name: values[name] for name in needed})):
        stored = json.loads(json.dumps(write_error(given_error)))
        found = read_error(stored)
        assert type(found) is kind
        assert found == given_error
        assert a_write(error=stored).read_error() == given_error


def test_there_are_eight_types_of_error() -> None:
    """The test above knows them all; and a write without an error has none."""
    assert len(ERROR_TYPES) == 8
    assert a_write().read_error() is None


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _prints(operation: WriteOperation, drafts: list[Any]) -> int:
    assert len(drafts) > 1
    return len({fingerprint(operation, draft) for draft in drafts})


def _exact(value: Any) -> Any:
    """A value in which 1, 1.0 and True differ, and so does the order of keys."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, [
            (each.name, _exact(getattr(value, each.name))) for each in dataclasses.fields(value)
        ]
    if isinstance(value, dict):
        return "object", [(name, _exact(each)) for name, each in value.items()]
    if isinstance(value, list | tuple):
        return type(value).__name__, [_exact(each) for each in value]
    return type(value).__name__, _plain(value)


def _plain(value: Any) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else repr(value)


def _turned_around(value: Any) -> Any:
    """The same with the keys of every object in reverse order."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        turned = {each.name: _turned_around(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return dataclasses.replace(value, **turned)
    if isinstance(value, dict):
        return {name: _turned_around(value[name]) for name in reversed(value)}
    return type(value)(map(_turned_around, value)) if isinstance(value, list | tuple) else value


def _meaning(operation: WriteOperation, draft: Any) -> str:
    """All of a draft but its key and where its identifiers were given, in no order of keys."""
    plain = dataclasses.asdict(dataclasses.replace(draft, idempotency_key=None))
    plain.pop("identifier_paths", None)
    return json.dumps([operation.value, plain], sort_keys=True, default=_plain)
