"""The operation node. Each kind's own record is read back beside the operation that makes it."""

import pytest

from app.sandbox.world import Human, build_world
from schema.ids import Kind, encode
from tests.gateway import Gateway
from tests.operations.test_contact_by_id import CONTACTS, contact
from tests.operations.test_contact_method import work_email

CHLOE = build_world().humans[2]


async def test_a_contact_costs_one_call(demo: Gateway) -> None:
    """The same record as contact(by: {id}) answers."""
    own_id = CHLOE.uuid("bird/contact")
    held = {"emailaddress": CHLOE.email, "phonenumber": CHLOE.phone}
    assert await demo.run("node", {"id": encode(Kind.CONTACT, own_id)}) == {
        "node": {"__typename": "Contact", **contact(CHLOE, held)}
    }
    assert demo.calls() == [f"BIRD GET {CONTACTS}/{own_id}"]


async def test_a_contact_method_costs_one_call(demo: Gateway) -> None:
    """The same record as contactMethod answers, its type under a name of its own."""
    method = work_email(CHLOE)
    kind = method.pop("type")
    expected = {"__typename": "ContactMethod", **method, "methodType": kind}
    assert await demo.run("node", {"id": method["id"]}) == {"node": expected}
    assert demo.calls() == ["ARTU POST /contact-methods/list"]


async def test_people_and_prospects_are_one_record_under_two_ids(empty: Gateway) -> None:
    """From memory, without a call."""
    given = {"emailAddress": "ada@example.com", "source": "web", "payload": {}}
    person = (await empty.run("create_person_log", {"input": given}))["createPersonLog"]["person"]
    own_id = person["vendorRecord"]["id"]
    assert await empty.run("node", {"id": person["id"]}) == {"node": {"__typename": "Person", **person}}
    assert empty.calls() == []
    record = {"vendor": "ARCHITECT", "kind": "prospect", "id": own_id}
    prospect = {**person, "__typename": "Prospect", "id": encode(Kind.PROSPECT, own_id), "vendorRecord": record}
    assert await empty.run("node", {"id": prospect["id"]}) == {"node": prospect}
    assert empty.calls() == []


@pytest.mark.parametrize("kind", Kind)
async def test_a_record_that_does_not_exist_is_null(empty: Gateway, kind: Kind) -> None:
    """Of whatever kind: no error."""
    assert await empty.run("node", {"id": _unknown(kind, CHLOE)}) == {"node": None}


async def test_what_is_no_id_of_this_api_is_refused_without_a_call(demo: Gateway) -> None:
    """A vendor's own ID doesn't say of which kind it is."""
    for given in (CHLOE.uuid("bird/contact"), "", "nonsense", encode(Kind.CONTACT, "x") + "="):
        answer = await demo.ask("query($id: ID!) { node(id: $id) { id } }", {"id": given})
        assert answer.data == {"node": None}
        assert [(error["path"], error["extensions"]) for error in answer.errors] == [
            (["node"], {"code": "BAD_USER_INPUT"})
        ]
        assert demo.calls() == []


def _unknown(kind: Kind, human: Human) -> str:
    match kind:
        case Kind.PERSON | Kind.PROSPECT:
            return encode(kind, "prospect_unknown")
        case Kind.PERSON_LOG | Kind.PROSPECT_LOG:
            return encode(kind, "prospect_unknown", "prospectlog_unknown")
    return encode(kind, human.uuid("unknown"))
