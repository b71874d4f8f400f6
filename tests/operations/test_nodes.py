"""The operation nodes."""

from app.sandbox.world import build_world
from schema.ids import Kind, encode
from tests.gateway import Gateway

CHLOE = build_world().humans[2]
CONTACT = encode(Kind.CONTACT, CHLOE.uuid("bird/contact"))
METHOD = encode(Kind.CONTACT_METHOD, CHLOE.uuid("artu/method/email"))
CONTACT_NODE = {
    "__typename": "Contact",
    "id": CONTACT,
    "displayName": CHLOE.name,
    "emailAddresses": [CHLOE.email],
    "phoneNumbers": [CHLOE.phone],
}
METHOD_NODE = {"__typename": "ContactMethod", "id": METHOD, "methodType": "EMAIL", "value": CHLOE.email}


async def test_records_of_all_kinds_come_in_the_order_of_their_ids(demo: Gateway) -> None:
    """One call for each record that a vendor has to be asked for; the unknown are null, and no error."""
    given = {"input": {"phoneNumber": CHLOE.phone, "source": "web", "payload": {"n": 1}}}
    made = (await demo.run("create_prospect_log", given))["createProspectLog"]
    unknown = encode(Kind.CONTACT, CHLOE.uuid("unknown"))
    ids = [METHOD, made["prospectLog"]["id"], unknown, CONTACT, made["prospect"]["id"]]
    log = {key: made["prospectLog"][key] for key in ("id", "source", "payload")}
    party = {key: made["prospect"][key] for key in ("id", "displayName", "emailAddresses", "phoneNumbers")}
    assert await demo.run("nodes", {"ids": ids}) == {
        "nodes": [
            METHOD_NODE,
            {"__typename": "ProspectLog", **log, "logType": "webhook"},
            None,
            CONTACT_NODE,
            {"__typename": "Prospect", **party},
        ]
    }
    assert sorted(call.split()[0] for call in demo.calls()) == ["ARTU", "BIRD", "BIRD"]


async def test_a_broken_id_is_an_error_at_its_own_place(demo: Gateway) -> None:
    """It is null there, and all others are answered."""
    answer = await demo.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [CONTACT, "broken", METHOD]})
    assert answer.data == {"nodes": [{"id": CONTACT}, None, {"id": METHOD}]}
    assert answer.errors == [
        {
            "message": "Expected an ID of this API. A vendor's own ID is taken where the kind of record is known.",
            "locations": [{"line": 1, "column": 23}],
            "path": ["nodes", 1],
            "extensions": {"code": "BAD_USER_INPUT"},
        }
    ]


async def test_the_same_id_twice_costs_one_call(demo: Gateway) -> None:
    """And is answered twice."""
    assert await demo.run("nodes", {"ids": [CONTACT, CONTACT]}) == {"nodes": [CONTACT_NODE, CONTACT_NODE]}
    assert len(demo.upstream) == 1


async def test_at_most_a_hundred_are_taken(demo: Gateway) -> None:
    """One more is refused before anything is asked; none at all is an empty list."""
    assert await demo.run("nodes", {"ids": []}) == {"nodes": []}
    answer = await demo.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": [CONTACT] * 101})
    assert [(error["message"], error["extensions"]) for error in answer.errors] == [
        ("nodes takes at most 100 IDs, was given 101.", {"code": "BAD_USER_INPUT"})
    ]
    assert demo.calls() == []
