"""The operation activities_of_party."""

from typing import Any

import pytest

from schema.ids import Kind, encode
from schema.scalars import print_date_time
from tests.gateway import Gateway
from tests.operations.linked import ACTIVITIES, ADA, CLIENT, CONTACT, REEVOS, pass_through

REFERENCES: dict[str, Any] = {
    "e-mail": {"emailAddress": ADA.email.title()},
    "phone": {"phoneNumber": "+31 6 10 00 00 00"},
    "contact": {"id": encode(Kind.CONTACT, CONTACT)},
    "record at Bird": {"vendorRecord": {"vendor": "BIRD", "kind": "contact", "id": CONTACT.upper()}},
    "record at Reevo": {"vendorRecord": {"vendor": "REEVO", "kind": "contact", "id": REEVOS}},
    "record at Artu": {"vendorRecord": {"vendor": "ARTU", "kind": "client", "id": CLIENT}},
}


@pytest.mark.parametrize("name", REFERENCES)
async def test_a_party_is_found_by_any_reference(demo: Gateway, name: str) -> None:
    """Newest first, each with whom it was."""
    page = (await demo.run("activities_of_party", {"party": REFERENCES[name]}))["activities"]
    assert [{key: each[key] for key in ("id", "subject", "createdAt")} for each in page["nodes"]] == ACTIVITIES
    contact = {"id": encode(Kind.CONTACT, CONTACT), "displayName": ADA.name}
    assert [(each["contacts"], each["people"]) for each in page["nodes"]] == [([contact], [])] * 4
    assert demo.calls().count("REEVO POST /api/v2/activity/_query") == 1


async def test_a_person_is_a_party_and_so_is_who_has_its_linkedin_profile(demo: Gateway) -> None:
    """What memory holds of a person leads to the others."""
    given = {"emailAddress": ADA.email, "linkedinProfileUrl": ADA.linkedin_url, "source": "web", "payload": {}}
    person = (await demo.run("create_person_log", {"input": given}))["createPersonLog"]["person"]
    prospect = encode(Kind.PROSPECT, person["vendorRecord"]["id"])
    for party in ({"id": person["id"]}, {"id": prospect}, {"linkedinProfileUrl": ADA.linkedin_url + "/?x=1"}):
        page = (await demo.run("activities_of_party", {"party": party}))["activities"]
        assert [each["id"] for each in page["nodes"]] == [each["id"] for each in ACTIVITIES]
        assert [each["people"] for each in page["nodes"]] == [[{"id": person["id"], "name": None}]] * 4


async def test_from_is_included_and_to_is_not(demo: Gateway) -> None:
    """The bounds are on createdAt."""
    await pass_through(demo)
    bounds = {"from": print_date_time(ADA.at(8)), "to": print_date_time(ADA.at(20))}
    page = (await demo.run("activities_of_party", {"party": {"emailAddress": ADA.email}, **bounds}))["activities"]
    assert [each["id"] for each in page["nodes"]] == [each["id"] for each in ACTIVITIES[1:3]]


async def test_a_party_whom_nobody_knows_has_no_activities(demo: Gateway) -> None:
    """An empty page, and no query for activities."""
    page = (await demo.run("activities_of_party", {"party": {"emailAddress": "nobody@example.com"}}))["activities"]
    assert page["nodes"] == []
    assert demo.calls() == ["REEVO POST /api/v2/contact/_query"]
