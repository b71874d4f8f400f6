"""What a mutation did is seen by the same request and by every later one, also where it was just said otherwise."""

from pathlib import Path
from typing import Any

import pytest

from app.sandbox.world import build_world
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

ADA, BJORN = build_world().humans[:2]
BY_EMAIL = "query($email: EmailAddress!) { contact(by: { emailAddress: $email }) { displayName } }"


async def test_a_contact_that_was_nobody_a_moment_ago_is_found_once_it_is_made(empty: Gateway) -> None:
    """The remembered "nobody" does not stand in the way."""
    email = {"email": "ada@example.com"}
    assert (await empty.ask(BY_EMAIL, email)).data == {"contact": None}
    await empty.run("create_contact", {"input": {"displayName": "Ada", "emailAddresses": ["Ada@example.com"]}})
    assert (await empty.ask(BY_EMAIL, email)).data == {"contact": {"displayName": "Ada"}}


async def test_a_synced_address_changes_who_is_linked(demo: Gateway) -> None:
    """Added, changed and deleted: the methods of who has the address are there, have moved, and are gone."""
    client = {"clientId": FIRST_CLIENT_ID}
    assert await _methods_of(demo, "ada@new.example") == []
    await _sync(demo, client, {"type": "EMAIL", "value": "ada@new.example", "externalId": "x"})
    assert await _methods_of(demo, "Ada@new.example") == ["ada@new.example"]
    await _sync(demo, client, {"externalId": "x", "value": "ada@newer.example"})
    assert [await _methods_of(demo, f"ada@{each}.example") for each in ("new", "newer")] == [[], ["ada@newer.example"]]
    await _sync(demo, client, {"externalId": "x", "delete": True})
    assert [await _methods_of(demo, f"ada@{each}.example") for each in ("new", "newer")] == [[], []]


@pytest.mark.parametrize("change", [{"value": "ada@newer.example"}, {"delete": True}], ids=["changed", "deleted"])
async def test_an_address_from_before_a_restart_leads_nowhere_once_it_is_synced(tmp_path: Path, change: Any) -> None:
    """Changed or deleted when memory has at hand who carries it, but not the contact method itself."""
    client, upstream = {"clientId": ADA.uuid("artu/client")}, list[UpstreamCall]()
    walk = "query($id: ID!) { contact(by: { id: $id }) { activities(first: 1) { nodes { id } } } }"
    whose = "query($email: EmailAddress!) { profile(by: { emailAddress: $email }) { displayName } }"
    with recorded_sandboxes(upstream, demo=True) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as before:
            await _sync(before, client, {"type": "EMAIL", "value": "ada@new.example", "externalId": "x"})
            assert "ada@new.example" in await _methods_of(before, "ada@new.example")
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as after:
            assert (await after.ask(walk, {"id": ADA.uuid("bird/contact")})).errors == []
            await _sync(after, client, {"externalId": "x"} | change)
            assert (await after.ask(whose, {"email": "ada@new.example"})).data == {"profile": None}


async def test_what_was_logged_is_read_at_once_in_the_same_request(demo: Gateway) -> None:
    """The second mutation's payload has the activities that both of them logged, and whom they were with."""
    log = """logActivity(input: { subject: "%s", contacts: [{ emailAddress: "%s" }] }) {
        errors { message }
        activity { subject contacts { displayName activities(first: 2) { nodes { subject } } } }
    }"""
    first, second = (log % (subject, ADA.email) for subject in ("First", "Second"))
    answer = await demo.ask(f"mutation {{ first: {first} second: {second} }}")
    subjects = [
        [each["subject"] for each in answer.data[name]["activity"]["contacts"][0]["activities"]["nodes"]]
        for name in ("first", "second")
    ]
    assert subjects == [["First", f"Voicemail from {ADA.name}"], ["Second", "First"]]


async def test_each_mutation_of_a_request_sees_what_those_before_it_made(empty: Gateway) -> None:
    """Who somebody is, and what is known of them under each of their names, however often that was read before."""
    log = """createPersonLog(input: { emailAddress: "zed@example.com", source: "crm", payload: {}, idempotencyKey: "%s" %s }) {
        personLog { person { profile { displayName vendorRecords { vendor } people { phoneNumbers } prospects { phoneNumbers } } } }
    }"""
    made = 'createContact(input: { displayName: "Zed", emailAddresses: ["zed@example.com"] }) { errors { message } }'
    first, second = log % ("zed-1", ""), log % ("zed-2", 'phoneNumber: "+31612345678"')
    answer = await empty.ask(f"mutation {{ first: {first} made: {made} second: {second} }}")
    before, after = (answer.data[each]["personLog"]["person"]["profile"] for each in ("first", "second"))
    assert before == {
        "displayName": None,
        "vendorRecords": [{"vendor": "ARCHITECT"}],
        "people": [{"phoneNumbers": []}],
        "prospects": [{"phoneNumbers": []}],
    }
    assert after == {
        "displayName": "Zed",
        "vendorRecords": [{"vendor": "ARCHITECT"}, {"vendor": "BIRD"}],
        "people": [{"phoneNumbers": ["+31612345678"]}],
        "prospects": [{"phoneNumbers": ["+31612345678"]}],
    }


async def test_what_was_logged_is_read_by_every_later_request(demo: Gateway) -> None:
    """In the list of the party, and by its ID with its contacts."""
    party = {"emailAddress": ADA.email}
    await demo.run("activities_of_party", {"party": party})
    given = {"subject": "Met", "contacts": [party, {"emailAddress": BJORN.email}]}
    made = (await demo.run("log_activity", {"input": given}))["logActivity"]["activity"]
    page = (await demo.run("activities_of_party", {"party": party}))["activities"]
    assert page["nodes"][0]["id"] == made["id"]
    answer = await demo.ask("query($id: ID!) { activity(id: $id) { contacts { displayName } } }", {"id": made["id"]})
    names = sorted(each["displayName"] for each in answer.data["activity"]["contacts"])
    assert names == sorted([ADA.name, BJORN.name])


async def test_a_person_appears_beside_the_contact_once_something_is_logged(demo: Gateway) -> None:
    """Within the request by way of the payload, and for later ones."""
    contact = "query($id: ID!) { contact(by: { id: $id }) { person { name } prospect { name } } }"
    variables = {"id": ADA.uuid("bird/contact")}
    assert (await demo.ask(contact, variables)).data == {"contact": {"person": None, "prospect": None}}
    answer = await demo.ask(
        """mutation($email: EmailAddress!) {
            createPersonLog(input: { emailAddress: $email, name: "Ada", source: "web", payload: {} }) {
                person { contacts { person { name } } }
            }
        }""",
        {"email": ADA.email},
    )
    assert answer.data["createPersonLog"]["person"] == {"contacts": [{"person": {"name": "Ada"}}]}
    known = {"person": {"name": "Ada"}, "prospect": {"name": "Ada"}}
    assert (await demo.ask(contact, variables)).data == {"contact": known}


async def _methods_of(gateway: Gateway, email: str) -> list[str]:
    """The contact methods of who has the address; none if that is nobody."""
    query = """query($email: EmailAddress!) {
        profile(by: { emailAddress: $email }) { contactMethods { nodes { value } } }
    }"""
    answer = await gateway.ask(query, {"email": email})
    assert answer.errors == []
    profile = answer.data["profile"]
    return [each["value"] for each in profile["contactMethods"]["nodes"]] if profile else []


async def _sync(gateway: Gateway, client: Any, item: Any) -> None:
    done = await gateway.run("sync_contact_methods", {"input": {"client": client, "items": [item]}})
    assert done["syncContactMethods"]["errors"] == []
