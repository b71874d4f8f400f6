"""Documents that can't be run: each is refused with the code of the stage that refused it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.negotiation import RESPONSE_TYPE
from app.security.keys import SANDBOX_KEY
from tests.gateway import Answer, Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARSE = "GRAPHQL_PARSE_FAILED"
VALIDATION = "GRAPHQL_VALIDATION_FAILED"
OPERATION = "OPERATION_RESOLUTION_FAILURE"
INPUT = "BAD_USER_INPUT"
AMBIGUOUS = "The document must hold one operation, or operationName say which of them is meant."
UNKNOWN = "The document holds no operation of this operationName."
DEEP = "Syntax Error: Document is nested too deeply. Parsing aborted."

REFUSED: list[tuple[str, str, str]] = [
    ("", PARSE, "Syntax Error: Unexpected <EOF>."),
    ("{", PARSE, "Syntax Error: Expected Name, found <EOF>."),
    ("\u0000", PARSE, "Syntax Error: Unexpected character: U+0000."),
    ('{ node(id: "\\ud800") { id } }', PARSE, "Syntax Error: Invalid Unicode escape sequence: '\\ud800'."),
    ("{a" * 2_000 + "}" * 2_000, PARSE, DEEP),
    ("{ node(id: " + "[" * 2_000 + "]" * 2_000 + ") { id } }", PARSE, DEEP),
    ("query ($a: " + "[" * 2_000 + "Int" + "]" * 2_000 + ") { viewer { name } }", PARSE, DEEP),
    ("{ viewer { nam } }", VALIDATION, "Cannot query field 'nam' on type 'Viewer'."),
    ("{ viewers { name } }", VALIDATION, "Cannot query field 'viewers' on type 'Query'."),
    (
        "{ viewer }",
        VALIDATION,
        "Field 'viewer' of type 'Viewer' must have a selection of subfields.",
    ),
    ("{ node { id } }", VALIDATION, "Argument 'Query.node(id:)' of type 'ID!' is required, but it was not provided."),
    ("{ contacts(frist: 1) { nodes { id } } }", VALIDATION, "Unknown argument 'frist' on field 'Query.contacts'."),
    ("{ viewer { ... on Viewr { name } } }", VALIDATION, "Unknown type 'Viewr'."),
    ("{ ...F } fragment F on Query { ...F }", VALIDATION, "Cannot spread fragment 'F' within itself."),
    ("subscription { x }", VALIDATION, "Cannot query field 'x' on type 'Subscription'."),
    (
        "{ contact(by: {}) { id } }",
        VALIDATION,
        "OneOf Input Object 'PartyRef' must specify exactly one key.",
    ),
    ("fragment F on Query { viewer { name } }", OPERATION, AMBIGUOUS),
    ("query A { viewer { name } } query B { viewer { name } }", OPERATION, AMBIGUOUS),
]


@pytest.mark.parametrize(("document", "code", "message"), REFUSED)
async def test_a_document_that_cannot_run_is_refused(served: Gateway, document: str, code: str, message: str) -> None:
    """Nothing of it runs, and there is no `data`; a name that does not exist is not answered with those that do."""
    answer = await served.ask(document, key=await _reader(served))
    first = answer.errors[0]
    assert (first["message"], first["extensions"]) == (message, {"code": code})
    assert "data" not in answer.response.json()
    assert served.upstream == []


async def test_with_the_scope_names_that_may_be_meant_are_suggested(served: Gateway) -> None:
    """For who may read the schema anyway."""
    for key, text in ((SANDBOX_KEY, " Did you mean 'name'?"), (await _reader(served), "")):
        [error] = (await served.ask("{ viewer { nam } }", key=key)).errors
        assert error["message"] == f"Cannot query field 'nam' on type 'Viewer'.{text}"


@pytest.mark.parametrize("operation_name", ["C", "", "a", "A "])
async def test_an_unknown_operation_is_refused(served: Gateway, operation_name: str) -> None:
    """Names are compared exactly."""
    errors = (await _ask_named(served, operation_name)).errors
    assert errors == [{"message": UNKNOWN, "locations": [], "extensions": {"code": OPERATION}}]


async def test_the_named_operation_runs_and_no_other(served: Gateway) -> None:
    """Of two, only the one that is meant."""
    assert (await _ask_named(served, "A")).data == {"viewer": {"name": "Sandbox"}}
    assert (await _ask_named(served, "B")).data == {"viewer": {"keyId": "sandbox"}}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "Variable '$input' has invalid value: Expected a value of non-null type 'CreatePersonLogInput!' to be provided."),
        ({"input": None}, "Variable '$input' has invalid value: Expected value of non-null type 'CreatePersonLogInput!' not to be None."),
        ({"input": {}}, "Variable '$input' has invalid value: Expected value of type 'CreatePersonLogInput' to include required field 'source'."),
        ({"input": {"source": 5, "payload": {}}}, "Variable '$input' has invalid value at .source: String cannot represent a non string value: 5"),
        (
            {"input": {"source": "x", "payload": {}, "mail": "ada@example.com"}},
            "Variable '$input' has invalid value: Expected value of type 'CreatePersonLogInput' not to include unknown field 'mail'.",
        ),
        ({"input": {"source": "x", "payload": None}}, "Variable '$input' has invalid value at .payload: Expected value of non-null type 'JSON!' not to be None."),
        ({"input": {"source": "x", "payload": {}, "emailAddress": 5}}, "Variable '$input' has invalid value at .emailAddress: Expected a string."),
        ({"input": {"source": "x", "payload": {}, "delivery": "LATER"}}, "Variable '$input' has invalid value at .delivery: Value 'LATER' does not exist in 'Delivery' enum."),
    ],
)  # fmt: skip
async def test_variables_of_the_wrong_type_are_refused(served: Gateway, variables: Any, message: str) -> None:
    """With their place, and without a copy of the whole input, which may hold personal data."""
    document = "mutation ($input: CreatePersonLogInput!) { createPersonLog(input: $input) { errors { message } } }"
    answer = await served.ask(document, variables)
    assert (answer.errors[0]["message"], answer.errors[0]["extensions"]) == (message, {"code": INPUT})
    assert {error["extensions"]["code"] for error in answer.errors} == {INPUT}
    assert served.upstream == []


async def test_a_null_in_a_list_is_refused(served: Gateway) -> None:
    """Lists of this API hold no nulls; the place of the null is named."""
    document = "mutation ($i: CreateContactInput!) { createContact(input: $i) { errors { message } } }"
    answer = await served.ask(document, {"i": {"displayName": "Ada", "emailAddresses": ["ada@example.com", None]}})
    message = "Variable '$i' has invalid value at .emailAddresses[1]: Expected value of non-null type 'EmailAddress!' not to be None."
    assert (answer.errors[0]["message"], answer.errors[0]["extensions"]) == (message, {"code": INPUT})
    assert served.upstream == []


async def test_the_status_follows_what_the_client_accepts(served: Gateway) -> None:
    """400 for a document that can't run where GraphQL's own media type is accepted, 200 for older clients."""
    for accept, status in ((RESPONSE_TYPE, 400), ("application/json", 200)):
        headers = {"authorization": f"Bearer {SANDBOX_KEY}", "accept": accept}
        for query in ("{", "{ nope }", "query A { viewer { name } } query B { viewer { name } }"):
            response = await served.http.post("/graphql", json={"query": query}, headers=headers)
            assert (response.status_code, response.headers["content-type"]) == (status, f"{accept}; charset=utf-8")


async def _reader(served: Gateway) -> str:
    return await served.new_key("read")


async def _ask_named(served: Gateway, operation_name: str) -> Answer:
    served.upstream.clear()
    document = "query A { viewer { name } } query B { viewer { keyId } }"
    response = await served.http.post(
        "/graphql",
        content=json.dumps({"query": document, "operationName": operation_name}),
        headers={"authorization": f"Bearer {SANDBOX_KEY}", "content-type": "application/json"},
    )
    return Answer(response, response.json().get("data"), response.json().get("errors", []))
