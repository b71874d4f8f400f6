"""What was made of an answer is made once, for as long as the vendor says the same."""

from __future__ import annotations

import json

import pytest

from app.readings import MOST, Reading, Readings, whole
from app.vendors.bird import wire
from app.wire import Unreadable
from tests.vendors.upstream import fixture

ADA = json.dumps(fixture("bird/contact")).encode()
BEA = json.dumps(fixture("bird/contact") | {"computedDisplayName": "Bea"}).encode()
CONTACT: Reading[wire.Contact] = Reading(wire.Contact, lambda contact: contact)


def test_the_same_bytes_in_answer_to_the_same_question_are_read_once() -> None:
    """What was made of them is given again: the very same object."""
    readings = Readings()
    assert readings.read("ada", ADA, CONTACT) is readings.read("ada", bytes(bytearray(ADA)), CONTACT)


def test_a_whole_model_is_not_kept() -> None:
    """It is large, and what it answers is rarely asked again."""
    readings = Readings()
    assert readings.read("ada", ADA, whole(wire.Contact)) is not readings.read("ada", ADA, whole(wire.Contact))


def test_another_answer_is_read_anew() -> None:
    """Whatever was said before, what is said now counts; also when it is what was said before that."""
    readings = Readings()
    names = [readings.read("ada", content, CONTACT).display_name for content in (ADA, BEA, ADA)]
    assert names == ["Ada Example", "Bea", "Ada Example"]


def test_the_same_bytes_mean_something_else_to_another_question_or_reader() -> None:
    """Two empty pages are two pages, and who wants the name gets no record."""
    readings = Readings()
    name = Reading(wire.Contact, lambda contact: contact.display_name)
    assert readings.read("ada", ADA, CONTACT) is not readings.read("bea", ADA, CONTACT)
    assert readings.read("ada", ADA, name) == "Ada Example"
    assert readings.read("ada", ADA, CONTACT) == wire.Contact.model_validate(fixture("bird/contact"))


def test_what_could_not_be_read_is_no_answer_and_leaves_none() -> None:
    """It is refused each time, and what was understood before is understood again."""
    readings = Readings()
    readings.read("ada", ADA, CONTACT)
    for _ in range(2):
        with pytest.raises(Unreadable):
            readings.read("ada", b"<html>", CONTACT)
    assert readings.read("ada", ADA, CONTACT).display_name == "Ada Example"


def test_no_more_than_so_many_bytes_are_kept() -> None:
    """The answers that were not given for the longest time make room, and one that is too large for all of it."""
    readings = Readings(most_bytes=2 * len(ADA))
    first = readings.read("first", ADA, CONTACT)
    second = readings.read("second", ADA, CONTACT)
    assert readings.read("first", ADA, CONTACT) is first
    readings.read("third", ADA, CONTACT)
    assert readings.read("first", ADA, CONTACT) is first
    assert readings.read("second", ADA, CONTACT) is not second
    readings.read("large", ADA + b" " * 3 * len(ADA), CONTACT)
    assert readings.read("first", ADA, CONTACT) is not first


def test_no_more_than_so_many_are_kept_however_short() -> None:
    """Questions take memory too: the oldest makes room."""
    readings, short = Readings(), b'{"id": "1"}'
    kept = [readings.read(question, short, CONTACT) for question in range(MOST + 1)]
    assert readings.read(1, short, CONTACT) is kept[1]
    assert readings.read(0, short, CONTACT) is not kept[0]
