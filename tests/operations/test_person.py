"""The operation person: Architect can't be asked for people, memory can."""

from schema.ids import Kind, encode
from tests.gateway import Gateway

INPUT = {"emailAddress": "ada@example.com", "name": "Ada", "source": "web", "payload": {}}


async def test_a_person_is_answered_by_either_form_of_id_without_a_call(empty: Gateway) -> None:
    """What a log told of a person is there for later requests, and the same human being is a prospect too."""
    made = (await empty.run("create_person_log", {"input": INPUT}))["createPersonLog"]["person"]
    own_id = made["vendorRecord"]["id"]
    expected = {**made, "prospect": {"id": encode(Kind.PROSPECT, own_id), "displayName": "Ada"}}
    for person_id in (made["id"], own_id):
        assert await empty.run("person", {"id": person_id}) == {"person": expected}
        assert empty.calls() == []


async def test_every_log_adds_to_what_is_known_of_a_person(empty: Gateway) -> None:
    """Identifiers given later join those given before, in the order in which they came."""
    own_id = (await empty.run("create_person_log", {"input": INPUT}))["createPersonLog"]["person"]["vendorRecord"]["id"]
    more = {"personId": own_id, "emailAddress": "ada@work.example", "phoneNumber": "+31612345678"}
    await empty.run("create_person_log", {"input": {**more, "source": "web", "payload": {}}})
    person = (await empty.run("person", {"id": own_id}))["person"]
    assert person["emailAddresses"] == ["ada@example.com", "ada@work.example"]
    assert person["phoneNumbers"] == ["+31612345678"]
    assert person["name"] == "Ada"


async def test_a_person_who_never_passed_through_is_null(empty: Gateway) -> None:
    """Not an error, and no call."""
    assert await empty.run("person", {"id": f"prospect_{'a' * 26}"}) == {"person": None}
    assert empty.calls() == []


async def test_an_id_of_another_kind_is_refused_by_name(empty: Gateway) -> None:
    """The message says which kind was expected and which was given."""
    answer = await empty.ask("query($id: ID!) { person(id: $id) { id } }", {"id": encode(Kind.CONTACT, "x")})
    assert answer.data == {"person": None}
    assert answer.errors == [
        {
            "message": "Expected the ID of a Person, was given the ID of a Contact.",
            "locations": [{"line": 1, "column": 19}],
            "path": ["person"],
            "extensions": {"code": "BAD_USER_INPUT"},
        }
    ]
    assert empty.calls() == []
