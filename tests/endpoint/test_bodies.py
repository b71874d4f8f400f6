"""Bodies that are no GraphQL request: each is refused with a reason, at once, and nothing is asked upstream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.bad_request import BadRequest
from app.body import LARGEST_BODY
from app.request import parse_request
from app.security.keys import SANDBOX_KEY
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASK = b'{"query": "{ viewer { name } }"'
NOT_JSON = "The body is not JSON."
NOT_UTF8 = "The body is not UTF-8."
NOT_AN_OBJECT = 'The body must be a JSON object such as {"query": "{ viewer { name } }"}.'
BATCH = "Batches are not taken: send one operation per request."
TWICE = "A JSON object names the same key twice."
HALF = "A string holds half of a surrogate pair."
TOO_LONG = "The JSON holds an integer of more than 20 digits: send it as a string."
TOO_LARGE = "The JSON holds a number that is too large: send it as a string."
TOO_DEEP = "The JSON is nested deeper than 128 levels."
NO_QUERY = "query is missing, or not a string."


def _with(variables: bytes) -> bytes:
    return ASK + b', "variables": {"a": ' + variables + b"}}"


REFUSED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", 'The body is empty. Send a JSON object such as {"query": "{ viewer { name } }"}.'),
    "a space": (b" ", NOT_JSON),
    "null": (b"null", NOT_AN_OBJECT),
    "a number": (b"5", NOT_AN_OBJECT),
    "a string": (b'"x"', NOT_AN_OBJECT),
    "an empty batch": (b"[]", BATCH),
    "a batch": (b"[" + ASK + b"}]", BATCH),
    "half a body": (ASK, NOT_JSON),
    "two bodies": (ASK + b"}" + ASK + b"}", NOT_JSON),
    "a form": (b"query=%7B%7D", NOT_JSON),
    "broken UTF-8": (b'{"query": "\xff"}', NOT_UTF8),
    "an encoded surrogate": (b'{"query": "\xed\xa0\x80"}', NOT_UTF8),
    "a byte order mark": (b"\xef\xbb\xbf" + ASK + b"}", NOT_JSON),
    "UTF-16": ((ASK + b"}").decode().encode("utf-16"), NOT_UTF8),
    "UTF-16 without a mark": ((ASK + b"}").decode().encode("utf-16-le"), NOT_JSON),
    "a lone surrogate in the query": (b'{"query": "\\ud800"}', HALF),
    "a lone surrogate in a variable": (_with(b'["\\udc00"]'), HALF),
    "a lone surrogate in a key": (_with(b'{"\\ud800": 1}'), HALF),
    "the same key twice": (ASK + b', "query": "{ vendors { vendor } }"}', TWICE),
    "the same key twice in a variable": (_with(b'{"b": 1, "b": 2}'), TWICE),
    "NaN": (_with(b"NaN"), NOT_JSON),
    "Infinity": (_with(b"Infinity"), NOT_JSON),
    "minus Infinity": (_with(b"[-Infinity]"), NOT_JSON),
    "an infinite number": (_with(b"1e999"), TOO_LARGE),
    "a negative infinite number": (_with(b"-1E+400"), TOO_LARGE),
    "a fraction of 10,000 digits before the point": (_with(b"1" * 10_000 + b".5"), TOO_LARGE),
    "an integer of 21 digits": (_with(b"1" * 21), TOO_LONG),
    "a negative integer of 21 digits": (_with(b"-" + b"1" * 21), TOO_LONG),
    "an integer of 10,000 digits": (_with(b"1" * 10_000), TOO_LONG),
    "129 levels": (_with(b"[" * 127 + b"]" * 127), TOO_DEEP),
    "100,000 levels": (_with(b"[" * 100_000 + b"]" * 100_000), TOO_DEEP),
    "100,000 objects without an end": (b'{"a":' * 100_000, TOO_DEEP),
    "no query": (b'{"variables": {}}', NO_QUERY),
    "a query of null": (b'{"query": null}', NO_QUERY),
    "a query that is a number": (b'{"query": 1}', NO_QUERY),
    "a query that is a list": (b'{"query": ["{ viewer { name } }"]}', NO_QUERY),
    "variables that are a list": (ASK + b', "variables": []}', "variables must be a JSON object or null."),
    "variables that are a string": (ASK + b', "variables": "{}"}', "variables must be a JSON object or null."),
    "extensions that are a number": (ASK + b', "extensions": 0}', "extensions must be a JSON object or null."),
    "an operationName that is a number": (ASK + b', "operationName": 5}', "operationName must be a string or null."),
    "an operationName that is false": (ASK + b', "operationName": false}', "operationName must be a string or null."),
}

TAKEN: dict[str, tuple[bytes, Any]] = {
    "an integer of 20 digits": (b"-" + b"9" * 20, -(10**20 - 1)),
    "a fraction of 30 digits": (b"0.123456789012345678901234567890", 0.12345678901234568),
    "25 digits before the point": (b"1" * 25 + b".0", float("1" * 25)),
    "a number that is almost infinite": (b"1.7976931348623157e308", 1.7976931348623157e308),
    "a number that is almost nothing": (b"1e-400", 0.0),
    "30 digits in a string": (b'"' + b"1" * 30 + b'"', "1" * 30),
    "30 digits in a key": (b'{"' + b"1" * 30 + b'": 1}', {"1" * 30: 1}),
    "brackets in a string": (b'"' + b"[" * 300 + b'"', "[" * 300),
    "brackets after an escaped quote": (b'"\\\\\\"' + b"{" * 300 + b'"', '\\"' + "{" * 300),
    "a whole surrogate pair": (b'"\\ud83d\\ude00"', "😀"),
    "many short lists": (b"[" + b"[]," * 200 + b"[]]", [[]] * 201),
}

ENDLESS: dict[str, bytes] = {
    "a string of escaped quotes": b'{"a": "' + b'\\"' * 1_000_000,
    "a string of quotes": b'"' * 2_000_000,
    "a string of escapes that ends in half of one": b'{"a": "' + b'\\"' * 900_000 + b"\\",
    "an integer of two million digits": b"1" * 2_000_000,
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_is_no_request_is_refused_with_the_reason(served: Gateway, name: str) -> None:
    """As 400, in GraphQL's error form."""
    body, message = REFUSED[name]
    response = await served.http.post(
        "/graphql",
        content=body,
        headers={"authorization": f"Bearer {SANDBOX_KEY}", "content-type": "application/json"},
    )
    expected = {"errors": [{"message": message, "extensions": {"code": "BAD_REQUEST"}}]}
    assert (response.status_code, response.json()) == (400, expected)
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert served.upstream == []


@pytest.mark.parametrize("name", TAKEN)
async def test_what_only_looks_too_large_is_taken(name: str) -> None:
    """Digits of a fraction or within a string are no integer, and brackets within a string no nesting."""
    body, value = TAKEN[name]
    assert parse_request(_with(body)).variables == {"a": value}


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_hostile_body_is_read_once(name: str) -> None:
    """A scan that began again at each quote would take hours for these."""
    with pytest.raises(BadRequest):
        parse_request(ENDLESS[name])


async def test_a_body_larger_than_the_limit_is_refused(served: Gateway) -> None:
    """As 413; one of just the limit is read."""
    headers = {"authorization": f"Bearer {SANDBOX_KEY}", "content-type": "application/json; charset=utf-8"}
    padding = b" " * (LARGEST_BODY - len(ASK) - 1)
    taken = await served.http.post("/graphql", content=ASK + padding + b"}", headers=headers)
    assert (taken.status_code, taken.json()) == (200, {"data": {"viewer": {"name": "Sandbox"}}})
    for extra in (1, 1024 * 1024):
        refused = await served.http.post("/graphql", content=ASK + padding + b" " * extra + b"}", headers=headers)
        assert refused.status_code == 413
        assert refused.json() == {
            "errors": [
                {
                    "message": f"The body is larger than {LARGEST_BODY} bytes.",
                    "extensions": {"code": "PAYLOAD_TOO_LARGE"},
                }
            ]
        }


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/graphql",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ],
)
async def test_only_json_is_taken(served: Gateway, media_type: str | None) -> None:
    """Anything that a browser would send for another site without asking is 415."""
    headers = {"authorization": f"Bearer {SANDBOX_KEY}"} | ({} if media_type is None else {"content-type": media_type})
    response = await served.http.post("/graphql", content=ASK + b"}", headers=headers)
    message = "Send the request as JSON, with content-type: application/json."
    assert response.status_code == 415
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "UNSUPPORTED_MEDIA_TYPE"}}]}


async def test_nulls_stand_for_what_is_left_out(served: Gateway) -> None:
    """As GraphQL over HTTP asks of every parameter but the query."""
    body = {"query": "{ viewer { name } }", "operationName": None, "variables": None, "extensions": None, "other": 1}
    headers = {"authorization": f"Bearer {SANDBOX_KEY}", "content-type": "APPLICATION/JSON"}
    response = await served.http.post("/graphql", content=json.dumps(body), headers=headers)
    assert (response.status_code, response.json()) == (200, {"data": {"viewer": {"name": "Sandbox"}}})
