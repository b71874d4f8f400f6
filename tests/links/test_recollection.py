"""What memory answered lately is at hand, until something may have changed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.links.circle import Circle
from app.links.identifiers import Identifier, IdentifierKind
from app.links.recollection import LONGEST, MOST_BYTES, MOST_DROPPED, Lease, Recollection, Shelf
from app.links.record import Key, Record
from schema.vendor import Vendor

ADA = Identifier(IdentifierKind.EMAIL, "ada@example.com")
PHONE = Identifier(IdentifierKind.PHONE, "+31612345678")
CONTACT = Key(Vendor.BIRD, "contact", "c-1")
PERSON = Key(Vendor.ARCHITECT, "person", "p-1")


@dataclass
class Nodes:
    """A page."""

    nodes: Sequence[str]


class Clock:
    """Seconds, as the test has them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_an_answer_is_at_hand_for_a_second_after_no_other_process_had_changed_it() -> None:
    """Then one may have; once it is known that none has, it is at hand again."""
    clock = Clock()
    at_hand = Recollection(clock)
    at_hand.keep(at_hand.carriers, {ADA: [CONTACT]}, at_hand.now)
    clock.seconds = LONGEST
    assert at_hand.carriers.find([ADA, PHONE]) == ({ADA: [CONTACT]}, [PHONE])
    clock.seconds = LONGEST + 0.001
    assert at_hand.carriers.find([ADA]) == ({}, [ADA])
    at_hand.lease.renew(clock.seconds)
    assert at_hand.carriers.find([ADA]) == ({ADA: [CONTACT]}, [])


def test_that_there_is_nothing_is_an_answer_too() -> None:
    """It is at hand, and brings nothing."""
    at_hand = Recollection()
    at_hand.keep(at_hand.records, {CONTACT: None}, at_hand.now)
    assert at_hand.records.find([CONTACT]) == ({}, [])


def test_what_is_about_to_change_is_not_at_hand() -> None:
    """Neither the record, nor who carries its identifiers, those that it had and those that it will have."""
    at_hand = Recollection()
    before = _contact(("email", "ada@example.com"))
    at_hand.keep(at_hand.records, {CONTACT: before}, at_hand.now)
    at_hand.keep(at_hand.identifiers, {CONTACT: [ADA], PERSON: [ADA]}, at_hand.now)
    at_hand.keep(at_hand.carriers, {ADA: [CONTACT], PHONE: []}, at_hand.now)
    at_hand.expect(_contact(("phone", "+31612345678")))
    assert at_hand.records.find([CONTACT]) == ({}, [CONTACT])
    assert at_hand.identifiers.find([CONTACT, PERSON]) == ({PERSON: [ADA]}, [CONTACT])
    assert at_hand.carriers.find([ADA, PHONE]) == ({}, [ADA, PHONE])


def test_a_reading_that_began_before_a_change_comes_too_late() -> None:
    """What it brings of the record that changed is old; what it brings of others is not."""
    at_hand = Recollection()
    began = at_hand.now
    at_hand.expect(_contact())
    at_hand.keep(at_hand.identifiers, {CONTACT: [ADA], PERSON: [PHONE]}, began)
    assert at_hand.identifiers.find([CONTACT, PERSON]) == ({PERSON: [PHONE]}, [CONTACT])


def test_however_much_changes_no_late_reading_is_kept() -> None:
    """Also when there are more changes than are remembered one by one."""
    at_hand = Recollection()
    began = at_hand.now
    for number in range(MOST_DROPPED + 1):
        at_hand.expect(Record(Vendor.BIRD, "contact", str(number)))
    first = Key(Vendor.BIRD, "contact", "0")
    at_hand.keep(at_hand.identifiers, {first: [ADA]}, began)
    assert at_hand.identifiers.find([first]) == ({}, [first])


def test_the_oldest_answers_make_room() -> None:
    """There is never more of one kind than takes a fixed number of bytes, however large one answer is."""
    at_hand = Recollection(Clock())
    long = {"payload": ["x" * (MOST_BYTES // 7)]}
    records = {key: Record(*key, long) for key in (Key(Vendor.BIRD, "contact", str(number)) for number in range(4))}
    at_hand.keep(at_hand.records, records, at_hand.now)
    assert at_hand.records.find(records)[1] == list(records)[:2]


def test_what_is_dropped_or_replaced_takes_no_room() -> None:
    """Whatever came and went before, as much is kept as at first."""
    shelf: Shelf[str, str] = Shelf(Lease(Clock()), len, most_bytes=1_200)
    for text in ("a" * 200, "b" * 300):
        shelf.put({"one": text, "two": text})
        shelf.drop("two")
    shelf.put({"two": "c" * 300})
    assert shelf.find(["one", "two"])[1] == []
    shelf.clear()
    shelf.put({"one": "d" * 200, "two": "e" * 200, "three": None})
    assert shelf.find(["one", "two", "three"]) == ({"two": "e" * 200}, ["one"])


def test_what_is_stored_is_no_news_until_it_says_something_else() -> None:
    """The same again, or less of the same, is not; another name, identifier or relation is."""
    at_hand = Recollection()
    seen = _contact(("email", "ada@example.com"))
    assert at_hand.is_news(seen)
    at_hand.note_stored([seen], seen, at_hand.now)
    assert not at_hand.is_news(seen)
    assert not at_hand.is_news(Record(Vendor.BIRD, "contact", "c-1"))
    assert at_hand.is_news(_contact(("phone", "+31612345678")))
    assert at_hand.is_news(Record(Vendor.BIRD, "contact", "c-1", {"displayName": "Ada B."}))
    assert at_hand.is_news(Record(Vendor.BIRD, "contact", "c-1", relations=(("list", "list", "l-1"),)))


def test_a_circle_is_at_hand_only_whole() -> None:
    """From a record over an identifier to another record; with one step unknown there is no answer."""
    at_hand = Recollection()
    start = Circle(frozenset({CONTACT}))
    at_hand.keep(at_hand.identifiers, {CONTACT: [ADA]}, at_hand.now)
    at_hand.keep(at_hand.carriers, {ADA: [CONTACT, PERSON]}, at_hand.now)
    assert at_hand.circle(start) is None
    at_hand.keep(at_hand.identifiers, {PERSON: None}, at_hand.now)
    assert at_hand.circle(start) == Circle(frozenset({CONTACT, PERSON}), frozenset({ADA}))


def test_a_page_is_at_hand_until_a_record_of_its_kind_changes() -> None:
    """What others change leaves it there; and a page that was read before a change comes too late."""
    at_hand = Recollection()
    began, page = at_hand.now, Nodes(["c-1", "c-2"])
    at_hand.expect(Record(Vendor.BIRD, "contact", "c-2"))
    at_hand.keep_page(Vendor.BIRD, "contact", "first ten", Nodes(["c-1"]), began)
    assert at_hand.pages(Vendor.BIRD, "contact").get("first ten") is None
    at_hand.keep_page(Vendor.BIRD, "contact", "first ten", page, at_hand.now)
    at_hand.expect(Record(Vendor.REEVO, "contact", "c-3"))
    assert at_hand.pages(Vendor.BIRD, "contact").get("first ten") == page
    at_hand.expect(_contact())
    assert at_hand.pages(Vendor.BIRD, "contact").get("first ten") is None


def _contact(*identifiers: tuple[str, str]) -> Record:
    return Record(Vendor.BIRD, "contact", "c-1", {"displayName": "Ada"}, identifiers)


def test_a_circle_that_was_followed_is_followed_anew_when_anything_changed() -> None:
    """Who came in since belongs to it, and who left does not."""
    at_hand = Recollection()
    start = Circle(frozenset({CONTACT}))
    at_hand.keep(at_hand.identifiers, {CONTACT: [ADA], PERSON: [ADA]}, at_hand.now)
    at_hand.keep(at_hand.carriers, {ADA: [CONTACT]}, at_hand.now)
    assert at_hand.circle(start) == Circle(frozenset({CONTACT}), frozenset({ADA}))
    at_hand.expect(Record(Vendor.ARCHITECT, "person", "p-1", identifiers=(("email", "ada@example.com"),)))
    assert at_hand.circle(start) is None
    at_hand.keep(at_hand.identifiers, {PERSON: [ADA]}, at_hand.now)
    at_hand.keep(at_hand.carriers, {ADA: [CONTACT, PERSON]}, at_hand.now)
    assert at_hand.circle(start) == Circle(frozenset({CONTACT, PERSON}), frozenset({ADA}))
    at_hand.clear()
    assert at_hand.circle(start) is None


def test_what_was_made_of_an_answer_holds_until_a_record_of_its_kind_changes() -> None:
    """And for no longer than what is at hand may be given."""
    clock = Clock()
    at_hand = Recollection(clock)
    since = at_hand.now
    at_hand.expect(Record(Vendor.REEVO, "contact", "c-3"))
    assert at_hand.holds(Vendor.BIRD, "contact", since)
    clock.seconds = LONGEST + 0.001
    assert not at_hand.holds(Vendor.BIRD, "contact", since)
    at_hand.lease.renew(clock.seconds)
    assert at_hand.holds(Vendor.BIRD, "contact", since)
    at_hand.expect(_contact())
    assert not at_hand.holds(Vendor.BIRD, "contact", since)
    assert at_hand.holds(Vendor.BIRD, "contact", at_hand.now)
    at_hand.clear()
    assert not at_hand.holds(Vendor.BIRD, "contact", at_hand.now - 1)
