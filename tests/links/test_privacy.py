"""What is remembered of one human being can be shown, and forgotten so that nothing of it is left."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Table, func, select

from app.database import lookups, record_identifiers, record_relations
from app.database import records as all_records
from app.links import privacy
from app.links.circle import Circle
from app.links.identifiers import Identifier, email_of
from app.links.record import Key, Record
from app.links.records import Records
from schema.ids import Kind, encode
from schema.vendor import Environment, Vendor
from tests.links.finders import at, keys, record
from tests.remembering import keep

EMAIL, PHONE, DESK = "ada@x.example", "+31612345678", "+31201234567"
CLIENT = "11111111-2222-4333-8444-555555555555"

PERSON = Record(Vendor.ARCHITECT, "person", "p1", {"name": "Ada"}, (("email", "Ada@X.example"),))
LOG = Record(Vendor.ARCHITECT, "person_log", "l1", {"party": "p1"}, relations=(("person", "person", "p1"),))
METHODS = [record(Vendor.ARTU, f"m{n}", value, f"client:{CLIENT}") for n, value in enumerate((EMAIL, PHONE))]
CONTACT = record(Vendor.REEVO, "r1", PHONE, DESK)
MEETING = Record(Vendor.REEVO, "activity", "a1", {"subject": "Met"}, relations=(("contact", "contact", "r1"),))
ADA = [PERSON, LOG, *METHODS, CONTACT, MEETING]

OTHERS = [
    *(record(Vendor.REEVO, f"o{n:02}", DESK) for n in range(21)),
    record(Vendor.BIRD, "b9", "bob@x.example"),
    Record(Vendor.REEVO, "activity", "a9", relations=(("contact", "contact", "o01"),)),
    Record(Vendor.ARCHITECT, "person_log", "l9", relations=(("person", "person", "p9"),)),
]


@pytest.fixture
async def held(records: Records) -> Records:
    """A memory that knows Ada in both environments, and others."""
    records.note_lookups(Vendor.BIRD, {_email(EMAIL): False, _email("bob@x.example"): True})
    await keep(records, *ADA, *OTHERS)
    await keep(Records(records.memory, Environment.LIVE), PERSON)
    return records


@pytest.mark.parametrize(
    "given", ["ADA@x.example", "+31 6 12345678", encode(Kind.PROSPECT, "p1"), "p1", "r1", "m0", CLIENT, CLIENT.upper()]
)
async def test_everything_of_one_human_being_is_shown(held: Records, given: str) -> None:
    """By an address, an ID of this API or any vendor's own: logs, activities and look-ups too, and no other person."""
    start = at(given) if given[0] == "+" or "@" in given else await privacy.start_of(held, given)
    found = await privacy.show(held, start)
    assert {each.key for each in found.records} == keys(*ADA)
    assert {each.value for each in found.identifiers} == {EMAIL, PHONE, CLIENT}
    assert [each.value for each in found.shared] == [DESK]
    assert [(vendor, each.value, lookup.is_known) for vendor, each, lookup in found.lookups] == [
        (Vendor.BIRD, EMAIL, False)
    ]


async def test_what_is_shown_is_json(held: Records) -> None:
    """One object, with the record's own spelling, and moments in UTC."""
    shown = (await privacy.show(Records(held.memory, Environment.LIVE), at(EMAIL))).as_json()
    [person] = shown["records"]
    assert person.pop("seen").endswith("Z")
    identifiers = [{"type": "email", "value": "Ada@X.example"}]
    assert person == {
        "vendor": "ARCHITECT",
        "kind": "person",
        "id": "p1",
        "fields": {"name": "Ada"},
        "identifiers": identifiers,
    }
    normal = [{"type": "email", "value": EMAIL}]
    rest = {"environment": "LIVE", "identifiers": normal, "sharedByTooMany": [], "lookups": []}
    assert {name: value for name, value in shown.items() if name != "records"} == rest


async def test_what_is_forgotten_is_gone_and_everybody_else_stays(held: Records) -> None:
    """What is returned is what was shown before; a later look finds nothing, and no row holds a word of it."""
    shown = await privacy.show(held, at(EMAIL))
    assert await privacy.forget(held, at(EMAIL)) == shown
    assert (await privacy.show(held, at(EMAIL))).is_nothing()
    assert (await privacy.show(held, Circle(keys(*ADA)))).is_nothing()
    left = await held.recall([each.key for each in (*ADA, *OTHERS)])
    assert set(left) == keys(*OTHERS)
    assert await held.lookups(Vendor.BIRD, [_email(EMAIL)]) == {}
    assert list(await held.lookups(Vendor.BIRD, [_email("bob@x.example")])) == [_email("bob@x.example")]
    counts = [await _count(held, table) for table in (all_records, record_identifiers, record_relations, lookups)]
    assert counts == [len(OTHERS), 22, 2, 1]


async def test_the_other_environment_keeps_its_own(held: Records) -> None:
    """Each is forgotten by itself."""
    await privacy.forget(held, at(EMAIL))
    live = Records(held.memory, Environment.LIVE)
    assert [each.key for each in (await privacy.forget(live, at(EMAIL))).records] == [PERSON.key]
    assert (await privacy.show(live, at(EMAIL))).is_nothing()


async def test_a_question_that_found_nobody_is_forgotten_too(held: Records) -> None:
    """The address that was asked for is remembered, if nothing else."""
    carol = _email("carol@x.example")
    held.note_lookups(Vendor.ARTU, {carol: False})
    forgotten = await privacy.forget(held, at(carol.value))
    assert ([vendor for vendor, *_ in forgotten.lookups], forgotten.records) == ([Vendor.ARTU], [])
    assert (await privacy.show(held, at(carol.value))).is_nothing()


async def test_a_shared_identifier_says_that_it_is_shared_and_forgets_nobody(held: Records) -> None:
    """Twenty-one others are not the human being that was meant."""
    before = await _count(held, all_records)
    found = await privacy.forget(held, at(DESK))
    assert (found.is_nothing(), [each.value for each in found.shared]) == (True, [DESK])
    assert await _count(held, all_records) == before


async def test_a_log_or_an_activity_by_its_id_is_that_record_alone(held: Records) -> None:
    """It is not a human being; an ID of this API names one kind, a vendor's own any."""
    for given in (encode(Kind.PERSON_LOG, "p1", "l1"), "l1"):
        assert _keys((await privacy.show(held, await privacy.start_of(held, given))).records) == [LOG.key]
    for given in (encode(Kind.CONTACT, "a1"), "nobody"):
        assert (await privacy.show(held, await privacy.start_of(held, given))).is_nothing()


async def test_a_meeting_is_also_of_whoever_takes_part_in_it(held: Records) -> None:
    """By the address alone: nothing else is remembered of them. Nobody finds it by an address that too many share."""
    guest = ("participant", "email", "guest@x.example")
    meeting = Record(Vendor.REEVO, "activity", "a2", relations=(guest,))
    await keep(held, meeting, *(record(Vendor.BIRD, f"s{n}", "desk@x.example") for n in range(21)))
    await keep(held, Record(Vendor.REEVO, "activity", "a3", relations=(("participant", "email", "desk@x.example"),)))
    assert _keys((await privacy.forget(held, at("Guest@X.example"))).records) == [meeting.key]
    for email in ("guest@x.example", "desk@x.example"):
        assert (await privacy.show(held, at(email))).is_nothing()


async def _count(held: Records, table: Table) -> int:
    query = select(func.count()).select_from(table).where(table.c.environment == held.environment.value)
    return int(await held.memory.read(lambda c: c.execute(query).scalar_one()))


def _keys(found: Sequence[Record]) -> list[Key]:
    return [each.key for each in found]


def _email(text: str) -> Identifier:
    found = email_of(text)
    assert found is not None
    return found
