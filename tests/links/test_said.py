"""What records said when they were stored is kept of very many, as marks."""

from __future__ import annotations

from app.links.record import Key, Record
from app.links.said import Said
from schema.vendor import Vendor

CONTACT = Record(Vendor.BIRD, "contact", "c-1", {"displayName": "Ada", "age": 36}, (("email", "ada@example.com"),))


def test_a_record_is_known_by_all_that_it_says() -> None:
    """Whatever it says otherwise, it is another mark; the order of relations says nothing."""
    said = Said()
    relations = (("list", "list", "l-1"), ("list", "list", "l-2"))
    said.note(Record(*_key("c-1"), {"n": 1}, (("email", "a@b.example"),), relations), is_all=True)
    assert said.has(Record(*_key("c-1"), {"n": 1}, (("email", "a@b.example"),), relations[::-1]))
    others = [
        Record(*_key("c-1"), {"n": 2}, (("email", "a@b.example"),), relations),
        Record(*_key("c-1"), {"n": 1}, (), relations),
        Record(*_key("c-1"), {"n": 1}, (("email", "a@b.example"),), relations[:1]),
        Record(*_key("c-1"), {"n": 1}, (("email", "a@b.example"),), relations, is_whole=True),
        Record(*_key("c-2"), {"n": 1}, (("email", "a@b.example"),), relations),
    ]
    assert [said.has(each) for each in others] == [False] * len(others)


def test_what_json_has_no_form_for_has_a_mark_too() -> None:
    """A vendor's answer may hold any number and any half of a character."""
    said = Said()
    odd = [Record(*_key("c-1"), {"n": value}) for value in (2**70, float("nan"), "\ud800", {"\udfff": 1})]
    for each in odd:
        said.note(each, is_all=True)
        assert [said.has(other) for other in odd] == [other is each for other in odd]


def test_the_last_thing_stored_is_known_and_whether_it_is_all() -> None:
    """Until it is dropped."""
    said = Said()
    older = Record(*_key("c-1"), {"displayName": "Ada L."})
    assert (said.has(CONTACT), said.has_all(CONTACT)) == (False, False)
    said.note(older, is_all=True)
    said.note(CONTACT, is_all=False)
    assert (said.has(CONTACT), said.has_all(CONTACT), said.has(older)) == (True, False, False)
    said.note(CONTACT, is_all=True)
    assert said.has_all(CONTACT)
    said.drop(CONTACT.key)
    assert not said.has(CONTACT)
    said.note(CONTACT, is_all=True)
    said.clear()
    assert not said.has(CONTACT)


def test_who_finds_no_place_takes_another_s() -> None:
    """Of too many most are known, each of them rightly; of none that was dropped anything is."""
    said = Said(buckets=16)  # 128 places
    records = [Record(*_key(str(number)), {"n": number}) for number in range(1_000)]
    for each in records:
        said.note(each, is_all=False)
    known = [each for each in records if said.has(each)]
    assert len(known) == 128
    assert records[-1] in known
    for each in known[:64]:
        said.drop(each.key)
    assert [each for each in records if said.has(each)] == known[64:]


def _key(own_id: str) -> Key:
    return Key(Vendor.BIRD, "contact", own_id)
