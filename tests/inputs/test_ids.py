"""The IDs of this API, whatever text they are made of or taken for."""

from __future__ import annotations

import base64
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema import ids
from schema.ids import Kind, RecordId, WrongId, decode, encode, foreign_id, own_id

TWO_PARTS = (Kind.PERSON_LOG, Kind.PROSPECT_LOG)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100).filter(
    lambda part: part not in {".", ".."}
)
RECORDS = st.sampled_from(Kind).flatmap(
    lambda kind: st.tuples(st.just(kind), st.tuples(TEXT, TEXT) if kind in TWO_PARTS else st.tuples(TEXT))
)
CODES = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=26, max_size=26)


@given(RECORDS)
def test_an_id_decodes_to_what_it_was_made_of(record: tuple[Kind, tuple[str, ...]]) -> None:
    """Whatever a vendor's own ID looks like."""
    kind, parts = record
    assert decode(encode(kind, *parts)) == RecordId(kind, parts)


@given(RECORDS, RECORDS)
def test_two_records_never_share_an_id(one: tuple[Kind, tuple[str, ...]], two: tuple[Kind, tuple[str, ...]]) -> None:
    """Not even where their parts hold the separators."""
    assert (encode(one[0], *one[1]) == encode(two[0], *two[1])) == (one == two)


@given(st.text())
def test_any_text_is_an_id_or_none(value: str) -> None:
    """Decoding never fails; what decodes is the one spelling of its ID."""
    record = decode(value)
    assert record is None or encode(record.kind, *record.parts) == value


@given(st.text().map(lambda text: base64.urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).decode()))
def test_any_base64_is_an_id_or_none(value: str) -> None:
    """The same for text that gets past the first step."""
    record = decode(value)
    assert record is None or encode(record.kind, *record.parts) == value


@given(st.uuids().map(str) | CODES.map("prospect_".__add__) | CODES.map("accountlog_".__add__))
def test_a_vendors_own_id_is_never_taken_for_one_of_ours(value: str) -> None:
    """So that every input can take both."""
    assert decode(value) is None


@pytest.mark.parametrize(
    "text",
    ["Contact", "Contact:", "Contact:a:b", "PersonLog:a", "PersonLog:a:", "contact:a", "Receipts:a", "Receipt:a:b", "Contact:%C3",
     "Contact:a b", "Contact:%61", "Contact:.", "Contact:..", "PersonLog:..:a", "PersonLog:a:."],
)  # fmt: skip
def test_a_forged_id_is_none(text: str) -> None:
    """Unknown kinds, missing or extra parts, other spellings, and steps in a path."""
    assert decode(_encoded(text)) is None


def test_a_text_that_is_too_long_is_none_and_is_not_held_on_to() -> None:
    """By one character more than the longest ID, which is one."""
    own = "x" * (3 * ids.LONGEST // 4 - len("Contact:"))
    longest, longer = _encoded(f"Contact:{own}"), _encoded(f"Contact:{own}x")
    assert (len(longest), decode(longest)) == (ids.LONGEST, RecordId(Kind.CONTACT, (own,)))
    before = encode.cache_info()
    assert (decode(longer), encode.cache_info()) == (None, before)


@given(st.sampled_from(sorted(set(Kind) - set(TWO_PARTS))), st.uuids().map(str))
def test_an_input_takes_both_forms(kind: Kind, own: str) -> None:
    """The API's ID and the vendor's own, a UUID in any case."""
    assert own_id(kind, encode(kind, own)) == own_id(kind, own) == own
    if kind in (Kind.CONTACT, Kind.CONTACT_METHOD, Kind.ACTIVITY):
        assert own_id(kind, own.upper()) == own


@given(st.sampled_from(Kind), st.sampled_from(sorted(set(Kind) - set(TWO_PARTS))))
def test_a_wrong_kind_names_both_kinds(given_kind: Kind, expected: Kind) -> None:
    """What was expected, and what was given instead."""
    value = encode(given_kind, *(["x"] * (2 if given_kind in TWO_PARTS else 1)))
    if given_kind is expected:
        assert own_id(expected, value) == "x"
        return
    with pytest.raises(WrongId) as wrong:
        own_id(expected, value)
    message = f"Expected the ID of {expected.with_article}, was given the ID of {given_kind.with_article}."
    assert str(wrong.value) == message
    with pytest.raises(
        WrongId, match=f"^Expected the vendor's ID of a list, was given the ID of {given_kind.with_article}.$"
    ):
        foreign_id("a list", value, uuid=False)


@given(st.sampled_from(sorted(set(Kind) - set(TWO_PARTS))), st.text())
def test_any_text_is_taken_or_refused(kind: Kind, value: str) -> None:
    """Nothing but WrongId, whose message doesn't repeat the text, ever comes of it."""
    try:
        own = own_id(kind, value)
    except WrongId as wrong:
        assert str(wrong).startswith(f"Expected the ID of {kind.with_article} or ")  # noqa: PT017  # the other way is no error
    else:
        assert ids.OPAQUE.fullmatch(own)


def test_a_vendors_id_of_another_form_is_described() -> None:
    """By its looks, for it carries no kind."""
    for value, looks in (("prospect_1", "the vendor's ID of a Person or Prospect"), ("5", "something else")):
        with pytest.raises(
            WrongId, match=f"^Expected the ID of a Contact or a UUID of the vendor, was given {looks}.$"
        ):
            own_id(Kind.CONTACT, value)
        with pytest.raises(
            WrongId, match=f"^Expected the vendor's ID of a client, which is a UUID; was given {looks}.$"
        ):
            foreign_id("a client", value)
    assert foreign_id("a list", str(uuid.UUID(int=10)).upper(), uuid=False) == str(uuid.UUID(int=10)).upper()


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
