"""What vendors answer in unexpected formats: only a record without its ID is of no use."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from app import wire
from app.vendors.architect import wire as architect
from app.vendors.artu import wire as artu
from app.vendors.bird import wire as bird
from app.vendors.reevo import wire as reevo
from tests.vendors.upstream import fixture

MARK = "mark-1f6c"
WRONG: Mapping[str, Any] = {
    "list": [MARK, [MARK]],
    "object": {MARK: MARK},
    "number": 1e300,
    "string": MARK,
    "true": True,
    "null": None,
    "nested": {"value": {MARK: [MARK]}},
}
NEEDED = {
    "CreatedLog.party_id",
    "CreatedLog.log_id",
    "PersonLog.person_id",
    "PersonLog.log_id",
    "Contact.id",
    "ContactMethod.id",
    "ActivityRecord.id",
    "ActivityEnvelope.data",
    "ContactEnvelope.data",
    "Synced.created",
    "Synced.updated",
    "ContactPage.results",
    "IdentifierPage.results",
    "ContactMethodPage.data",
    "ActivityPage.data",
    "ContactPage.data",
}
"""A record's own ID, and what the records of an answer come in."""

RECORDS: Mapping[type[wire.Received], str] = {
    architect.CreatedLog: "architect/created_person_log",
    architect.PersonLog: "architect/person_log",
    bird.Contact: "bird/contact",
    bird.ContactPage: "bird/contacts",
    bird.IdentifierPage: "bird/identifiers",
    artu.ContactMethod: "artu/contact_method",
    artu.ContactMethodPage: "artu/contact_methods",
    artu.Synced: "artu/synced",
    reevo.ActivityEnvelope: "reevo/activity",
    reevo.ActivityPage: "reevo/activities",
    reevo.ContactEnvelope: "reevo/contact",
    reevo.ContactPage: "reevo/contacts",
}


def received(model: type[Any] = wire.Received) -> Iterator[type[Any]]:
    """Every model of an answer, from the models themselves."""
    for each in model.__subclasses__():
        yield each
        yield from received(each)


def is_needed(model: type[Any], name: str) -> bool:
    return any(mark is wire.Essential for mark in model.model_fields[name].metadata)


def is_object(untouched: Any, name: str, wrong: Any) -> bool:
    """Whether an object stands where one belongs: all that is wrong with it is within it."""
    return isinstance(wrong, dict) and isinstance(getattr(untouched, name), wire.Received)


FIELDS = [(model, name) for model in received() if model.__module__.startswith("app.") for name in model.model_fields]
TOLERANT = [pytest.param(*each, id=f"{each[0].__module__}.{each[1]}") for each in FIELDS if not is_needed(*each)]


def spelling(name: str, field: FieldInfo) -> str:
    alias = field.validation_alias or name
    choices = alias.choices if isinstance(alias, AliasChoices) else [str(alias)]
    return next(each for each in choices if isinstance(each, str))


def minimal(model: type[Any]) -> dict[str, Any]:
    """The least that the model accepts."""
    fields = model.model_fields.items()
    lists = {"results", "data", "created", "updated"} if not model.__name__.endswith("Envelope") else set()
    return {
        spelling(name, field): [] if name in lists else {"id": "1"} if name == "data" else "1"
        for name, field in fields
        if is_needed(model, name)
    }


def test_only_ids_and_what_holds_the_records_are_needed() -> None:
    """Everything else may be missing or wrong; this list grows by decision, not by accident."""
    assert {f"{model.__name__}.{name}" for model, name in FIELDS if is_needed(model, name)} == NEEDED


@pytest.mark.parametrize(("model", "name"), TOLERANT)
def test_a_field_of_another_type_costs_at_most_itself(
    model: type[Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The rest of the record stays; what can't be kept as text is logged by the field's name, without its value."""
    least = minimal(model)
    untouched = wire.read(model, json.dumps(least).encode())
    for wrong in WRONG.values():
        caplog.clear()
        body = least | {spelling(name, model.model_fields[name]): wrong}
        found = wire.read(model, json.dumps(body).encode())
        assert found.model_copy(update={name: getattr(untouched, name)}) == untouched
        is_kept = getattr(found, name) != getattr(untouched, name) or is_object(untouched, name, wrong)
        warned = {record.levelno for record in caplog.records} == {logging.WARNING}
        assert is_kept or warned or wrong is None
        assert MARK not in caplog.text
        assert "1e+300" not in caplog.text


@pytest.mark.parametrize(("model", "name"), [each for each in FIELDS if is_needed(*each)])
def test_what_is_needed_may_not_be_missing(model: type[Any], name: str) -> None:
    """A record without its ID, or an answer without what holds its records, can't be used, except for an empty sync."""
    body = {key: value for key, value in minimal(model).items() if key != spelling(name, model.model_fields[name])}
    if model is artu.Synced:
        assert wire.read(model, json.dumps(body).encode()) == artu.Synced(created=[], updated=[], deleted=[])
        body = {}
    with pytest.raises(wire.Unreadable):
        wire.read(model, json.dumps(body).encode())


@pytest.mark.parametrize(("model", "name"), [each for each in FIELDS if is_needed(*each) and each[1].endswith("id")])
def test_an_id_may_be_any_text_or_number_but_not_empty(model: type[Any], name: str) -> None:
    """Other prefixes, numbers, emoji: the vendor's own business. Null, empty, structures and what no database keeps are no ID."""
    key = spelling(name, model.model_fields[name])
    for odd, text in ((7, "7"), (2.5, "2.5"), ("other_🐦", "other_🐦"), ("x" * 5000, "x" * 5000)):
        assert getattr(wire.read(model, json.dumps(minimal(model) | {key: odd}).encode()), name) == text
    for unusable in (None, "", [], ["x"], {}, {"id": "x"}, True, "a\0b", "\0"):
        with pytest.raises(wire.Unreadable):
            wire.read(model, json.dumps(minimal(model) | {key: unusable}).encode())


@pytest.mark.parametrize(("model", "name"), RECORDS.items())
def test_unknown_fields_are_ignored_and_the_documented_answer_has_no_warning(
    model: type[Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A vendor may add what it likes."""
    known = fixture(name)
    found = wire.read(model, json.dumps(known).encode())
    assert wire.read(model, json.dumps(known | {"novelty": {"id": [None]}}).encode()) == found
    assert caplog.records == []


@pytest.mark.parametrize("name", ["results", "data"])
def test_a_bad_entry_of_a_list_costs_only_itself(name: str, caplog: pytest.LogCaptureFixture) -> None:
    """A page keeps its readable records, and null stands for an empty page."""
    pages: Mapping[str, type[Any]] = {"results": bird.ContactPage, "data": reevo.ContactPage}
    model = pages[name]
    entries = [{"id": "1"}, {"id": None}, MARK, None, {"id": "2"}]
    page = wire.read(model, json.dumps({name: entries}).encode())
    assert [each.id for each in getattr(page, name)] == ["1", "2"]
    assert len(caplog.records) == 3
    assert MARK not in caplog.text
    assert getattr(wire.read(model, json.dumps({name: None}).encode()), name) == []


@pytest.mark.parametrize(
    ("name", "entry", "kind"),
    [
        ("contact_emails", {"email": "ada@acme.example"}, "email"),
        ("contact_phone_numbers", {"phone_number": "+31612345678"}, "phone"),
    ],
)
def test_an_entry_without_a_value_costs_a_contact_only_itself(
    name: str, entry: dict[str, str], kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The other entries in their envelopes are found; a list that is null, with its envelope or without, is none."""
    entries = [{"value": None}, {"value": entry}, None, MARK]
    body = {"id": "1", "attributes": {name: entries}}
    [value] = entry.values()
    assert reevo.identifiers(wire.read(reevo.Contact, json.dumps(body).encode())) == ((kind, value),)
    assert len(caplog.records) == 3
    caplog.clear()
    for nothing in (None, {"value": None}):
        body = {"id": "1", "attributes": {name: nothing}}
        assert reevo.identifiers(wire.read(reevo.Contact, json.dumps(body).encode())) == ()
    assert caplog.records == []


@pytest.mark.parametrize(
    "stamp", ["15/01/2026", "yesterday", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", 1e40, "", {}]
)
def test_a_date_that_is_none_is_null(stamp: Any) -> None:
    """Also one that leaves the calendar on its way to UTC."""
    assert wire.read(bird.Contact, json.dumps({"id": "1", "createdAt": stamp}).encode()).created_at is None


@pytest.mark.parametrize("stamp", ["2026-01-15T10:30:00Z", "2026-01-15T12:30:00+02:00", "2026-01-15 10:30", 1768473000])
def test_a_date_in_any_iso_form_is_the_same_moment(stamp: Any) -> None:
    """Without an offset it is UTC."""
    contact = wire.read(bird.Contact, json.dumps({"id": "1", "createdAt": stamp}).encode())
    assert contact.created_at == datetime(2026, 1, 15, 10, 30, tzinfo=UTC)


def test_what_is_no_clean_json_is_read_all_the_same() -> None:
    """Half a surrogate pair and broken UTF-8 become the replacement character, a number that is none becomes null."""
    name = b'{"id": "1\\ud800", "computedDisplayName": "\\uDC00 \xff \\ud83d\\udc26", "identifierCount": NaN}'
    contact = wire.read(bird.Contact, name)
    assert (contact.id, contact.display_name, contact.identifier_count) == ("1\ufffd", "\ufffd \ufffd 🐦", None)


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b'"text"', b"<html>", b'{"id": "1"', b"[" * 100_000])
def test_what_is_no_record_is_unreadable(content: bytes) -> None:
    """No JSON, no object, or endless depth: never another exception."""
    with pytest.raises(wire.Unreadable):
        wire.read(bird.Contact, content)
