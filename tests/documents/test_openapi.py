"""The OpenAPI document describes what is really taken and answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from jsonschema import Draft202012Validator

from app.body import LARGEST_BODY
from app.negotiation import JSON_TYPE
from app.pages.graphiql import example_variables
from app.trusted import own_documents
from tests.documents.conftest import KEY, NewGateway
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

REFUSED = {
    "settle_receipt": {"input": {"receiptId": "x", "applied": True, "note": ""}},
    "create_contact": {"input": {"displayName": "sandbox-500", "emailAddresses": ["a@example.com"]}},
    "log_activity": {"input": {"subject": "x", "contacts": [{"emailAddress": "nobody@example.com"}]}},
    "contacts": {"first": 1000},
}
WRONG: dict[str, list[dict[str, Any]]] = {
    "create_contact": [{}, {"input": {}}, {"input": {"displayName": 1}}, {"input": {"displayName": "A", "name": "B"}}],
    "activities_of_party": [{"party": {}}, {"party": {"id": "a", "emailAddress": "b"}}, {"party": {"id": None}}],
    "contacts": [{"first": "1"}, {"first": 1.5}, {"frist": 1}],
    "create_person_log": [{"input": {"source": "web", "emailAddress": "a@example.com", "payload": None}}],
    "receipts": [{"state": "DONE"}],
    "nodes": [{"ids": [None]}, {}],
}
KEYED = {"create_contact", "create_person_log", "create_prospect_log", "log_activity", "sync_contact_methods"}
NAMES = [each.id for each in own_documents() if each.kind != "subscription"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def described(served: Gateway) -> dict[str, Any]:
    """The document, which needs no key."""
    answer = await served.http.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    document: dict[str, Any] = answer.json()
    return document


async def test_every_operation_is_described(described: dict[str, Any]) -> None:
    """Under its name, with the comment above it, as a read or a write; the five writes take a key that makes them safe to repeat."""
    assert described["openapi"] == "3.1.0"
    assert list(described["paths"]) == [f"/operations/{name}" for name in NAMES]
    keyed = set()
    for document in own_documents():
        if document.kind == "subscription":
            continue
        endpoint = described["paths"][f"/operations/{document.id}"]["post"]
        is_write = document.kind == "mutation"
        assert (endpoint["operationId"], endpoint["summary"]) == (document.id, document.description)
        assert endpoint["tags"] == (["Writes"] if is_write else ["Reads"])
        if [each["name"] for each in endpoint.get("parameters", [])] == ["Idempotency-Key"]:
            keyed.add(document.id)
    assert keyed == KEYED


async def test_every_schema_is_one_and_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    """JSON Schema 2020-12, which is what OpenAPI 3.1 takes."""
    for schema in described["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    known = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert set(_references(described)) <= known


@pytest.mark.parametrize("name", NAMES)
async def test_an_example_and_its_answer_fit(served: Gateway, described: dict[str, Any], name: str) -> None:
    """What GraphiQL's menu offers is taken, finds something in the demo world, and is answered as described."""
    variables = example_variables().get(name, {})
    assert _problems(described, _body(described, name), variables) == []
    answer = await served.http.post(f"/operations/{name}", json=variables, headers=KEY)
    endpoint = described["paths"][f"/operations/{name}"]["post"]
    schema = endpoint["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    assert _problems(described, schema, answer.json()) == []
    assert "errors" not in answer.json()


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refusal_fits_too(served: Gateway, described: dict[str, Any], name: str) -> None:
    """With its errors, and null where there is nothing."""
    answer = await served.http.post(f"/operations/{name}", json=REFUSED[name], headers=KEY)
    endpoint = described["paths"][f"/operations/{name}"]["post"]
    assert answer.status_code >= 400
    schema = endpoint["responses"][str(answer.status_code)]["content"]["application/json"]["schema"]
    assert _problems(described, schema, answer.json()) == []


async def test_a_read_that_its_vendor_refuses_fits_too(new_gateway: NewGateway, described: dict[str, Any]) -> None:
    """As 422: there is something to mend, such as the gateway's own key at the vendor."""
    keyless = await new_gateway(TEST_BIRD_ACCESS_KEY="wrong")
    answer = await keyless.http.post("/operations/contacts", json={}, headers=KEY)
    responses = described["paths"]["/operations/contacts"]["post"]["responses"]
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (422, "VENDOR_REJECTED")
    assert _problems(described, responses["422"]["content"]["application/json"]["schema"], answer.json()) == []


@pytest.mark.parametrize("name", ["contacts", "create_contact"])
@pytest.mark.parametrize(
    ("status", "sent", "media_type"), [(413, b" " * (LARGEST_BODY + 1), JSON_TYPE), (415, b"{}", "text/plain")]
)
async def test_a_body_that_is_not_taken_is_described(
    served: Gateway, described: dict[str, Any], name: str, status: int, sent: bytes, media_type: str
) -> None:
    """For reads and writes."""
    headers = {**KEY, "content-type": media_type}
    answer = await served.http.post(f"/operations/{name}", content=sent, headers=headers)
    assert answer.status_code == status
    assert {str(status), "408"} <= set(described["paths"][f"/operations/{name}"]["post"]["responses"])


@pytest.mark.parametrize(("name", "variables"), [(name, each) for name, several in WRONG.items() for each in several])
async def test_what_the_schema_refuses_the_gateway_refuses(
    served: Gateway, described: dict[str, Any], name: str, variables: dict[str, Any]
) -> None:
    """A partner that checks against the schema first loses nothing."""
    assert _problems(described, _body(described, name), variables) != []
    answer = await served.http.post(f"/operations/{name}", json=variables, headers=KEY)
    assert answer.status_code == 400


async def test_the_kinds_of_input_are_told_apart(described: dict[str, Any]) -> None:
    """Defaults, enums, moments, references with one field, and free JSON each have their form."""
    schemas = described["components"]["schemas"]
    activity = schemas["LogActivityInput"]
    assert activity["required"] == ["subject"]
    assert activity["properties"]["category"]["default"] == "OTHER"
    assert activity["properties"]["occurredAt"]["format"] == "date-time"
    assert (schemas["PartyRef"]["minProperties"], schemas["PartyRef"]["maxProperties"]) == (1, 1)
    payload = schemas["CreatePersonLogInput"]["properties"]["payload"]
    attributes = schemas["CreateContactInput"]["properties"]["attributes"]
    assert (payload["not"], "type" in payload) == ({"type": "null"}, False)
    assert attributes.keys() == {"description"}


def _body(described: dict[str, Any], name: str) -> dict[str, Any]:
    body = described["paths"][f"/operations/{name}"]["post"]["requestBody"]
    schema: dict[str, Any] = body["content"]["application/json"]["schema"]
    return schema


def _problems(described: dict[str, Any], schema: dict[str, Any], value: object) -> list[str]:
    whole = {**schema, "components": described["components"]}
    return [each.message for each in Draft202012Validator(whole).iter_errors(value)]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (each for name, each in value.items() if name == "$ref" and isinstance(each, str))
        for each in value.values():
            yield from _references(each)
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
