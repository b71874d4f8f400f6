"""The operation prospect: Architect can't be asked for prospects, memory can."""

from schema.ids import Kind, encode
from tests.gateway import Gateway

INPUT = {"linkedinProfileUrl": "https://www.linkedin.com/in/ada", "name": "Ada", "source": "Web", "payload": {}}


async def test_a_prospect_is_answered_by_either_form_of_id_without_a_call(empty: Gateway) -> None:
    """What a log told of a prospect is there for later requests, and the same human being is a person too."""
    made = (await empty.run("create_prospect_log", {"input": INPUT}))["createProspectLog"]["prospect"]
    own_id = made["vendorRecord"]["id"]
    expected = {**made, "person": {"id": encode(Kind.PERSON, own_id), "displayName": "Ada"}}
    for prospect_id in (made["id"], own_id):
        assert await empty.run("prospect", {"id": prospect_id}) == {"prospect": expected}
        assert empty.calls() == []


async def test_a_prospect_known_from_a_person_log_is_the_same_record(empty: Gateway) -> None:
    """Architect keeps one record under both names, and so does memory."""
    given = {"emailAddress": "ada@example.com", "source": "web", "payload": {}}
    own_id = (await empty.run("create_person_log", {"input": given}))["createPersonLog"]["person"]["vendorRecord"]["id"]
    prospect = (await empty.run("prospect", {"id": own_id}))["prospect"]
    assert prospect["id"] == encode(Kind.PROSPECT, own_id)
    assert prospect["emailAddresses"] == ["ada@example.com"]
    assert prospect["vendorRecord"] == {"vendor": "ARCHITECT", "kind": "prospect", "id": own_id}


async def test_a_prospect_who_never_passed_through_is_null(empty: Gateway) -> None:
    """Not an error, and no call."""
    assert await empty.run("prospect", {"id": f"prospect_{'a' * 26}"}) == {"prospect": None}
    assert empty.calls() == []
