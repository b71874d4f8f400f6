"""The input rules of createPersonLog and createProspectLog."""

from __future__ import annotations

from typing import Any

import pytest

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.inputs.mutations import PERSON_LOG, PROSPECT_LOG, broken, mutate

pytestmark = pytest.mark.asyncio(loop_scope="module")

EMAIL = "Must be an e-mail address such as ada@example.com."
PHONE = "Must be an international phone number: + and 2 to 15 digits, such as +31612345678."
PROFILE = "Must be an absolute URL such as https://www.linkedin.com/in/ada-example."
KEBAB = "Must be in kebab case: lower-case letters and digits, joined by single dashes."
OBJECT = 'Must be a JSON object, such as {"stage": "qualified"}.'
NUMBER = "Holds a number that is too large for JSON: give it as a string."


def _length(most: int, given: int) -> str:
    return f"Must be 1 to {most} characters long; it has {given}."


BROKEN: list[tuple[str, Any, str]] = [
    ("emailAddress", "", EMAIL),
    ("emailAddress", "ada", EMAIL),
    ("emailAddress", "ada@example.com, bob@example.com", EMAIL),
    ("emailAddress", f"{'a' * 10_000}@example.com", EMAIL),
    ("phoneNumber", "", PHONE),
    ("phoneNumber", "0612345678", PHONE),
    ("phoneNumber", "+0612345678", PHONE),
    ("phoneNumber", "+3", PHONE),
    ("phoneNumber", f"+{'1' * 16}", PHONE),
    ("phoneNumber", "+31 6 1234 x678", PHONE),
    ("phoneNumber", "+٣١٦١٢٣٤٥٦٧٨", PHONE),
    ("linkedinProfileUrl", "", PROFILE),
    ("linkedinProfileUrl", "www.linkedin.com/in/ada", PROFILE),
    ("linkedinProfileUrl", "javascript:alert(1)", PROFILE),
    ("linkedinProfileUrl", "https://", PROFILE),
    ("linkedinProfileUrl", "https://linked in.com/", PROFILE),
    ("linkedinProfileUrl", "https://[::1", PROFILE),
    ("name", "", _length(255, 0)),
    ("name", "x" * 256, _length(255, 256)),
    ("source", "", _length(100, 0)),
    ("source", "x" * 101, _length(100, 101)),
    ("type", "", _length(100, 0)),
    ("type", "x" * 101, _length(100, 101)),
    ("payload", [], OBJECT),
    ("payload", "text", OBJECT),
    ("payload", 1, OBJECT),
    ("payload", False, OBJECT),
    ("idempotencyKey", "", _length(255, 0)),
    ("idempotencyKey", "x" * 256, _length(255, 256)),
]

ACCEPTED: list[tuple[str, Any]] = [
    ("emailAddress", "  Ada.O'Hara+tag@EXAMPLE.com "),
    ("emailAddress", "ada@bücher.example"),
    ("phoneNumber", "+12"),
    ("phoneNumber", "+123456789012345"),
    ("phoneNumber", "+31 6-1234 5678"),
    ("linkedinProfileUrl", "http://linkedin.com"),
    ("linkedinProfileUrl", f"https://www.linkedin.com/in/{'x' * 10_000}"),
    ("name", "x"),
    ("name", "👩‍🚀" * 85),
    ("source", "x" * 100),
    ("source", "a-1-b"),
    ("type", "x" * 100),
    ("delivery", "WAIT"),
]


@pytest.mark.parametrize("mutation", [PERSON_LOG, PROSPECT_LOG])
@pytest.mark.parametrize(("field", "value", "message"), BROKEN)
async def test_a_broken_rule_is_reported_at_its_path(
    served: Gateway, mutation: str, field: str, value: Any, message: str
) -> None:
    """Each rule is an InvalidInput that leads to its field and says what is expected; nothing is sent."""
    assert await broken(served, mutation, **{field: value}) == [(field, message)]


@pytest.mark.parametrize("mutation", [PERSON_LOG, PROSPECT_LOG])
@pytest.mark.parametrize(("field", "value"), ACCEPTED)
async def test_what_stands_at_the_bound_is_sent(served: Gateway, mutation: str, field: str, value: Any) -> None:
    """The bounds themselves are included."""
    assert await mutate(served, mutation, **{field: value}) == []
    assert len(served.upstream) == 1


@pytest.mark.parametrize(("mutation", "letter"), [(PERSON_LOG, "x"), (PROSPECT_LOG, "y")])
async def test_an_idempotency_key_has_1_to_255_characters(served: Gateway, mutation: str, letter: str) -> None:
    """Characters, not bytes."""
    for key in (letter, "ключ" + letter * 251):
        assert await mutate(served, mutation, idempotencyKey=key) == []
        assert len(served.upstream) == 1


@pytest.mark.parametrize("name", ["CRM", "my_crm", "my crm", "-crm", "crm-", "my--crm", "crmé", "crm\n"])
async def test_only_person_logs_need_kebab_case(served: Gateway, name: str) -> None:
    """Architect documents the pattern for person logs and none for prospect logs."""
    assert await broken(served, PERSON_LOG, source=name, type=name) == [("source", KEBAB), ("type", KEBAB)]
    assert await mutate(served, PROSPECT_LOG, source=name, type=name) == []


@pytest.mark.parametrize(("mutation", "id_field"), [(PERSON_LOG, "personId"), (PROSPECT_LOG, "prospectId")])
async def test_somebody_must_be_pointed_at(served: Gateway, mutation: str, id_field: str) -> None:
    """Without an ID, e-mail address, phone number or profile there is nobody to write a log of."""
    message = f"Give at least one of {id_field}, emailAddress, phoneNumber and linkedinProfileUrl."
    assert await broken(served, mutation, emailAddress=None) == [("", message)]
    for one in ({"phoneNumber": "+31612345678"}, {"linkedinProfileUrl": "https://linkedin.com/in/ada"}):
        assert await mutate(served, mutation, emailAddress=None, **one) == []


async def test_a_payload_holds_only_numbers_that_json_has(served: Gateway) -> None:
    """Literals in the document reach the rules as they are: one that no parser reads is refused, at any depth."""
    for number in ("1e999", "-1e400", "1" * 21, "1" * 5000):
        answer = await served.ask(
            f"""mutation {{ createPersonLog(input: {{emailAddress: "a@b.co", source: "x", payload: {{a: [{number}]}}}}) {{
              errors {{ message ... on InvalidInput {{ path }} }} }} }}"""
        )
        expected = [{"message": NUMBER, "path": ["input", "payload"]}]
        assert answer.data == {"createPersonLog": {"errors": expected}}
        assert served.upstream == []


async def test_all_broken_rules_are_reported_together(served: Gateway) -> None:
    """One answer names all that is wrong, in the order of the input's fields."""
    assert await broken(
        served,
        PERSON_LOG,
        personId=encode(Kind.CONTACT, "x"),
        emailAddress="a",
        phoneNumber="1",
        linkedinProfileUrl="x",
        name="",
        source="A b",
        type="",
        payload=[],
        idempotencyKey="",
    ) == [
        ("personId", "Expected the ID of a Person, was given the ID of a Contact."),
        ("emailAddress", EMAIL),
        ("phoneNumber", PHONE),
        ("linkedinProfileUrl", PROFILE),
        ("name", _length(255, 0)),
        ("source", KEBAB),
        ("type", _length(100, 0)),
        ("payload", OBJECT),
        ("idempotencyKey", _length(255, 0)),
    ]
