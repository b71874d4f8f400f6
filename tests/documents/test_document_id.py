"""Documents that are meant by a `documentId`, as the GraphQL over HTTP specification's appendix has it."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from app.trusted import own_documents
from tests.documents.conftest import KEY, code, post
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWER = {"viewer": {"keyId": "sandbox", "name": "Sandbox", "environment": "TEST", "scopes": ["*"]}}
UNKNOWN = {
    "message": "No document with this documentId is known here.",
    "locations": [],
    "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
}


def _hash(name: str) -> str:
    return next(each.sha256 for each in own_documents() if each.id == name)


async def test_a_document_is_meant_by_its_files_name(served: Gateway) -> None:
    """Those in `queries/` need not be sent."""
    answer = await post(served, {"documentId": "viewer"})
    assert (answer.status_code, answer.json()) == (200, {"data": VIEWER})


async def test_a_document_is_meant_by_its_hash(served: Gateway) -> None:
    """`sha256:` and the hash of the text."""
    answer = await post(served, {"documentId": f"sha256:{_hash('viewer')}"})
    assert answer.json() == {"data": VIEWER}


async def test_variables_and_the_operations_name_go_with_it(served: Gateway) -> None:
    """All else of a request is as ever."""
    body = {"documentId": "contacts", "operationName": "contacts", "variables": {"first": 1}}
    answer = await post(served, body)
    assert [each["displayName"] for each in answer.json()["data"]["contacts"]["nodes"]] == ["Ada Andersen"]


async def test_a_query_is_read_by_get(served: Gateway) -> None:
    """The shortest form of a request: a link that can be cached."""
    answer = await served.http.get("/graphql", params={"documentId": "viewer"}, headers=KEY)
    assert answer.json() == {"data": VIEWER}


async def test_a_browser_that_asks_for_a_document_is_not_shown_graphiql(served: Gateway) -> None:
    """It asks."""
    headers = {**KEY, "accept": "text/html,*/*;q=0.8"}
    answer = await served.http.get("/graphql", params={"documentId": "viewer"}, headers=headers)
    assert answer.json() == {"data": VIEWER}


async def test_a_mutation_is_not_run_by_get(served: Gateway) -> None:
    """Not by its name either."""
    variables = {"input": {"displayName": "Eve", "emailAddresses": ["eve@example.com"]}}
    parameters = {"documentId": "create_contact", "variables": json.dumps(variables)}
    served.upstream.clear()
    answer = await served.http.get("/graphql", params=parameters, headers=KEY)
    assert (answer.status_code, code(answer), served.upstream) == (405, "METHOD_NOT_ALLOWED", [])


@pytest.mark.parametrize(
    "document_id",
    [
        "",
        "nobody",
        "viewer.graphql",
        "../queries/viewer",
        "sha256:",
        "sha256:" + "0" * 64,
        "sha256:" + sha256(b"{ viewer { name } }").hexdigest(),
        "sha256:viewer",
        "SHA256:" + "0" * 64,
    ],
)
async def test_an_unknown_document_is_not_found(served: Gateway, document_id: str) -> None:
    """It is a look-up, and never a path."""
    answer = await post(served, {"documentId": document_id})
    assert answer.json() == {"errors": [UNKNOWN]}


async def test_the_bare_hash_is_no_document_id(served: Gateway) -> None:
    """Without its prefix it would be a name."""
    assert code(await post(served, {"documentId": _hash("viewer")})) == "PERSISTED_QUERY_NOT_FOUND"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"documentId": 1}, "documentId must be a string or null."),
        ({"documentId": "viewer", "query": "{ viewer { name } }"}, "Send either query or documentId, not both."),
        ({"documentId": None}, "query is missing, or not a string."),
        ({"query": 1, "documentId": "viewer"}, "query is missing, or not a string."),
    ],
)
async def test_a_request_means_one_document(served: Gateway, body: dict[str, object], message: str) -> None:
    """Where it could mean two, or none, it is refused."""
    answer = await post(served, body)
    error = {"message": message, "extensions": {"code": "BAD_REQUEST"}}
    assert (answer.status_code, answer.json()) == (400, {"errors": [error]})


async def test_a_key_is_needed_for_a_trusted_document(served: Gateway) -> None:
    """That a document is trusted says nothing of who asks."""
    answer = await served.http.post("/graphql", json={"documentId": "viewer"})
    assert (answer.status_code, code(answer)) == (401, "UNAUTHENTICATED")
