"""Requests that are wrong before any document is read: bodies, query strings, headers, methods and keys.

By class; each is a method, a target, headers and a body. Where headers are None, a good key and JSON are sent.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass

from app.security.keys import SANDBOX_KEY
from tests.canaries.keys import wrong_key

ASK = '{"query": "{ viewer { name } }"'
WHOLE = (ASK + "}").encode()
JSON = ("content-type", "application/json")
KEY = ("authorization", f"Bearer {SANDBOX_KEY}")
WRONG = wrong_key()
Headers = tuple[tuple[str, str | bytes], ...]


@dataclass(frozen=True)
class Attack:
    """One HTTP request."""

    body: bytes = WHOLE
    headers: Headers = (KEY, JSON)
    method: str = "POST"
    target: str = "/graphql"


def _in(variables: str) -> bytes:
    return f'{ASK}, "variables": {{"a": {variables}}}}}'.encode()


_NOT_JSON: list[bytes] = [
    b"",
    b" ",
    b"\n",
    b"\x00",
    b"{",
    b"}",
    b"[",
    b"nonsense",
    b"undefined",
    b"query=%7Bviewer%7Bname%7D%7D",
    b"{ viewer { name } }",
    b"{'query': '{ viewer { name } }'}",
    b'{query: "{ viewer { name } }"}',
    WHOLE[:-1],
    WHOLE + b"}",
    WHOLE + WHOLE,
    WHOLE + b"\x00",
    WHOLE[:-1] + b",}",
    b"// a comment\n" + WHOLE,
    b"\xef\xbb\xbf" + WHOLE,
    WHOLE.decode().encode("utf-16"),
    WHOLE.decode().encode("utf-16-be"),
    WHOLE.decode().encode("utf-32"),
    b"\xff\xfe\xfd",
    WHOLE.replace(b"viewer", b"vi\xffewer"),
    WHOLE.replace(b"viewer", b"\xc0\xaf"),
    WHOLE.replace(b"viewer", b"\xed\xa0\x80"),
    WHOLE.replace(b"viewer", b"a\nb"),
    WHOLE.replace(b"viewer", b"a\x01b"),
    WHOLE.replace(b"viewer", b"\\x41"),
    WHOLE.replace(b"viewer", b"\\u12"),
    gzip.compress(WHOLE),
    b"<?xml version='1.0'?><query/>",
    b"--x\r\ncontent-disposition: form-data; name=query\r\n\r\n{viewer{name}}\r\n--x--",
    b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    b'{"query": "' + b'\\"' * 500_000,
    b'"' * 500_000,
]

_NO_REQUEST: list[bytes] = [
    b"null",
    b"true",
    b"5",
    b"-1.5e3",
    b'"x"',
    b'"{ viewer { name } }"',
    b"{}",
    b"[]",
    b"[{}]",
    b"[" + WHOLE + b"]",
    b"[" + WHOLE + b"," + WHOLE + b"]",
    b"[" + b",".join([WHOLE] * 1000) + b"]",
    b"[[" + WHOLE + b"]]",
    b'{"mutation": "{ viewer { name } }"}',
    b'{"Query": "{ viewer { name } }"}',
    b'{"query": null}',
    b'{"query": 5}',
    b'{"query": true}',
    b'{"query": {}}',
    b'{"query": ["{ viewer { name } }"]}',
    b'{"query": {"$ne": null}}',
    (ASK + ', "variables": []}').encode(),
    (ASK + ', "variables": "{}"}').encode(),
    (ASK + ', "variables": 5}').encode(),
    (ASK + ', "variables": false}').encode(),
    (ASK + ', "operationName": 5}').encode(),
    (ASK + ', "operationName": []}').encode(),
    (ASK + ', "operationName": {}}').encode(),
    (ASK + ', "operationName": "Nobody"}').encode(),
    (ASK + ', "operationName": ""}').encode(),
    (ASK + ', "extensions": []}').encode(),
    (ASK + ', "extensions": "x"}').encode(),
    (ASK + ', "extensions": 0}').encode(),
]

_TWO_MEANINGS: list[bytes] = [
    (ASK + ', "query": "{ vendors { vendor } }"}').encode(),
    (ASK + ', "quer\\u0079": "{ vendors { vendor } }"}').encode(),
    (ASK + ', "variables": {}, "variables": {"a": 1}}').encode(),
    _in('{"b": 1, "b": 2}'),
    _in('[{"b": {"c": 1, "c": 1}}]'),
    _in('{"": 1, "": 2}'),
    _in('{"é": 1, "\\u00e9": 2}'),
    _in("NaN"),
    _in("Infinity"),
    _in("-Infinity"),
    _in("1e999"),
    _in("-1e400"),
    _in("1" * 400 + ".5"),
    _in("1" * 21),
    _in("-" + "9" * 21),
    _in("1" * 5_000),
    _in("[" + "9" * 1_000_000 + "]"),
    _in("01"),
    _in("+1"),
    _in("1."),
    _in(".5"),
    _in("0x10"),
    _in("1_000"),
    _in('"\\ud800"'),
    _in('{"\\udfff": 1}'),
    _in('"\\ud83d\\ud83d"'),
    _in("True"),
    _in("None"),
]

_TOO_MUCH: list[bytes] = [
    _in("[" * 127 + "]" * 127),
    _in('{"a":' * 127 + "1" + "}" * 127),
    _in("[" * 100_000 + "]" * 100_000),
    b"[" * 1_000_000,
    b'{"a":' * 200_000,
    b"[{" * 500_000,
    WHOLE + b" " * (2 * 1024 * 1024),
    b'{"query": "' + b"x" * (2 * 1024 * 1024) + b'"}',
    b"\x00" * (3 * 1024 * 1024),
]

_QUERY_STRINGS: list[str] = [
    "",
    "?",
    "?query=",
    "?query",
    "?Query=%7Bviewer%7Bname%7D%7D",
    "?query=%7Bviewer%7Bname%7D",
    "?query=%7Bviewer%7Bname%7D%7D&query=%7Bviewer%7Bname%7D%7D",
    "?query=%7Bviewer%7Bname%7D%7D&variables=%7B",
    "?query=%7Bviewer%7Bname%7D%7D&variables=5",
    "?query=%7Bviewer%7Bname%7D%7D&variables=%5B%5D",
    "?query=%7Bviewer%7Bname%7D%7D&variables=%7B%22a%22:1,%22a%22:2%7D",
    "?query=%7Bviewer%7Bname%7D%7D&variables=" + "%5B" * 200,
    "?query=%7Bviewer%7Bname%7D%7D&extensions=true",
    "?query=%7Bviewer%7Bname%7D%7D&operationName=null",
    "?query=%FF%FE",
    "?query=%00",
    "?query[]=%7Bviewer%7Bname%7D%7D",
    "?" + "&".join(f"a{n}=b" for n in range(100)),
    "?query=mutation%7BcreateContact(input:%7BdisplayName:%22x%22%7D)%7Berrors%7Bcode%7D%7D%7D",
    "?query=subscription%7Bx%7D",
    "?query=%7Bviewer%7Bname%7D%7D%20mutation%20M%7B__typename%7D&operationName=M",
]

_KEYS: list[Headers] = [
    (),
    (("authorization", ""),),
    (("authorization", "Bearer"),),
    (("authorization", "Bearer "),),
    (("authorization", SANDBOX_KEY),),
    (("authorization", f"Basic {SANDBOX_KEY}"),),
    (("authorization", "Bearer null"),),
    (("authorization", "Bearer undefined"),),
    (("authorization", "Bearer sk_test_"),),
    (("authorization", f"Bearer {SANDBOX_KEY[:-1]}"),),
    (("authorization", f"Bearer {SANDBOX_KEY}x"),),
    (("authorization", f"Bearer {SANDBOX_KEY.upper()}"),),
    (("authorization", f"Bearer {WRONG}"),),
    (("authorization", f"Bearer {WRONG}".replace("test", "live")),),
    (("authorization", f"Bearer {WRONG}' OR '1'='1"),),
    (("authorization", "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiIsInNjb3BlIjoiKiJ9."),),
    (("authorization", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZG1pbiJ9.c2lnbmF0dXJl"),),
    (("authorization", b"Bearer \xff\xfe"),),
    (("authorization", f"Bearer {'x' * 60_000}"),),
    (("x-api-key", ""),),
    (("x-api-key", "*"),),
    (("x-api-key", f"Bearer {SANDBOX_KEY}"),),
    (("x-api-key", f"{SANDBOX_KEY},{SANDBOX_KEY}"),),
    (("api-key", SANDBOX_KEY),),
    (("cookie", f"key={SANDBOX_KEY}"),),
    (("proxy-authorization", f"Bearer {SANDBOX_KEY}"),),
    (("x-forwarded-user", "admin"),),
]

_HEADS: list[Headers] = [
    (KEY,),
    (KEY, ("content-type", "")),
    (KEY, ("content-type", "text/plain")),
    (KEY, ("content-type", "text/plain; application/json")),
    (KEY, ("content-type", "application/x-www-form-urlencoded")),
    (KEY, ("content-type", "multipart/form-data; boundary=x")),
    (KEY, ("content-type", "application/graphql")),
    (KEY, ("content-type", "application/graphql-response+json")),
    (KEY, ("content-type", "application/xml")),
    (KEY, ("content-type", "application/jsonx")),
    (KEY, ("content-type", "application/json; charset=utf-7")),
    (KEY, ("content-type", "application/json; charset=utf-16")),
    (KEY, ("content-type", "application/json, text/plain")),
    (KEY, JSON, ("content-encoding", "gzip")),
    (KEY, JSON, ("content-encoding", "br")),
    (KEY, JSON, ("content-encoding", "identity, gzip")),
    (KEY, JSON, ("accept", "text/html")),
    (KEY, JSON, ("accept", "image/*")),
    (KEY, JSON, ("accept", "application/json;q=0")),
    (KEY, JSON, ("accept", "application/json; charset=utf-16")),
    (KEY, JSON, ("accept", ";;;")),
    (KEY, KEY, JSON),
    (KEY, JSON, JSON),
    (KEY, JSON, ("x-api-key", "a"), ("x-api-key", "b")),
    (KEY, JSON, ("content-encoding", "identity"), ("content-encoding", "gzip")),
    (KEY, JSON, ("idempotency-key", "a"), ("idempotency-key", "b")),
    (KEY, JSON, ("host", "a"), ("host", "b")),
    (KEY, JSON, ("x-request-timeout-ms", "soon")),
    (KEY, JSON, ("x-request-timeout-ms", "-1")),
    (KEY, JSON, ("x-request-timeout-ms", "1e3")),
]

_PLACES: list[tuple[str, str]] = [
    ("PUT", "/graphql"),
    ("DELETE", "/graphql"),
    ("PATCH", "/graphql"),
    ("TRACE", "/graphql"),
    ("CONNECT", "/graphql"),
    ("PROPFIND", "/graphql"),
    ("TRACK", "/graphql"),
    ("QUERY", "/graphql"),
    ("HACK", "/graphql"),
    ("POST", "/graphql/"),
    ("POST", "/GraphQL"),
    ("POST", "/graphql/../admin"),
    ("POST", "//graphql"),
    ("POST", "/graphiql"),
    ("POST", "/v1/graphql"),
    ("POST", "/api/graphql"),
    ("POST", "/%67raphql%00"),
    ("POST", "/.env"),
    ("POST", "/.git/config"),
    ("POST", "/actuator/env"),
    ("POST", "/wp-login.php"),
    ("POST", "/livez"),
    ("POST", "/readyz"),
    ("DELETE", "/"),
]

REQUESTS: dict[str, list[Attack]] = {
    "bodies that are not JSON": [Attack(body) for body in _NOT_JSON],
    "JSON that is no request": [Attack(body) for body in _NO_REQUEST],
    "JSON that means two things, or nothing": [Attack(body) for body in _TWO_MEANINGS],
    "bodies that are too much": [Attack(body) for body in _TOO_MUCH],
    "query strings": [Attack(b"", (KEY,), "GET", f"/graphql{query}") for query in _QUERY_STRINGS],
    "keys": [Attack(headers=(*headers, JSON)) for headers in _KEYS],
    "heads": [Attack(headers=headers) for headers in _HEADS],
    "methods and places": [Attack(WHOLE, (KEY, JSON), method, target) for method, target in _PLACES],
}
