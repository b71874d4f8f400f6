"""GraphQL over HTTP, edition of September 2026, rule by rule (https://graphql.github.io/graphql-over-http/)."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from app.live.events import takes_stream
from app.negotiation import LONGEST_KEPT, negotiate
from app.security.keys import SANDBOX_KEY
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
NAME = "{ viewer { name } }"
NAMED = {"data": {"viewer": {"name": "Sandbox"}}}
KEY = {"authorization": f"Bearer {SANDBOX_KEY}"}

ACCEPTED: list[tuple[str | None, str | None]] = [
    (None, GRAPHQL),
    ("", GRAPHQL),
    ("*/*", JSON),
    ("application/*", JSON),
    (JSON, JSON),
    (GRAPHQL, GRAPHQL),
    ("APPLICATION/GraphQL-Response+JSON", GRAPHQL),
    (f"{JSON}; charset=utf-8", JSON),
    (f'{GRAPHQL}; charset="UTF-8"', GRAPHQL),
    (f"{GRAPHQL}, {JSON}", GRAPHQL),
    (f"{JSON}, {GRAPHQL}", JSON),
    (f"{JSON};q=0.9, {GRAPHQL}", GRAPHQL),
    (f"{GRAPHQL};q=0.9, {JSON}", JSON),
    (f"{GRAPHQL}, */*;q=0.1", GRAPHQL),
    (f"{JSON};q=0, */*", GRAPHQL),
    (f"{GRAPHQL};q=0, */*;q=0.5", JSON),
    (f"*/*;q=0.8, {JSON};q=0.1", GRAPHQL),
    ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
    (f"{GRAPHQL}, application/graphql+json, {JSON}, text/event-stream, multipart/mixed", GRAPHQL),
    (f"{GRAPHQL}; charset=utf-8, {JSON}; charset=utf-8", GRAPHQL),
    (f"{JSON};q=nonsense, {GRAPHQL};q=0.2", GRAPHQL),
    (f"{JSON};q=7, {GRAPHQL};q=0.2", GRAPHQL),
    ("text/html", None),
    ("text/*", None),
    (f"{JSON};q=0", None),
    (f"{JSON}; charset=utf-16", None),
    ("*/*;q=0", None),
    ("nonsense", None),
    (",;,=", None),
]


@pytest.mark.parametrize(("accept", "media_type"), ACCEPTED)
async def test_the_media_type_is_the_one_that_is_accepted_most(accept: str | None, media_type: str | None) -> None:
    """By quality, then by how closely it is named; without the header GraphQL's own."""
    assert negotiate(None if accept is None else accept.encode()) == media_type


@pytest.mark.parametrize("read", [negotiate, takes_stream])
async def test_a_long_header_is_read_and_not_kept(read: Callable[[bytes], object]) -> None:
    """Whoever sends a new one each time takes none of the memory."""
    pad = b"x/y," * (LONGEST_KEPT // 4)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        assert [bool(read(b"%d/x,%stext/event-stream,*/*" % (n, pad * 20))) for n in range(100)] == [True] * 100
        kept = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert kept < 20 * LONGEST_KEPT


@pytest.mark.parametrize("accept", [JSON, GRAPHQL, "*/*"])
async def test_an_answer_names_its_media_type_and_utf_8(served: Gateway, accept: str) -> None:
    """So that a client knows how to read it."""
    response = await _post(served, {"query": NAME}, accept=accept)
    expected = f"{JSON if accept == '*/*' else accept}; charset=utf-8"
    assert (response.status_code, response.headers["content-type"], response.json()) == (200, expected, NAMED)


async def test_what_accepts_neither_type_is_not_acceptable(served: Gateway) -> None:
    """406, and nothing is run."""
    response = await _post(served, {"query": NAME}, accept="text/html")
    assert (response.status_code, _codes(response)) == (406, ["NOT_ACCEPTABLE"])


@pytest.mark.parametrize(
    ("lines", "media_type"),
    [
        ((JSON, "text/plain"), JSON),
        (("text/plain", GRAPHQL, "text/html"), GRAPHQL),
        ((f"{JSON};q=0.5", GRAPHQL), GRAPHQL),
        ((GRAPHQL, f"{JSON};q=0.5"), GRAPHQL),
        ((JSON, ""), JSON),
        (("text/plain", "text/html"), None),
    ],
)
async def test_several_lines_of_what_is_accepted_are_one_list(
    served: Gateway, lines: tuple[str, ...], media_type: str | None
) -> None:
    """RFC 9110, section 5.3: the last one counts no more than the others."""
    headers = [*KEY.items(), ("content-type", JSON), *(("accept", line) for line in lines)]
    response = await served.http.post("/graphql", content=json.dumps({"query": NAME}), headers=headers)
    if media_type is None:
        assert (response.status_code, _codes(response)) == (406, ["NOT_ACCEPTABLE"])
    else:
        assert (response.status_code, response.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (JSON, 200),
        ("Application/JSON; Charset=UTF-8", 200),
        (f'{JSON}; charset="utf-8"', 200),
        (f"{JSON}; charset=utf-16", 415),
        (f"{JSON}; charset=iso-8859-1", 415),
        (GRAPHQL, 415),
        ("application/graphql", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
    ],
)
async def test_a_body_is_json_in_utf_8(served: Gateway, content_type: str, status: int) -> None:
    """Anything else is 415, and with it every form that another site's page can post without asking."""
    response = await _post(served, {"query": NAME}, **{"content-type": content_type})
    assert response.status_code == status
    assert status == 200 or _codes(response) == ["UNSUPPORTED_MEDIA_TYPE"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "gzip, gzip"])
async def test_a_compressed_body_is_refused(served: Gateway, encoding: str) -> None:
    """Small bombs unpack to large ones; RFC 9110, section 8.4 has 415 and Accept-Encoding for it."""
    response = await _post(served, {"query": NAME}, **{"content-encoding": encoding})
    assert (response.status_code, _codes(response)) == (415, ["UNSUPPORTED_MEDIA_TYPE"])
    assert response.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    ("document", "variables", "code"),
    [
        ("{", None, "GRAPHQL_PARSE_FAILED"),
        ("{ nope }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", None, "OPERATION_RESOLUTION_FAILURE"),
        ("query ($id: ID!) { node(id: $id) { id } }", {"id": None}, "BAD_USER_INPUT"),
        ("{" + "a:__typename " * 101 + "}", None, "QUERY_TOO_COMPLEX"),
    ],
)
async def test_what_cannot_run_has_no_data(served: Gateway, document: str, variables: Any, code: str) -> None:
    """400 under GraphQL's own type, 200 under JSON; the member `data` is not there, rather than null."""
    for accept, status in ((GRAPHQL, 400), (JSON, 200)):
        response = await _post(served, {"query": document, "variables": variables}, accept=accept)
        assert (response.status_code, _codes(response), list(response.json())) == (status, [code], ["errors"])


@pytest.mark.parametrize("accept", [GRAPHQL, JSON])
async def test_what_is_no_json_is_400_under_both_types(served: Gateway, accept: str) -> None:
    """It is no GraphQL request at all."""
    headers = {**KEY, "content-type": JSON, "accept": accept}
    response = await served.http.post("/graphql", content=b'{"query":', headers=headers)
    assert (response.status_code, _codes(response)) == (400, ["BAD_REQUEST"])


async def test_an_error_of_a_field_is_200_with_data(served: Gateway) -> None:
    """Under both types: the operation ran."""
    for accept in (GRAPHQL, JSON):
        response = await _post(served, {"query": '{ node(id: "x") { id } }'}, accept=accept)
        assert (response.status_code, response.json()["data"]) == (200, {"node": None})


async def test_a_query_can_be_sent_by_get(served: Gateway) -> None:
    """Its parameters are in the URL; variables and extensions as JSON, an empty operationName as none."""
    document = (
        "query A ($id: ID!) { a: node(id: $id) { id } } query B ($id: ID!) { __typename nodes(ids: [$id]) { id } }"
    )
    parameters = {"query": document, "operationName": "B", "variables": '{"id": "x"}', "extensions": '{"a": 1}'}
    response = await _get(served, parameters)
    assert (response.status_code, response.json()["data"]) == (200, {"__typename": "Query", "nodes": [None]})
    plain = await _get(served, {"query": NAME, "operationName": "", "variables": "", "extensions": "null"})
    assert (plain.status_code, plain.json()) == (200, NAMED)
    head = await served.http.head("/graphql?" + urlencode({"query": NAME}), headers=KEY)
    assert head.status_code == 200


@pytest.mark.parametrize(
    "document", ["mutation { __typename }", "mutation { settleReceipt(input: {}) { __typename } }"]
)
async def test_a_mutation_by_get_is_not_allowed(served: Gateway, document: str) -> None:
    """405 with Allow, whatever the type: a link must never write."""
    served.upstream.clear()
    for accept in (GRAPHQL, JSON):
        document = 'query A { __typename } mutation B { createContact(input: {displayName: "x"}) { __typename } }'
        response = await _get(served, {"query": document, "operationName": "B"}, accept=accept)
        assert (response.status_code, _codes(response)) == (405, ["METHOD_NOT_ALLOWED"])
        assert response.headers["allow"] == "POST"
    assert served.upstream == []


@pytest.mark.parametrize(
    "query",
    [
        "",
        "query=",
        "operationName=A",
        "query=%7Bviewer%7Bname%7D%7D&query=%7Bviewer%7BkeyId%7D%7D",
        "query=%FF",
        "query=%7Bviewer%7Bname%7D%7D&variables=%7B",
        "query=%7Bviewer%7Bname%7D%7D&variables=%5B%5D",
        "query=%7Bviewer%7Bname%7D%7D&variables=5",
        "query=%7Bviewer%7Bname%7D%7D&variables=%7B%22a%22%3A1%2C%22a%22%3A2%7D",
        "query=%7Bviewer%7Bname%7D%7D&extensions=%22x%22",
        "&".join(f"a{n}=1" for n in range(50)),
    ],
)
async def test_a_query_string_that_means_nothing_is_refused(served: Gateway, query: str) -> None:
    """As a body is: with a code, and 4xx (an empty query can be read, and not be parsed)."""
    response = await served.http.get(f"/graphql?{query}", headers={**KEY, "accept": GRAPHQL})
    assert response.status_code == 400
    assert _codes(response) == ["GRAPHQL_PARSE_FAILED" if query == "query=" else "BAD_REQUEST"]


@pytest.mark.parametrize("name", ["variables", "extensions"])
@pytest.mark.parametrize("text", ["{", "{,}", '{"a": 12345678901234567890 1}'])
async def test_a_parameter_that_is_no_json_is_named(served: Gateway, name: str, text: str) -> None:
    """Nobody looks for what is wrong in a body that was not sent."""
    response = await _get(served, {"query": NAME, name: text})
    assert (response.status_code, response.json()["errors"][0]["message"]) == (400, f"{name} is not JSON.")


async def test_a_link_alone_reads_nothing(served: Gateway) -> None:
    """There are no cookies: without a header that another site's page can't send unasked, GET is 401."""
    response = await served.http.get(
        "/graphql?" + urlencode({"query": NAME}), headers={"origin": "https://evil.example"}
    )
    assert (response.status_code, _codes(response)) == (401, ["UNAUTHENTICATED"])


@pytest.mark.parametrize("directive", ["@defer", '@defer(label: "later")', "@defer(if: true)", "@defer(if: $d)"])
async def test_defer_is_taken_and_answered_whole(served: Gateway, directive: str) -> None:
    """A client that can wait for parts need not: the specification lets a server answer at once."""
    document = f"query ($d: Boolean = true) {{ ... {directive} {{ viewer {{ name }} }} ...F @skip(if: false) }}"
    document += " fragment F on Query { ... @include(if: $d) { viewer { name } } }"
    response = await _post(served, {"query": document})
    assert (response.status_code, response.json()) == (200, NAMED)


async def test_defer_is_declared(served: Gateway) -> None:
    """So that clients that read the schema may use it."""
    answer = await served.ask("{ __schema { directives { name locations } } }")
    found = {each["name"]: each["locations"] for each in answer.data["__schema"]["directives"]}
    assert found["defer"] == ["FRAGMENT_SPREAD", "INLINE_FRAGMENT"]


@pytest.mark.parametrize("name", ["authorization", "content-type", "x-api-key", "idempotency-key", "content-encoding"])
async def test_a_header_that_says_two_things_is_refused(served: Gateway, name: str) -> None:
    """A proxy may have believed the other one."""
    headers = [*KEY.items(), ("content-type", JSON), (name, "x"), (name, "y")]
    response = await served.http.post("/graphql", content=b'{"query": "{ __typename }"}', headers=headers)
    assert (response.status_code, _codes(response)) == (400, ["BAD_REQUEST"])


async def test_every_answer_says_how_to_be_kept_and_where_it_is_logged(served: Gateway) -> None:
    """Refusals and results alike."""
    for response in (await _post(served, {"query": NAME}), await served.http.post("/graphql"), await _get(served, {})):
        assert (response.headers["cache-control"], response.headers["x-content-type-options"]) == (
            "no-store",
            "nosniff",
        )
        assert len(response.headers["x-request-id"]) >= 16


async def _post(served: Gateway, body: Any, **headers: str) -> Any:
    sent = {**KEY, "content-type": JSON, **headers}
    return await served.http.post("/graphql", content=json.dumps(body), headers=sent)


async def _get(served: Gateway, parameters: dict[str, str], **headers: str) -> Any:
    return await served.http.get("/graphql?" + urlencode(parameters), headers={**KEY, "accept": GRAPHQL, **headers})


def _codes(response: Any) -> list[str]:
    return [error["extensions"]["code"] for error in response.json()["errors"]]
