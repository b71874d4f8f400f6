"""Automatic persisted queries, as Apollo Client speaks them."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest

from app.documents import LONGEST, SentDocuments
from tests.documents.conftest import KEY, NewGateway, code, post
from tests.gateway import QUERIES, Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

QUERY = "query Me { viewer { name } }"
NOT_FOUND = {
    "errors": [
        {"message": "PersistedQueryNotFound", "locations": [], "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}
    ]
}


def _extension(text: str, **other: Any) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest(), **other}}


async def test_a_hash_is_asked_for_then_sent_with_the_document_then_enough(new_gateway: NewGateway) -> None:
    """The three requests of Apollo Client's persisted query link, each with its answer."""
    served = await new_gateway()
    first = await post(served, {"operationName": "Me", "extensions": _extension(QUERY)})
    assert (first.status_code, first.json()) == (200, NOT_FOUND)
    second = await post(served, {"operationName": "Me", "query": QUERY, "extensions": _extension(QUERY)})
    third = await post(served, {"operationName": "Me", "extensions": _extension(QUERY)})
    assert second.json() == third.json() == {"data": {"viewer": {"name": "Sandbox"}}}


async def test_a_hash_is_taken_by_get(new_gateway: NewGateway) -> None:
    """As with `useGETForHashedQueries`."""
    served = await new_gateway()
    await post(served, {"query": QUERY, "extensions": _extension(QUERY)})
    answer = await served.http.get("/graphql", params={"extensions": json.dumps(_extension(QUERY))}, headers=KEY)
    assert answer.json() == {"data": {"viewer": {"name": "Sandbox"}}}


async def test_a_trusted_document_is_known_by_its_hash(served: Gateway) -> None:
    """Apollo's safelisting sends hashes only, of documents that the operator has brought."""
    text = (QUERIES / "viewer.graphql").read_text("utf-8")
    answer = await post(served, {"extensions": _extension(text)})
    assert answer.json()["data"]["viewer"]["name"] == "Sandbox"


async def test_a_hash_that_is_not_the_documents_is_refused_and_remembered_for_nothing(served: Gateway) -> None:
    """Nobody can put another document in the place of one."""
    other = "query Other { viewer { keyId } }"
    wrong = await post(served, {"query": other, "extensions": _extension("{ vendors { vendor } }")})
    message = "extensions.persistedQuery.sha256Hash is not the SHA-256 of query."
    assert (wrong.status_code, wrong.json()["errors"][0]["message"], code(wrong)) == (400, message, "BAD_REQUEST")
    assert (await post(served, {"extensions": _extension("{ vendors { vendor } }")})).json() == NOT_FOUND


@pytest.mark.parametrize(
    "persisted",
    [
        1,
        "hash",
        [],
        {},
        {"version": 2, "sha256Hash": "0" * 64},
        {"version": 1},
        {"version": 1, "sha256Hash": 5},
        {"version": 1, "sha256Hash": "0" * 63},
        {"version": 1, "sha256Hash": "A" * 64},
        {"version": True, "sha256Hash": "0" * 64},
    ],
)
async def test_another_form_is_refused(served: Gateway, persisted: object) -> None:
    """With the form that is taken."""
    answer = await post(served, {"query": QUERY, "extensions": {"persistedQuery": persisted}})
    message = 'extensions.persistedQuery must be {"version": 1, "sha256Hash": "…"}, with 64 hexadecimal digits.'
    assert (answer.status_code, answer.json()["errors"][0]["message"]) == (400, message)


async def test_other_extensions_are_left_alone(served: Gateway) -> None:
    """A client may send what it likes in them."""
    answer = await post(served, {"query": QUERY, "extensions": {"trace": {"id": 1}, "persistedQuery": None}})
    assert answer.json() == {"data": {"viewer": {"name": "Sandbox"}}}


async def test_what_was_used_least_lately_is_forgotten_first() -> None:
    """By number, and by size; a use counts as much as a sending."""
    sent = SentDocuments(most=2, most_bytes=10)
    sent.add("a", "aaaa")
    sent.add("b", "bbbb")
    assert sent.get("a") == "aaaa"
    sent.add("c", "cc")
    assert [sent.get(each) for each in "abc"] == ["aaaa", None, "cc"]
    sent.add("d", "dddddddd")
    assert [sent.get(each) for each in "acd"] == [None, "cc", "dddddddd"]
    sent.add("d", "dddddddd")
    assert sent.get("c") == "cc"


async def test_a_document_that_is_too_long_is_not_remembered() -> None:
    """It would push out many others."""
    sent = SentDocuments()
    sent.add("long", "x" * (LONGEST + 1))
    sent.add("short", "x" * LONGEST)
    assert (sent.get("long"), sent.get("short")) == (None, "x" * LONGEST)
