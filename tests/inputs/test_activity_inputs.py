"""The input rules of logActivity."""

from __future__ import annotations

from typing import Any

import pytest

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.inputs.mutations import ACTIVITY, broken, mutate

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECORD = "11111111-2222-4333-8444-555555555555"
PARTY = "A party is a person or prospect of ARCHITECT, a contact of BIRD or REEVO, or a client of ARTU."
MISSING = "No contact at Reevo was found for this party. Make one there first, or give another reference."


def _vendor_record(vendor: str, kind: str, own_id: str) -> dict[str, Any]:
    return {"contacts": [{"vendorRecord": {"vendor": vendor, "kind": kind, "id": own_id}}]}


def _not_a_uuid(what: str) -> str:
    return f"Expected the vendor's ID of {what}, which is a UUID; was given something else."


BROKEN: list[tuple[dict[str, Any], str, str]] = [
    ({"subject": ""}, "subject", "Must not be empty."),
    ({"subject": " \t\n\u3000"}, "subject", "Must not be empty."),
    ({"accountId": "a"}, "accountId", _not_a_uuid("an account")),
    ({"opportunityId": ""}, "opportunityId", _not_a_uuid("an opportunity")),
    ({"sequenceId": RECORD[:-1]}, "sequenceId", _not_a_uuid("a sequence")),
    ({"pipelineStageId": RECORD + "\n"}, "pipelineStageId", _not_a_uuid("a pipeline stage")),
    (
        {"accountId": encode(Kind.ACTIVITY, RECORD)},
        "accountId",
        "Expected the vendor's ID of an account, was given the ID of an Activity.",
    ),
    (
        {"contacts": [{"emailAddress": "ada"}]},
        "contacts.0.emailAddress",
        "Must be an e-mail address such as ada@example.com.",
    ),
    (
        {"contacts": [{"phoneNumber": "061"}]},
        "contacts.0.phoneNumber",
        "Must be an international phone number: + and 2 to 15 digits, such as +31612345678.",
    ),
    (
        {"contacts": [{"linkedinProfileUrl": "ada"}]},
        "contacts.0.linkedinProfileUrl",
        "Must be an absolute URL such as https://www.linkedin.com/in/ada-example.",
    ),
    (_vendor_record("REEVO", "account", RECORD), "contacts.0.vendorRecord", PARTY),
    (_vendor_record("ARTU", "contact", RECORD), "contacts.0.vendorRecord", PARTY),
    (_vendor_record("BIRD", "contact", "c-1"), "contacts.0.vendorRecord.id", _not_a_uuid("a contact")),
    (_vendor_record("REEVO", "contact", "c-1"), "contacts.0.vendorRecord.id", _not_a_uuid("a contact")),
    ({"contacts": [{"emailAddress": "ada"}] * 101}, "contacts", "Must have at most 100 entries; it has 101."),
    ({"idempotencyKey": ""}, "idempotencyKey", "Must be 1 to 255 characters long; it has 0."),
    ({"idempotencyKey": "x" * 256}, "idempotencyKey", "Must be 1 to 255 characters long; it has 256."),
]

ACCEPTED: list[dict[str, Any]] = [
    {"subject": "x"},
    {"subject": "🎉 שיחה " * 1_000, "description": "x" * 10_000},
    {"contacts": []},
    {"idempotencyKey": "x" * 255},
    {"occurredAt": "0001-01-01T00:00:00Z"},
    {"occurredAt": "9999-12-31T23:59:59.999999Z"},
]


@pytest.mark.parametrize(("given", "path", "message"), BROKEN)
async def test_a_broken_rule_is_reported_at_its_path(
    served: Gateway, given: dict[str, Any], path: str, message: str
) -> None:
    """Each rule is an InvalidInput that leads to its field and says what is expected; nothing is sent."""
    assert await broken(served, ACTIVITY, **given) == [(path, message)]


@pytest.mark.parametrize("given", ACCEPTED)
async def test_what_stands_at_the_bound_is_sent(served: Gateway, given: dict[str, Any]) -> None:
    """The bounds themselves are included; text has no upper bound but the request's."""
    assert await mutate(served, ACTIVITY, **given) == []
    assert len(served.upstream) == 1


async def test_parties_that_nobody_knows_are_not_found_and_nothing_is_written(served: Gateway) -> None:
    """Each at its own path, whatever names it; no vendor is sent a write."""
    contacts = [
        {"emailAddress": "nobody@example.com"},
        {"id": encode(Kind.PERSON, "prospect_1")},
        {"linkedinProfileUrl": "https://www.linkedin.com/in/nobody"},
        {"vendorRecord": {"vendor": "REEVO", "kind": "contact", "id": RECORD}},
        {"vendorRecord": {"vendor": "BIRD", "kind": "contact", "id": RECORD}},
        {"phoneNumber": "+31 6 1"},
    ]
    document = """mutation ($input: LogActivityInput!) { logActivity(input: $input) {
      activity { id } errors { __typename code message retryable ... on NotFound { path } }
    } }"""
    answer = await served.ask(document, {"input": {"subject": "Call", "contacts": contacts}})
    missing = {"__typename": "NotFound", "code": "NOT_FOUND", "message": MISSING, "retryable": False}
    errors = [{**missing, "path": ["input", "contacts", str(n)]} for n in range(len(contacts))]
    assert answer.data == {"logActivity": {"activity": None, "errors": errors}}
    assert [call for call in served.calls() if call.startswith("REEVO POST") and not call.endswith("_query")] == []


async def test_all_broken_rules_are_reported_together_and_nobody_is_looked_up(served: Gateway) -> None:
    """The party that could be resolved is not asked for while another one can't be."""
    contacts = [
        {"emailAddress": "ada@example.com"},
        {"id": "x"},
        {"linkedinProfileUrl": "x"},
        {"id": encode(Kind.ACTIVITY, RECORD)},
    ]
    assert await broken(served, ACTIVITY, subject="", contacts=contacts, accountId="x") == [
        ("subject", "Must not be empty."),
        ("contacts.1.id", "Expected an ID of this API; for a vendor's own ID use vendorRecord."),
        ("contacts.2.linkedinProfileUrl", "Must be an absolute URL such as https://www.linkedin.com/in/ada-example."),
        ("contacts.3.id", "Expected the ID of a Person, Prospect or Contact, was given the ID of an Activity."),
        ("accountId", _not_a_uuid("an account")),
    ]
