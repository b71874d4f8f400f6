"""What the vendors are sent: nothing that was not given, and everything that was, in their own terms."""

from __future__ import annotations

from typing import Any

import pytest

from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from app.vendors.reevo.sandbox import USER_ID
from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.inputs.mutations import ACTIVITY, CONTACT, PERSON_LOG, PROSPECT_LOG, SYNC, mutate

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECORD = "11111111-2222-4333-8444-555555555555"
PERSON = "prospect_0123456789abcdefghjkmnpqrs"
METADATA: dict[str, Any] = {"a": None, "b": {"c": None, "d": []}}


async def _sent(served: Gateway, mutation: str, **given: Any) -> Any:
    await mutate(served, mutation, **given)
    [call] = served.upstream
    if isinstance(call.body, dict):
        call.body.pop("idempotencyKey", None)  # Architect's alone, random here; it has tests of its own
    return call.body


@pytest.mark.parametrize(("mutation", "id_field"), [(PERSON_LOG, "personId"), (PROSPECT_LOG, "prospectId")])
async def test_a_log_is_sent_as_given(served: Gateway, mutation: str, id_field: str) -> None:
    """E-mail trimmed with its domain in lower case, phone without separators, own ID behind this API's."""
    nulls = dict.fromkeys(("phoneNumber", "linkedinProfileUrl", "name", "idempotencyKey", id_field))
    least = {"source": "crm", "type": "webhook", "payload": {}, "email": "ada@example.com"}
    assert await _sent(served, mutation) == await _sent(served, mutation, **nulls) == least
    given = {
        id_field: encode(Kind.PERSON if mutation == PERSON_LOG else Kind.PROSPECT, PERSON),
        "emailAddress": " Ada.B@EXAMPLE.com ",
        "phoneNumber": "+31 6-1234 5678",
        "linkedinProfileUrl": " https://www.linkedin.com/in/ada ",
        "name": " Ada ",
        "type": "form",
        "payload": METADATA,
    }
    assert await _sent(served, mutation, **given) == {
        id_field: PERSON,
        "source": "crm",
        "type": "form",
        "payload": METADATA,
        "email": "Ada.B@example.com",
        "phoneNumber": "+31612345678",
        "linkedinProfileUrl": "https://www.linkedin.com/in/ada",
        "name": " Ada ",
    }


async def test_a_contact_is_sent_as_given(served: Gateway) -> None:
    """Three inputs become one list of identifiers; lists without entries are left out; the caller's key is not sent."""
    empties: dict[str, Any] = {name: [] for name in ("emailAddresses", "phoneNumbers", "identifiers")}
    empties |= {name: [] for name in ("listIds", "accountIds", "companyRefs")}
    assert await _sent(served, CONTACT) == await _sent(served, CONTACT, **empties) == {"displayName": "Ada"}
    assert await _sent(served, CONTACT, **dict.fromkeys([*empties, "attributes"])) == {"displayName": "Ada"}
    assert await _sent(served, CONTACT, attributes={}) == {"displayName": "Ada", "attributes": {}}
    given = {
        "emailAddresses": ["Ada@EXAMPLE.com", "b@example.com"],
        "phoneNumbers": ["+31 612345678"],
        "identifiers": [{"key": "crm", "value": "Ada 1"}],
        "attributes": {"firstName": "Ada", "rating": 9.6, "labels": ["A", 1, True], "gone": None},
        "listIds": ["L-1", RECORD.upper()],
        "accountIds": ["A-1"],
        "companyRefs": ["c1"],
        "idempotencyKey": "my contact",
    }
    assert await _sent(served, CONTACT, **given) == {
        "displayName": "Ada",
        "identifiers": [
            {"key": "emailaddress", "value": "Ada@example.com"},
            {"key": "emailaddress", "value": "b@example.com"},
            {"key": "phonenumber", "value": "+31612345678"},
            {"key": "crm", "value": "Ada 1"},
        ],
        "attributes": {"firstName": "Ada", "rating": 9.6, "labels": ["A", 1, True], "gone": None},
        "listIds": ["L-1", RECORD.upper()],
        "accountIds": ["A-1"],
        "companyRefs": ["c1"],
    }


async def test_a_sync_is_sent_as_given(served: Gateway) -> None:
    """`isPrimary` only when it was given, true or false; no nulls but those within the caller's own metadata."""
    assert await _sent(served, SYNC) == {"items": [], "replaceMode": False}
    nulls = dict.fromkeys(("id", "isPrimary", "label", "externalId", "metadata"))
    items = [
        {"type": "EMAIL", "value": "ada@example.com", **nulls},
        {
            "type": "MOBILE",
            "value": "+31 6 1",
            "isPrimary": False,
            "label": "",
            "externalId": "x",
            "metadata": METADATA,
        },
        {"id": encode(Kind.CONTACT_METHOD, RECORD), "isPrimary": True, "metadata": {}},
        {"externalId": "y", "delete": True},
    ]
    assert await _sent(served, SYNC, items=items, replace=True, idempotencyKey="my sync") == {
        "items": [
            {"type": "email", "value": "ada@example.com"},
            {
                "type": "mobile",
                "value": "+31 6 1",
                "isPrimary": False,
                "label": "",
                "externalId": "x",
                "metadata": METADATA,
            },
            {"id": RECORD, "isPrimary": True, "metadata": {}},
            {"externalId": "y", "_delete": True},
        ],
        "replaceMode": True,
    }
    assert served.calls() == [f"ARTU POST /clients/{FIRST_CLIENT_ID}/contact-methods/sync"]


async def test_an_activity_is_sent_as_given(served: Gateway) -> None:
    """The moment in UTC, Reevo's own names for the relations."""
    moment = "2026-01-15T10:30:00+01:00"
    metadata = {"activity_time": "2026-01-15T09:30:00Z", "subject": "Call", "category": "OTHER"}
    relations = ("accountId", "opportunityId", "sequenceId", "pipelineStageId")
    nulls = dict.fromkeys((*relations, "description", "contacts", "idempotencyKey"))
    least = {"attributes": {"metadata": metadata}}
    assert await _sent(served, ACTIVITY, occurredAt=moment, **nulls) == least
    assert await _sent(served, ACTIVITY, occurredAt=moment, contacts=[]) == least
    given = {
        **dict.fromkeys(relations, USER_ID),
        "description": "",
        "category": "CALL",
        "idempotencyKey": "my activity",
    }
    assert await _sent(served, ACTIVITY, occurredAt=moment, **given) == {
        "attributes": {
            "metadata": {**metadata, "description": "", "category": "CALL"},
            "account_id": USER_ID,
            "opportunity_id": USER_ID,
            "sequence_id": USER_ID,
            "pipeline_select_list_value_id": USER_ID,
        }
    }
