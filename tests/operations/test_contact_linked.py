"""The operation contact_linked."""

import pytest

from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.linked import ACTIVITIES, ADA, CLIENT, CONTACT, METHODS, RECORDS, REEVOS, pass_through
from tests.operations.test_contact_by_id import CONTACTS


async def test_a_contact_is_answered_with_all_that_other_vendors_know(demo: Gateway) -> None:
    """Once by ID; the client and the contact at Reevo by what it carries; for its profile Bird too."""
    person = (await pass_through(demo))["person"]
    answered = (await demo.run("contact_linked", {"id": encode(Kind.CONTACT, CONTACT)}))["contact"]
    profile = answered.pop("profile")
    own_id = person["vendorRecord"]["id"]
    assert answered == {
        "id": encode(Kind.CONTACT, CONTACT),
        "displayName": ADA.name,
        "person": {"id": person["id"], "name": ADA.name},
        "prospect": {"id": encode(Kind.PROSPECT, own_id), "name": ADA.name},
        "contactMethods": {"nodes": METHODS},
        "activities": {"nodes": ACTIVITIES},
    }
    assert (profile["displayName"], profile["phoneNumbers"]) == (ADA.name, [ADA.phone])
    assert sorted(demo.calls()) == [
        "ARTU POST /contact-methods/list",
        "ARTU POST /contact-methods/list",
        f"BIRD GET {CONTACTS}/{CONTACT}",
        f"BIRD POST {CONTACTS}/search",
        "REEVO POST /api/v2/activity/_query",
        "REEVO POST /api/v2/contact/_query",
    ]
    sent = [call.body for call in demo.upstream if call.path == "/contact-methods/list"]
    assert sent == [
        {"filter": {"value": ADA.email}, "limit": 21},
        {"filter": {"clientId": CLIENT}, "limit": 20},
    ]
    assert {"contact_id": REEVOS, "limit": 20} in [call.body for call in demo.upstream]


async def test_once_known_it_costs_one_call_for_each_vendor(demo: Gateway) -> None:
    """Nobody is looked for again, and the profile costs nothing."""
    person = (await pass_through(demo))["person"]
    for _ in range(2):
        answered = (await demo.run("contact_linked", {"id": CONTACT}))["contact"]
    assert answered["profile"] == {
        "displayName": ADA.name,
        "emailAddresses": [ADA.email, "ada.andersen@home.example"],
        "phoneNumbers": [ADA.phone],
        "linkedinProfileUrls": [],
        "vendorRecords": [{"vendor": "ARCHITECT", "kind": "person", "id": person["vendorRecord"]["id"]}, *RECORDS],
    }
    assert sorted(demo.calls()) == [
        "ARTU POST /contact-methods/list",
        f"BIRD GET {CONTACTS}/{CONTACT}",
        "REEVO POST /api/v2/activity/_query",
    ]


async def test_a_contact_whom_no_other_vendor_knows_has_empty_links(empty: Gateway) -> None:
    """Not null: nothing went wrong."""
    given = {"displayName": "Nobody", "emailAddresses": ["nobody@example.com"]}
    made = (await empty.run("create_contact", {"input": given}))["createContact"]["contact"]
    answered = await empty.run("contact_linked", {"id": made["id"]})
    assert answered["contact"] == {
        "id": made["id"],
        "displayName": "Nobody",
        "person": None,
        "prospect": None,
        "contactMethods": {"nodes": []},
        "activities": {"nodes": []},
        "profile": {
            "displayName": "Nobody",
            "emailAddresses": ["nobody@example.com"],
            "phoneNumbers": [],
            "linkedinProfileUrls": [],
            "vendorRecords": [made["vendorRecord"]],
        },
    }


@pytest.mark.parametrize(
    ("key", "value"), [("client", ADA.uuid("artu/client")), ("email", ADA.email), ("phone", ADA.phone)]
)
async def test_a_key_of_birds_own_links_nobody(demo: Gateway, key: str, value: str) -> None:
    """Whoever makes a contact chooses its keys: one that is called as a kind of identifiers here is still only Bird's."""
    await demo.run("profile", {"emailAddress": ADA.email})
    given = {"displayName": "Bob", "emailAddresses": ["bob@x.example"], "identifiers": [{"key": key, "value": value}]}
    made = (await demo.run("create_contact", {"input": given}))["createContact"]["contact"]
    query = """query($id: ID!) { profile(by: { id: $id }) {
        emailAddresses phoneNumbers vendorRecords { vendor } contactMethods { nodes { value } }
    } }"""
    assert (await demo.ask(query, {"id": made["id"]})).data["profile"] == {
        "emailAddresses": ["bob@x.example"],
        "phoneNumbers": [],
        "vendorRecords": [{"vendor": "BIRD"}],
        "contactMethods": {"nodes": []},
    }
