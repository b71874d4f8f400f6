"""Values that try the whole way: what is odd but right passes unchanged, what is wrong is a clear error."""

from __future__ import annotations

import base64

import pytest

from schema.ids import Kind, encode
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECORD = "11111111-2222-4333-8444-555555555555"
OURS = "Expected an ID of this API. A vendor's own ID is taken where the kind of record is known."

CREATE = """mutation ($name: String!) {
  createContact(input: {displayName: $name}) { contact { displayName } errors { message } }
}"""


@pytest.mark.parametrize(
    "name",
    [
        "👩‍🚀",
        "🏳️‍🌈",
        "עדה לאבלייס",
        "\u202eadA",
        "\u200f\u0645",
        "Z͑ͫ̓",
        "a\u0000b",
        "\ufeffAda",
        "<script>",
        "'; --",
        "\U0010ffff",
    ],
)
async def test_a_name_in_any_script_passes_unchanged(served: Gateway, name: str) -> None:
    """To the vendor, and back in its answer."""
    made = await served.ask(CREATE, {"name": name})
    assert served.upstream[0].body == {"displayName": name}
    assert made.data == {"createContact": {"contact": {"displayName": name}, "errors": []}}


@pytest.mark.parametrize(
    "query",
    [
        '{ contact(by: {emailAddress: "VALUE"}) { id } }',
        '{ contact(by: {phoneNumber: "VALUE"}) { id } }',
        '{ contact(by: {linkedinProfileUrl: "VALUE"}) { id } }',
        '{ contact(by: {id: "VALUE"}) { id } }',
        '{ contact(by: {vendorRecord: {vendor: BIRD, kind: "VALUE", id: "x"}}) { id } }',
        '{ node(id: "VALUE") { id } }',
        '{ contactMethod(id: "VALUE") { id } }',
        '{ contactMethods(filter: {clientId: "VALUE"}) { nodes { id } } }',
        '{ activity(id: "VALUE") { id } }',
        '{ activities(of: {accountId: "VALUE"}) { nodes { id } } }',
        '{ activities(of: {party: {emailAddress: "VALUE"}}) { nodes { id } } }',
        '{ contacts(after: "VALUE") { nodes { id } } }',
        "{ contacts(first: 0) { nodes { id } } }",
        "{ contacts(first: 101) { nodes { id } } }",
        "{ contacts(first: -2147483648) { nodes { id } } }",
    ],
)
async def test_a_wrong_argument_of_a_query_is_an_error_of_its_field(served: Gateway, query: str) -> None:
    """With its code; the field is null, the value is not repeated, and nothing is asked upstream."""
    for value in ("", "v-1a2b3c", "x" * 10_000, "👩‍🚀", "../../etc"):
        answer = await served.ask(query.replace("VALUE", value))
        field = query.split("(", maxsplit=1)[0].strip("{ ")
        assert answer.data == {field: None}
        assert [(error["path"], error["extensions"]) for error in answer.errors] == [
            ([field], {"code": "BAD_USER_INPUT"})
        ]
        assert len(value) < 3 or value not in answer.response.text
        assert served.upstream == []


async def test_nodes_answers_each_wrong_id_in_its_place(served: Gateway) -> None:
    """Those that are right are not taken along."""
    answer = await served.ask(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }",
        {"ids": ["x", encode(Kind.ACTIVITY, RECORD), RECORD, 5]},
    )
    assert answer.data == {"nodes": [None] * 4}
    assert [(error["path"], error["message"], error["extensions"]) for error in answer.errors] == [
        (["nodes", place], OURS, {"code": "BAD_USER_INPUT"}) for place in (0, 2, 3)
    ]


@pytest.mark.parametrize("step", [".", ".."])
async def test_a_forged_id_leads_to_no_other_place_at_the_vendor(served: Gateway, step: str) -> None:
    """Dots in place of a record's ID would be steps in the vendor's path, walked with the gateway's credentials."""
    for text in (f"Contact:{step}", f"ContactMethod:{step}", f"PersonLog:{step}:x", f"PersonLog:x:{step}"):
        forged = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
        answer = await served.ask("query ($id: ID!) { node(id: $id) { id } }", {"id": forged})
        assert [(error["message"], error["extensions"]) for error in answer.errors] == [
            (OURS, {"code": "BAD_USER_INPUT"})
        ]
        assert served.upstream == []
