"""The input rules of createContact."""

from __future__ import annotations

from typing import Any

import pytest

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.inputs.mutations import CONTACT, broken, mutate

pytestmark = pytest.mark.asyncio(loop_scope="module")

TWICE = "This identifier is given twice: leave one out."
ATTRIBUTE = "Must be a boolean, number, string, null, or a non-empty array of them."
ATTRIBUTE_NAME = "Attribute names are 1 to 64 letters, digits, _ and -."
OPAQUE = "1 to 200 visible ASCII characters."


def _length(most: int, given: int) -> str:
    return f"Must be 1 to {most} characters long; it has {given}."


def _key(key: str, value: str = "v") -> dict[str, str]:
    return {"key": key, "value": value}


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"displayName": ""}, "displayName", _length(150, 0)),
    ({"displayName": "x" * 151}, "displayName", _length(150, 151)),
    ({"displayName": "x" * 10_000}, "displayName", _length(150, 10_000)),
    (
        {"emailAddresses": ["ada@example.com", "ada"]},
        "emailAddresses.1",
        "Must be an e-mail address such as ada@example.com.",
    ),
    (
        {"phoneNumbers": ["0612345678"]},
        "phoneNumbers.0",
        "Must be an international phone number: + and 2 to 15 digits, such as +31612345678.",
    ),
    ({"identifiers": [_key("")]}, "identifiers.0.key", _length(64, 0)),
    ({"identifiers": [_key("k" * 65)]}, "identifiers.0.key", _length(64, 65)),
    ({"identifiers": [_key("k", "")]}, "identifiers.0.value", _length(500, 0)),
    ({"identifiers": [_key("k", "v" * 501)]}, "identifiers.0.value", _length(500, 501)),
    ({"identifiers": [_key("k"), _key("j"), _key("k")]}, "identifiers.2", TWICE),
    ({"emailAddresses": ["ada@example.com", "ADA@Example.com"]}, "emailAddresses.1", TWICE),
    ({"phoneNumbers": ["+31612345678", "+31 6-12345678"]}, "phoneNumbers.1", TWICE),
    (
        {"emailAddresses": ["ada@example.com"], "identifiers": [_key("emailaddress", "Ada@example.com")]},
        "identifiers.0",
        TWICE,
    ),
    ({"attributes": []}, "attributes", 'Must be a JSON object, such as {"stage": "qualified"}.'),
    ({"attributes": "x"}, "attributes", 'Must be a JSON object, such as {"stage": "qualified"}.'),
    ({"attributes": {"a": {}}}, "attributes.a", ATTRIBUTE),
    ({"attributes": {"a": []}}, "attributes.a", ATTRIBUTE),
    ({"attributes": {"a": [1, None]}}, "attributes.a", ATTRIBUTE),
    ({"attributes": {"a": [[1]]}}, "attributes.a", ATTRIBUTE),
    ({"attributes": {"": 1}}, "attributes.", ATTRIBUTE_NAME),
    ({"attributes": {"a b": 1}}, "attributes.a b", ATTRIBUTE_NAME),
    ({"attributes": {"é": 1}}, "attributes.é", ATTRIBUTE_NAME),
    ({"attributes": {"k" * 65: 1}}, f"attributes.{'k' * 65}", ATTRIBUTE_NAME),
    ({"listIds": list("abcdefghijk")}, "listIds", "Must have at most 10 entries; it has 11."),
    ({"accountIds": list("abcdefghijk")}, "accountIds", "Must have at most 10 entries; it has 11."),
    ({"listIds": ["b c"] * 11}, "listIds", "Must have at most 10 entries; it has 11."),
    ({"emailAddresses": ["ada"] * 101}, "emailAddresses", "Must have at most 100 entries; it has 101."),
    ({"phoneNumbers": ["061"] * 101}, "phoneNumbers", "Must have at most 100 entries; it has 101."),
    ({"identifiers": [_key("")] * 101}, "identifiers", "Must have at most 100 entries; it has 101."),
    ({"companyRefs": ["x"] * 101}, "companyRefs", "Must have at most 100 entries; it has 101."),
    ({"listIds": [""]}, "listIds.0", f"Expected the vendor's ID of a list: {OPAQUE}"),
    ({"accountIds": ["a", "b c"]}, "accountIds.1", f"Expected the vendor's ID of an account: {OPAQUE}"),
    (
        {"listIds": [encode(Kind.CONTACT, "x")]},
        "listIds.0",
        "Expected the vendor's ID of a list, was given the ID of a Contact.",
    ),
    ({"idempotencyKey": ""}, "idempotencyKey", _length(255, 0)),
    ({"idempotencyKey": "x" * 256}, "idempotencyKey", _length(255, 256)),
]

ACCEPTED: list[dict[str, Any]] = [
    {"displayName": "👩‍🚀" * 50},
    {"displayName": "עדה לאבלייס"},
    {"identifiers": [_key("k" * 64, "v" * 500)]},
    {"identifiers": [_key("crm", "Ab"), _key("crm", "aB"), _key("erp", "Ab")]},
    {"emailAddresses": [], "phoneNumbers": [], "identifiers": [], "attributes": {}, "companyRefs": []},
    {"phoneNumbers": [f"+316123456{n:02}" for n in range(100)], "companyRefs": ["x"] * 100},
    {"identifiers": [_key("crm", str(n)) for n in range(100)]},
    {"attributes": {"k" * 64: True, "a-b": 1.5, "c_d": "x", "E9": None, "list": [True, 2, "x"]}},
    {"listIds": list("abcdefghij"), "accountIds": list("abcdefghij")},
    {"idempotencyKey": "x" * 255, "delivery": "WAIT"},
]


@pytest.mark.parametrize(("given", "path", "message"), BROKEN)
async def test_a_broken_rule_is_reported_at_its_path(
    served: Gateway, given: dict[str, Any], path: str, message: str
) -> None:
    """Each rule is an InvalidInput that leads to its field and says what is expected; nothing is sent."""
    assert await broken(served, CONTACT, **given) == [(path, message)]


@pytest.mark.parametrize("given", ACCEPTED)
async def test_what_stands_at_the_bound_is_sent(served: Gateway, given: dict[str, Any]) -> None:
    """The bounds themselves are included; identifiers of other systems are the same only if they are equal."""
    assert await mutate(served, CONTACT, **given) == []
    assert len(served.upstream) == 1


async def test_all_broken_rules_are_reported_together(served: Gateway) -> None:
    """One answer names all that is wrong, but for what is in a list that is too long."""
    assert await broken(
        served,
        CONTACT,
        displayName="",
        emailAddresses=["x", "y"],
        identifiers=[_key("", ""), _key("", "")],
        attributes={"a": {}, "b c": 1},
        accountIds=[""] * 11,
    ) == [
        ("emailAddresses.0", "Must be an e-mail address such as ada@example.com."),
        ("emailAddresses.1", "Must be an e-mail address such as ada@example.com."),
        ("identifiers.0.key", _length(64, 0)),
        ("identifiers.0.value", _length(500, 0)),
        ("identifiers.1.key", _length(64, 0)),
        ("identifiers.1.value", _length(500, 0)),
        ("identifiers.1", TWICE),
        ("displayName", _length(150, 0)),
        ("attributes.a", ATTRIBUTE),
        ("attributes.b c", ATTRIBUTE_NAME),
        ("accountIds", "Must have at most 10 entries; it has 11."),
    ]


async def test_of_very_many_broken_rules_a_hundred_are_told(served: Gateway) -> None:
    """The last of them says that there are more; one fewer are all told."""
    told = await broken(served, CONTACT, attributes={str(n): {} for n in range(99)})
    assert told == [(f"attributes.{n}", ATTRIBUTE) for n in range(99)]
    for many in (100, 5_000):
        more = await broken(served, CONTACT, attributes={str(n): {} for n in range(many)})
        assert more == [*told, ("", "There is more that is wrong: mend what is named before this first.")]
