"""JSON passes the gateway unchanged: to the vendor, in the answer, and when it is read back."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

CREATE = """mutation ($payload: JSON!) {
  createPersonLog(input: {emailAddress: "ada@example.com", source: "crm", payload: $payload}) {
    personLog { id payload } errors { message }
  }
}"""
READ = "query ($id: ID!) { node(id: $id) { ... on PersonLog { payload } } }"


def _nested(levels: int) -> Any:
    value: Any = "core"
    for level in range(levels):
        value = {"in": value} if level % 2 else [value]
    return {"out": value}


ANY = {"x": [1, 2.5, None, True]}
PAYLOADS: dict[str, Any] = {
    "nulls": {"a": None, "b": [None], "c": {"d": None}},
    "integers": {"a": 0, "b": -1, "c": 2**53 + 1, "d": 10**20 - 1, "e": 1 - 10**20},
    "fractions": {"a": 0.1, "b": 1e22, "c": 1.0, "d": 5e-324, "e": 1.7976931348623157e308, "f": -0.5},
    "booleans": {"a": True, "b": False, "c": 1, "d": "true"},
    "text": {
        "a": "👩‍🚀🏳️‍🌈",
        "b": "שלום עולם",
        "c": "\u202e\u0645\u0631\u062d\u0628\u0627\u202c",
        "d": "Z͑ͫ̓",
        "e": "\u0000\u001f\u2028\ufeff",
    },
    "keys": {"": 1, " ": 2, "a.b": 3, "__proto__": {}, "שם": 4, "👩": 5, "$ref": "#"},
    "escapes": {"a": '"\\/\b\f\n\r\t', "b": "</script>", "c": "\\u0041"},
    "empties": {"a": {}, "b": [], "c": ""},
    "depth": _nested(100),
    "order": {"z": 1, "a": 2, "m": 3},
}

MOMENT = {"v": "2020-01-01T01:00:00+01:00"}
VARYING: dict[str, tuple[str, dict[str, Any], str, Any]] = {
    "left out of an object": ("JSON", {}, "{a: $v, b: 1, c: {d: $v}}", {"b": 1, "c": {}}),
    "left out of a list": ("JSON", {}, "{a: [$v, [$v], 1]}", {"a": [None, [None], 1]}),
    "null": ("JSON", {"v": None}, "{a: $v, b: [$v]}", {"a": None, "b": [None]}),
    "a default": ("JSON = {x: [5]}", {}, "{a: $v}", {"a": {"x": [5]}}),
    "JSON": ("JSON", {"v": ANY}, "{a: $v, b: [$v]}", {"a": ANY, "b": [ANY]}),
    "a moment": ("DateTime", MOMENT, "{at: $v}", {"at": "2020-01-01T00:00:00.000Z"}),
    "moments": ("[DateTime!]", {"v": [MOMENT["v"]]}, "{at: [$v]}", {"at": [["2020-01-01T00:00:00.000Z"]]}),
    "an enum": ("Vendor", {"v": "BIRD"}, "{a: $v, b: BIRD}", {"a": "BIRD", "b": "BIRD"}),
    "an input": (
        "CreateContactInput",
        {"v": {"displayName": "x"}},
        "{a: $v}",
        {"a": {"displayName": "x", "delivery": "WAIT"}},
    ),
    "one of": ("PartyRef", {"v": {"emailAddress": "x"}}, "{a: $v}", {"a": {"emailAddress": "x"}}),
}
"""A variable's type, the variables, and a payload in the document that holds it, with what the vendor is to be sent."""


def _literal(value: Any) -> str:
    """A value as GraphQL writes it: as JSON, but for the keys, which are names."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_literal(each)}" for name, each in value.items()) + "}"
    return "[" + ", ".join(map(_literal, value)) + "]" if isinstance(value, list) else json.dumps(value)


def _same(value: Any) -> str:
    """JSON in which 1, 1.0 and true differ, and so does the order of keys."""
    return json.dumps(value)


@pytest.mark.parametrize("name", PAYLOADS)
async def test_a_payload_in_variables_survives(served: Gateway, name: str) -> None:
    """Number for number and character for character, there and back."""
    made = await served.ask(CREATE, {"payload": PAYLOADS[name]})
    assert made.errors == []
    sent = served.upstream[0].body["payload"]
    log = made.data["createPersonLog"]["personLog"]
    read = (await served.ask(READ, {"id": log["id"]})).data["node"]
    assert served.calls()[0].startswith("ARCHITECT GET ")
    assert [_same(each) for each in (sent, log["payload"], read["payload"])] == [_same(PAYLOADS[name])] * 3


@pytest.mark.parametrize("name", sorted(PAYLOADS.keys() - {"keys"}))
async def test_a_payload_in_the_document_survives(served: Gateway, name: str) -> None:
    """The same for literals, whose keys can only be names."""
    document = CREATE.replace("($payload: JSON!)", "").replace("$payload", _literal(PAYLOADS[name]))
    made = await served.ask(document)
    assert made.errors == []
    received = (served.upstream[0].body["payload"], made.data["createPersonLog"]["personLog"]["payload"])
    assert [_same(each) for each in received] == [_same(PAYLOADS[name])] * 2


async def test_a_variable_may_stand_within_a_literal(served: Gateway) -> None:
    """As everywhere in GraphQL."""
    document = CREATE.replace("payload: $payload", "payload: {fixed: [1], given: $payload}")
    await served.ask(document, {"payload": {"a": None}})
    assert served.upstream[0].body["payload"] == {"fixed": [1], "given": {"a": None}}


async def test_a_megabyte_of_nested_payload_is_written(served: Gateway) -> None:
    """Size alone is no reason to refuse."""
    payload = {"rows": [{"n": n, "text": "ж" * 200, "deep": _nested(20)} for n in range(2_000)]}
    assert len(json.dumps(payload, ensure_ascii=False).encode()) > 1_000_000
    made = await served.ask(CREATE, {"payload": payload})
    assert made.data["createPersonLog"]["errors"] == []
    assert served.upstream[0].body["payload"] == made.data["createPersonLog"]["personLog"]["payload"] == payload


@pytest.mark.parametrize("name", VARYING)
async def test_a_payload_in_the_document_may_hold_variables(served: Gateway, name: str) -> None:
    """Of any type, as they would be answered; one that is left out is no member of an object, and null in a list."""
    type_, variables, payload, expected = VARYING[name]
    document = CREATE.replace("$payload: JSON!", f"$v: {type_}").replace("$payload", payload)
    made = await served.ask(document, variables)
    assert made.errors == []
    assert made.data["createPersonLog"]["errors"] == []
    received = (served.upstream[0].body["payload"], made.data["createPersonLog"]["personLog"]["payload"])
    assert received == (expected, expected)


async def test_attributes_and_metadata_may_hold_variables(served: Gateway) -> None:
    """They are read as payloads are."""
    document = """mutation ($none: JSON, $at: DateTime) {
      createContact(input: {displayName: "Ada", attributes: {a: $none, at: [$at]}}) { errors { code } }
      syncContactMethods(
        input: {client: {clientId: "%s"}, items: [{type: OTHER, value: "x", metadata: {a: [$none], b: $none, at: $at}}]}
      ) { errors { code } }
    }"""
    answer = await served.ask(document % FIRST_CLIENT_ID, {"at": MOMENT["v"]})
    assert answer.errors == []
    assert [each["errors"] for each in answer.data.values()] == [[], []]
    contact, sync = (call.body for call in served.upstream)
    assert contact["attributes"] == {"at": ["2020-01-01T00:00:00.000Z"]}
    assert sync["items"][0]["metadata"] == {"a": [None], "at": "2020-01-01T00:00:00.000Z"}
