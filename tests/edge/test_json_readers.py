"""The fast reader of JSON and the careful one agree on every body: on what it means, and on whether it means anything."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.answers import encode
from app.bad_request import BadRequest
from app.body import parse_carefully, parse_json

FRAGMENTS = [b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b'"a":', b'{"a":1,"a":2}', b"1" * 19, b"1" * 25, b"-0", b"1e400", b"1.5", b"NaN", b"null", b"\\u0041", b"\\ud800", b"\xff", b"\xc3\xa9", b"\x00", b" ", b"\t"]  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text('ab:\\"{}[]é', max_size=4), inner), max_leaves=10
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
@settings(max_examples=60, deadline=None)
def test_what_is_json_is_read_as_it_was_written(value: Any, ascii: bool, indent: int | None) -> None:
    """In either spelling of its characters, with spaces and without."""
    body = json.dumps(value, ensure_ascii=ascii, indent=indent).encode()
    assert _outcome(parse_json, body) == _outcome(parse_carefully, body)
    assert _outcome(parse_carefully, body) in {repr(value), "refused"}


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12).map(b"".join))
@settings(max_examples=500, deadline=None)
def test_what_may_be_json_or_not_is_judged_alike(body: bytes) -> None:
    """Bodies made of what JSON is made of."""
    assert _outcome(parse_json, body) == _outcome(parse_carefully, body)


@given(VALUES, st.integers(0, 400), st.sampled_from(FRAGMENTS))
@settings(max_examples=100, deadline=None)
def test_what_was_json_before_something_was_put_into_it_is_judged_alike(value: Any, place: int, put: bytes) -> None:
    """Near misses."""
    body = json.dumps(value, ensure_ascii=False).encode()
    broken = body[:place] + put + body[place:]
    assert _outcome(parse_json, broken) == _outcome(parse_carefully, broken)


@given(VALUES)
@settings(max_examples=60, deadline=None)
def test_what_is_answered_is_read_back_as_it_was(value: Any) -> None:
    """By a reader that is not ours."""
    assert json.loads(encode(value)) == value


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (2**64, b"18446744073709551616"),
        (-(2**70), b"-1180591620717411303424"),
        (math.nan, b"null"),
        ([math.inf, -math.inf, 1.5], b"[null,null,1.5]"),
        ({"a": [2**70, math.nan]}, b'{"a":[1180591620717411303424,null]}'),
        ("\ud800", b'"\\ud800"'),
        ("é\u2028😀", '"é\u2028😀"'.encode()),
    ],
)
def test_what_json_has_no_form_for_is_answered_all_the_same(value: Any, written: bytes) -> None:
    """As null, as an escape, or as the number that it is."""
    assert encode(value) == written


def _outcome(read: Any, body: bytes) -> str:
    try:
        return repr(read(body))
    except BadRequest:
        return "refused"
