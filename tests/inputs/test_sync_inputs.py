"""The input rules of syncContactMethods."""

from __future__ import annotations

from typing import Any

import pytest

from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.inputs.mutations import SYNC, broken, mutate

pytestmark = pytest.mark.asyncio(loop_scope="module")

METHOD = "11111111-2222-4333-8444-555555555555"
NEW = {"type": "EMAIL", "value": "ada@example.com"}
SAME_ID = "Another item names the same id: merge the two."
SAME_EXTERNAL_ID = "Another item names the same externalId: merge the two."
CLIENT = "Expected the vendor's ID of a client"
PARTY = "A party is a person or prospect of ARCHITECT, a contact of BIRD or REEVO, or a client of ARTU."
MISSING = "No client at Artu was found for this party. Make one there first, or give another reference."


def _items(*items: dict[str, Any]) -> dict[str, Any]:
    return {"items": list(items)}


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    (_items({"value": "x"}), "items.0.type", "Is required here."),
    (_items(NEW, {"type": "EMAIL"}), "items.1.value", "Is required here."),
    (_items({**NEW, "value": ""}), "items.0.value", "Must be at least 1 character long; it has 0."),
    (_items({**NEW, "externalId": ""}), "items.0.externalId", "Must be at least 1 character long; it has 0."),
    (_items({**NEW, "metadata": []}), "items.0.metadata", 'Must be a JSON object, such as {"stage": "qualified"}.'),
    (_items({**NEW, "delete": True}), "items.0", "An item to delete needs an id or an externalId."),
    (_items({"id": METHOD}, {"id": METHOD.upper()}), "items.1.id", SAME_ID),
    (_items({"id": METHOD}, {"id": encode(Kind.CONTACT_METHOD, METHOD)}), "items.1.id", SAME_ID),
    (_items({"externalId": "a"}, NEW, {"externalId": "a"}), "items.2.externalId", SAME_EXTERNAL_ID),
    (
        _items({"id": encode(Kind.CONTACT, METHOD)}),
        "items.0.id",
        "Expected the ID of a ContactMethod, was given the ID of a Contact.",
    ),
    (
        _items({"id": "5"}),
        "items.0.id",
        "Expected the ID of a ContactMethod or a UUID of the vendor, was given something else.",
    ),
    (_items(*[NEW] * 251), "items", "Must have at most 250 entries; it has 251."),
    (
        {"replace": True},
        "confirmDeleteAll",
        "Replacing with no items deletes everything: confirm with true if that is meant.",
    ),
    ({"client": {"clientId": "c-1"}}, "client.clientId", f"{CLIENT}, which is a UUID; was given something else."),
    (
        {"client": {"clientId": encode(Kind.CONTACT, METHOD)}},
        "client.clientId",
        f"{CLIENT}, was given the ID of a Contact.",
    ),
    (
        {"client": {"party": {"emailAddress": "ada"}}},
        "client.party.emailAddress",
        "Must be an e-mail address such as ada@example.com.",
    ),
    (
        {"client": {"party": {"id": encode(Kind.CONTACT_METHOD, METHOD)}}},
        "client.party.id",
        "Expected the ID of a Person, Prospect or Contact, was given the ID of a ContactMethod.",
    ),
    (
        {"client": {"party": {"vendorRecord": {"vendor": "BIRD", "kind": "client", "id": METHOD}}}},
        "client.party.vendorRecord",
        PARTY,
    ),
    (
        {"client": {"party": {"vendorRecord": {"vendor": "ARTU", "kind": "client", "id": "c-1"}}}},
        "client.party.vendorRecord.id",
        f"{CLIENT}, which is a UUID; was given something else.",
    ),
    ({"idempotencyKey": ""}, "idempotencyKey", "Must be 1 to 255 characters long; it has 0."),
]

ACCEPTED: list[dict[str, Any]] = [
    _items(*[NEW] * 250),
    {"items": []},
    {"items": [], "replace": True, "confirmDeleteAll": True},
    _items({**NEW, "metadata": {}, "label": "ת" * 10_000}),
    {"client": {"clientId": FIRST_CLIENT_ID.upper()}},
    {"idempotencyKey": "x" * 255},
]


@pytest.mark.parametrize(("given", "path", "message"), BROKEN)
async def test_a_broken_rule_is_reported_at_its_path(
    served: Gateway, given: dict[str, Any], path: str, message: str
) -> None:
    """Each rule is an InvalidInput that leads to its field and says what is expected; nothing is sent."""
    assert await broken(served, SYNC, **given) == [(path, message)]


@pytest.mark.parametrize("given", ACCEPTED)
async def test_what_stands_at_the_bound_is_sent(served: Gateway, given: dict[str, Any]) -> None:
    """The bounds themselves are included; a client may be given in any case."""
    assert await mutate(served, SYNC, **given) == []
    assert [call.path for call in served.upstream] == [f"/clients/{FIRST_CLIENT_ID}/contact-methods/sync"]


@pytest.mark.parametrize(
    "party",
    [
        {"emailAddress": "nobody@example.com"},
        {"linkedinProfileUrl": "https://www.linkedin.com/in/nobody"},
        {"id": encode(Kind.CONTACT, METHOD)},
        {"vendorRecord": {"vendor": "ARCHITECT", "kind": "prospect", "id": "prospect_1"}},
    ],
    ids=str,
)
async def test_a_party_without_a_client_is_not_found_and_nothing_is_written(
    served: Gateway, party: dict[str, Any]
) -> None:
    """Whatever names it; the error leads to it."""
    document = """mutation ($input: SyncContactMethodsInput!) { syncContactMethods(input: $input) {
      created { id } errors { __typename code message retryable ... on NotFound { path } }
    } }"""
    answer = await served.ask(document, {"input": {"client": {"party": party}, "items": [NEW]}})
    missing = {"__typename": "NotFound", "code": "NOT_FOUND", "message": MISSING, "retryable": False}
    errors = [{**missing, "path": ["input", "client", "party"]}]
    assert answer.data == {"syncContactMethods": {"created": [], "errors": errors}}
    assert [call for call in served.calls() if call.endswith("/sync")] == []


async def test_all_broken_rules_are_reported_together(served: Gateway) -> None:
    """Also those of several items, each with its own number."""
    given = _items({"delete": True}, {}, {"externalId": "a"}, {"externalId": "a", "metadata": 1})
    assert await broken(served, SYNC, client={"clientId": "x"}, **given) == [
        ("client.clientId", f"{CLIENT}, which is a UUID; was given something else."),
        ("items.0", "An item to delete needs an id or an externalId."),
        ("items.1.type", "Is required here."),
        ("items.1.value", "Is required here."),
        ("items.3.metadata", 'Must be a JSON object, such as {"stage": "qualified"}.'),
        ("items.3.externalId", SAME_EXTERNAL_ID),
    ]
