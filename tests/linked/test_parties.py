"""Whom logActivity and syncContactMethods are for: any reference is resolved, or nothing is written."""

from typing import Any

import pytest

from app.sandbox.world import build_world
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from schema.ids import Kind, encode
from tests.gateway import Gateway

ADA = build_world().humans[0]
CLIENT, CONTACT, REEVOS = (ADA.uuid(what) for what in ("artu/client", "bird/contact", "reevo/contact"))
REFERENCES = {
    "e-mail": {"emailAddress": ADA.email},
    "phone": {"phoneNumber": ADA.phone},
    "LinkedIn": {"linkedinProfileUrl": ADA.linkedin_url},
    "contact": {"id": encode(Kind.CONTACT, CONTACT)},
    "record at Bird": {"vendorRecord": {"vendor": "BIRD", "kind": "contact", "id": CONTACT}},
    "record at Reevo": {"vendorRecord": {"vendor": "REEVO", "kind": "contact", "id": REEVOS}},
    "record at Artu": {"vendorRecord": {"vendor": "ARTU", "kind": "client", "id": CLIENT}},
}
LABEL = [{"externalId": "crm-0", "label": "Private"}]
ACTIVITY, SYNC = "REEVO POST /api/v2/activity", f"ARTU POST /clients/{CLIENT}/contact-methods/sync"


async def _person(gateway: Gateway) -> str:
    given = {"emailAddress": ADA.email, "linkedinProfileUrl": ADA.linkedin_url, "source": "web", "payload": {}}
    made = (await gateway.run("create_person_log", {"input": given}))["createPersonLog"]
    return str(made["person"]["vendorRecord"]["id"])


@pytest.mark.parametrize("name", [*REFERENCES, "person", "prospect", "record at Architect"])
async def test_either_mutation_takes_any_reference(demo: Gateway, name: str) -> None:
    """The activity is with Reevo's contact, the contact methods are those of Artu's client."""
    own_id = await _person(demo)
    at_architect: dict[str, Any] = {
        "person": {"id": encode(Kind.PERSON, own_id)},
        "prospect": {"id": encode(Kind.PROSPECT, own_id)},
        "record at Architect": {"vendorRecord": {"vendor": "ARCHITECT", "kind": "person", "id": own_id}},
    }
    party = (REFERENCES | at_architect)[name]
    logged = (await demo.run("log_activity", {"input": {"subject": "Met", "contacts": [party]}}))["logActivity"]
    assert (logged["errors"], demo.calls()[-1]) == ([], ACTIVITY)
    assert demo.upstream[-1].body["attributes"]["contact_ids"] == [REEVOS]
    given = {"client": {"party": party}, "items": LABEL}
    done = (await demo.run("sync_contact_methods", {"input": given}))["syncContactMethods"]
    assert (done["errors"], [each["label"] for each in done["updated"]]) == ([], ["Private"])
    assert demo.calls()[-1] == SYNC


@pytest.mark.parametrize(
    "party",
    [
        {"emailAddress": "nobody@example.com"},
        {"linkedinProfileUrl": "https://linkedin.com/in/nobody"},
        {"id": encode(Kind.CONTACT, ADA.uuid("no/contact"))},
        {"id": encode(Kind.PERSON, f"prospect_{'a' * 26}")},
        {"vendorRecord": {"vendor": "REEVO", "kind": "contact", "id": ADA.uuid("no/contact")}},
    ],
    ids=lambda party: str(next(iter(party))),
)
async def test_a_party_that_cannot_be_resolved_is_not_found_and_nothing_is_written(demo: Gateway, party: Any) -> None:
    """With the path to it; the other parties don't help."""
    given: dict[str, Any] = {"subject": "Met", "contacts": [{"emailAddress": ADA.email}, party]}
    logged = (await demo.run("log_activity", {"input": given}))["logActivity"]
    assert [(each["__typename"], each["path"]) for each in logged["errors"]] == [
        ("NotFound", ["input", "contacts", "1"])
    ]
    assert ACTIVITY not in demo.calls()
    given = {"client": {"party": party}, "items": LABEL}
    done = (await demo.run("sync_contact_methods", {"input": given}))["syncContactMethods"]
    assert [(each["__typename"], each["path"]) for each in done["errors"]] == [
        ("NotFound", ["input", "client", "party"])
    ]
    assert [call for call in demo.calls() if call.endswith("/sync")] == []


async def test_a_party_that_is_two_clients_is_refused(demo: Gateway) -> None:
    """Which of them is meant is the caller's to say."""
    first: dict[str, Any] = {"clientId": FIRST_CLIENT_ID}
    shared = [{"type": "EMAIL", "value": ADA.email}]
    await demo.run("sync_contact_methods", {"input": {"client": first, "items": shared}})
    given = {"client": {"party": {"emailAddress": ADA.email}}, "items": LABEL}
    done = (await demo.run("sync_contact_methods", {"input": given}))["syncContactMethods"]
    errors = [(each["__typename"], each["path"]) for each in done["errors"]]
    assert errors == [("InvalidInput", ["input", "client", "party"])]
    assert [call for call in demo.calls() if call.endswith("/sync")] == []
