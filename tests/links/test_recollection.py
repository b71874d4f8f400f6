"""What memory answered lately is at hand, until something may have changed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from app.links.circle import Circle
from app.links.identifiers import Identifier, IdentifierKind
from app.links.recollection import LONGEST, MOST_CARRIED, MOST_DROPPED, RECORD_BYTES, Lease, Recollection, Shelf
from app.links.record import MOST_SHARERS, Key, Lookup, Record, merged
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


@pytest.mark.parametrize("is_gone", [False, True], ids=["changed", "gone"])
def test_who_carries_an_identifier_is_not_at_hand_once_one_of_them_changes(is_gone: bool) -> None:
    """Nor once one is gone, also where the record itself was never at hand; of others it stays."""
    at_hand = Recollection()
    at_hand.keep(at_hand.carriers, {ADA: [PERSON, CONTACT], PHONE: [PERSON]}, at_hand.now)
    if is_gone:
        at_hand.drop([CONTACT])
    else:
        at_hand.expect(_contact(("email", "ada@y.example")))
    assert at_hand.carriers.find([ADA, PHONE]) == ({PHONE: [PERSON]}, [ADA])


def test_who_carries_an_identifier_is_not_kept_if_one_of_them_changed_meanwhile() -> None:
    """The reading may have found it under an identifier that it has no longer."""
    at_hand = Recollection()
    began = at_hand.now
    at_hand.expect(_contact(("email", "ada@y.example")))
    at_hand.keep(at_hand.carriers, {ADA: [PERSON, CONTACT], PHONE: [PERSON]}, began)
    assert at_hand.carriers.find([ADA, PHONE]) == ({PHONE: [PERSON]}, [ADA])


def test_of_however_many_records_none_is_at_hand_under_what_it_had() -> None:
    """Also when there are more than it is kept of what they are at hand for."""
    at_hand = Recollection(Clock())
    keys = [Key(Vendor.BIRD, "contact", str(number)) for number in range(MOST_CARRIED + 2)]
    carried = {Identifier(IdentifierKind.CLIENT, key.id): [key] for key in keys}
    for each, carriers in carried.items():
        at_hand.keep(at_hand.carriers, {each: carriers}, at_hand.now)
    at_hand.drop(keys)
    assert at_hand.carriers.find(carried) == ({}, list(carried))


def test_what_a_vendor_has_just_said_is_not_replaced_by_what_memory_was_asked_before() -> None:
    """The reading that began before it found nothing yet, or what was said the last time; of other questions it is kept."""
    at_hand = Recollection()
    began, old = at_hand.now, Lookup(1, is_known=False)
    at_hand.note_lookups(Vendor.BIRD, {ADA: True, PHONE: True})
    questions = [(Vendor.BIRD, ADA), (Vendor.BIRD, PHONE), (Vendor.ARTU, ADA)]
    at_hand.keep(at_hand.lookups, dict(zip(questions, (None, old, old), strict=True)), began)
    found, _ = at_hand.lookups.find(questions)
    assert [found[each].is_known for each in questions] == [True, True, False]


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
    long = {"payload": ["x" * (RECORD_BYTES // 7)]}
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
    """The same again is not, and less of the same is not once it was stored; another name, identifier or relation is."""
    at_hand = Recollection()
    seen, less = _contact(("email", "ada@example.com")), Record(Vendor.BIRD, "contact", "c-1")
    assert at_hand.is_news(seen)
    at_hand.note_stored([seen], seen, at_hand.now)
    assert not at_hand.is_news(seen)
    at_hand.note_stored([less], seen, at_hand.now)
    assert not at_hand.is_news(less)
    assert not at_hand.is_news(seen)
    assert at_hand.is_news(_contact(("phone", "+31612345678")))
    assert at_hand.is_news(Record(Vendor.BIRD, "contact", "c-1", {"displayName": "Ada B."}))
    assert at_hand.is_news(Record(Vendor.BIRD, "contact", "c-1", relations=(("list", "list", "l-1"),)))


def test_a_record_that_is_all_that_is_known_need_not_be_looked_up() -> None:
    """Not after it is about to change, not once another process may have changed it, and not if more of it is known."""
    clock = Clock()
    at_hand = Recollection(clock)
    seen = Record(*CONTACT, {"displayName": "Ada", "age": None}, (("email", "ada@example.com"),))
    at_hand.note_stored([seen], merged(None, [seen]), at_hand.now)
    assert at_hand.is_all(seen)
    clock.seconds = LONGEST + 0.001
    assert not at_hand.is_all(seen)
    at_hand.lease.renew(clock.seconds)
    assert at_hand.is_all(seen)
    at_hand.expect(seen)
    assert not at_hand.is_all(seen)
    for more in ({"age": 36}, {"displayName": "Ada"}):
        known = merged(Record(*CONTACT, more, (("phone", "+31612345678"),)), [seen])
        at_hand.note_stored([seen], known, at_hand.now)
        assert not at_hand.is_all(seen)


def test_what_was_stored_before_a_change_is_not_at_hand() -> None:
    """What is noted late of a record that is about to change, or of any after all was dropped, is old."""
    at_hand = Recollection()
    seen, began = _contact(), at_hand.now
    at_hand.expect(seen)
    at_hand.note_stored([seen], seen, began)
    assert at_hand.is_news(seen)
    began = at_hand.now
    at_hand.clear()
    at_hand.note_stored([seen], seen, began)
    assert at_hand.is_news(seen)


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
    assert at_hand.page(Vendor.BIRD, "contact", "first ten") is None
    at_hand.keep_page(Vendor.BIRD, "contact", "first ten", page, at_hand.now)
    at_hand.expect(Record(Vendor.REEVO, "contact", "c-3"))
    assert at_hand.page(Vendor.BIRD, "contact", "first ten") == page
    at_hand.expect(_contact())
    assert at_hand.page(Vendor.BIRD, "contact", "first ten") is None


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


def test_a_circle_is_followed_anew_when_one_of_those_who_shared_too_much_is_gone() -> None:
    """An identifier of too many links nothing, and links again with one less of them, who was none of the circle."""
    at_hand = Recollection()
    start = Circle(frozenset({CONTACT}))
    sharers = [Key(Vendor.BIRD, "contact", f"c-{number}") for number in range(1, MOST_SHARERS + 2)]
    at_hand.keep(at_hand.identifiers, {each: [ADA] for each in sharers}, at_hand.now)
    at_hand.keep(at_hand.carriers, {ADA: sharers}, at_hand.now)
    assert at_hand.circle(start) == Circle(frozenset({CONTACT}), frozenset({ADA}))
    at_hand.drop(sharers[-1:])
    at_hand.keep(at_hand.carriers, {ADA: sharers[:-1]}, at_hand.now)
    assert at_hand.circle(start) == Circle(frozenset(sharers[:-1]), frozenset({ADA}))


def test_a_circle_stays_at_hand_while_others_change() -> None:
    """However many: also where what it was followed by has made room."""
    at_hand = Recollection()
    start, circle = Circle(frozenset({CONTACT})), Circle(frozenset({CONTACT, PERSON}), frozenset({ADA}))
    at_hand.keep_circle(start, circle, at_hand.now)
    at_hand.expect(Record(Vendor.BIRD, "contact", "c-2", identifiers=(("phone", "+31612345678"),)))
    assert at_hand.circle(start) == circle
    at_hand.expect(Record(Vendor.BIRD, "contact", "c-3", identifiers=(("email", "ada@example.com"),)))
    assert at_hand.circle(start) is None
    late, began = Circle(frozenset({PERSON})), at_hand.now
    at_hand.expect(Record(*PERSON))
    at_hand.keep_circle(late, circle, began)
    assert at_hand.circle(late) is None


def test_all_who_carry_an_identifier_are_known_until_another_does() -> None:
    """Or until one of them may not any more; and what was read before that comes too late."""
    at_hand = Recollection()
    client = Identifier(IdentifierKind.CLIENT, "k-1")
    first, second = (Key(Vendor.ARTU, "contact_method", own_id) for own_id in ("m-1", "m-2"))
    at_hand.note_all(client, [second, first], at_hand.now)
    assert (at_hand.are_all(client, [first, second]), at_hand.are_all(client, [first])) == (True, False)
    began = at_hand.now
    at_hand.expect(Record(Vendor.ARTU, "contact_method", "m-3", identifiers=(("client", "k-1"),)))
    assert not at_hand.are_all(client, [first, second])
    at_hand.note_all(client, [second, first], began)
    assert not at_hand.are_all(client, [first, second])
