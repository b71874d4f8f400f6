"""What was made of an answer is made once, for as long as the vendor says the same."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from app.call import Call
from app.readings import BYTES_EACH, BYTES_PER_BYTE, Reading, Readings, whole
from app.rest import LONGEST_QUESTION, Rest
from app.transport.through_httpx import ThroughHttpx
from app.vendors.bird import SPEC, wire
from app.wire import Unreadable
from tests.vendors.upstream import fixture

ADA = json.dumps(fixture("bird/contact")).encode()
BEA = json.dumps(fixture("bird/contact") | {"computedDisplayName": "Bea"}).encode()
SHORT = b'{"id": "1"}'
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
    each = BYTES_EACH + BYTES_PER_BYTE * (len("second") + len(ADA))
    readings = Readings(most_bytes=2 * each)
    first = readings.read("first", ADA, CONTACT)
    second = readings.read("second", ADA, CONTACT)
    assert readings.read("first", ADA, CONTACT) is first
    readings.read("third", ADA, CONTACT)
    assert readings.read("first", ADA, CONTACT) is first
    assert readings.read("second", ADA, CONTACT) is not second
    readings.read("large", ADA + b" " * 10_000, CONTACT)
    assert readings.read("first", ADA, CONTACT) is not first


def test_a_short_answer_counts_with_its_question_and_what_any_answer_takes() -> None:
    """The last of ten is one too many for the room of nine, and the first makes room for it."""
    question = "x" * 1_000
    each = BYTES_EACH + BYTES_PER_BYTE * (len(f"0{question}") + len(SHORT))
    readings = Readings(most_bytes=9 * each)
    first, second, *_ = (readings.read(f"{number}{question}", SHORT, CONTACT) for number in range(10))
    assert readings.read(f"1{question}", SHORT, CONTACT) is second
    assert readings.read(f"0{question}", SHORT, CONTACT) is not first


@pytest.mark.parametrize(("length", "is_held"), [(LONGEST_QUESTION, True), (LONGEST_QUESTION + 1, False)])
async def test_the_answer_to_a_long_question_is_held_on_to_by_nobody(length: int, is_held: bool) -> None:
    """Neither for those who ask at the same moment, nor for those who are answered the same."""
    calls: list[httpx.Request] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        await asyncio.sleep(0)
        return httpx.Response(200, stream=httpx.ByteStream(ADA))

    rest_of_it = sum(len(part) for part in Call("POST", "/contacts").question() if part)
    call = Call("POST", "/contacts", b"x" * (length - rest_of_it))
    async with httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://vendor") as http:
        rest = Rest(SPEC.vendor, ThroughHttpx(http), SPEC.complaint, timeout=60)
        one, other = await asyncio.gather(*(rest.read(call, CONTACT) for _ in range(2)))
    assert (one is other, len(calls)) == ((True, 1) if is_held else (False, 2))
