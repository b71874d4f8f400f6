"""JSON passes the gateway unchanged: to the vendor, in the answer, and when it is read back."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
