"""Identifiers, relations and look-ups of what is remembered: found from either side, gone with their record."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import lookups, record_identifiers, record_relations
from app.links.identifiers import Identifier, IdentifierKind, email_of, phone_of
from app.links.record import Key, Record
from app.links.records import Records
from schema.vendor import Environment, Vendor
from tests.remembering import drop, keep, remembering

CONTACT = Key(Vendor.BIRD, "contact", "c1")
PERSON = Key(Vendor.ARCHITECT, "person", "p1")
EMAIL, OTHER = Identifier(IdentifierKind.EMAIL, "ada@x.example"), Identifier(IdentifierKind.EMAIL, "ada@y.example")


@pytest.fixture
async def kept(engine: AsyncEngine) -> AsyncIterator[Records]:
    """The memory of one environment over an empty database, with its writer at work."""
    async with remembering(engine) as records:
        yield records


async def test_a_record_is_found_by_every_spelling_of_its_identifiers(kept: Records) -> None:
    """Those of a kind that links, in normal form; the text is kept as given, and what is no identifier links nothing."""
    given = (("email", "Ada@X.EXAMPLE"), ("phone", "+31 6 12345678"), ("phone", "020 123"), ("crm", "ada@y.example"))
    await keep(kept, Record(*CONTACT, identifiers=given))
    phone = phone_of("+31612345678")
    assert phone is not None
    assert await kept.carriers([EMAIL, phone, OTHER]) == {EMAIL: [CONTACT], phone: [CONTACT]}
    assert {key: set(found) for key, found in (await kept.identifiers([CONTACT])).items()} == {CONTACT: {EMAIL, phone}}
    assert (await kept.recall([CONTACT]))[CONTACT].identifiers == given


async def test_identifiers_seen_in_part_add_up(kept: Records) -> None:
    """A page of contacts shows some of them, a search another."""
    await keep(kept, Record(*CONTACT, identifiers=(("email", EMAIL.value),)))
    await keep(kept, Record(*CONTACT, identifiers=(("email", OTHER.value), ("email", EMAIL.value))))
    assert await kept.carriers([EMAIL, OTHER]) == {EMAIL: [CONTACT], OTHER: [CONTACT]}
    assert (await kept.recall([CONTACT]))[CONTACT].identifiers == (("email", EMAIL.value), ("email", OTHER.value))


async def test_whole_identifiers_take_the_place_of_those_before(kept: Records) -> None:
    """An address that the vendor took off a record leads to it no longer."""
    await keep(kept, Record(*CONTACT, identifiers=(("email", EMAIL.value),)))
    await keep(kept, Record(*CONTACT, identifiers=(("email", OTHER.value),), is_whole=True))
    assert await kept.carriers([EMAIL, OTHER]) == {OTHER: [CONTACT]}
    assert (await kept.recall([CONTACT]))[CONTACT].identifiers == (("email", OTHER.value),)


async def test_the_last_of_several_sights_in_one_batch_counts(kept: Records) -> None:
    """What is handed in faster than it is stored is merged in its order."""
    sights = [(EMAIL, False), (OTHER, True), (EMAIL, True)]
    kept.note(*(Record(*CONTACT, {"n": n}, (("email", e.value),), is_whole=w) for n, (e, w) in enumerate(sights)))
    assert await kept.carriers([EMAIL, OTHER]) == {EMAIL: [CONTACT]}
    assert (await kept.recall([CONTACT]))[CONTACT].fields == {"n": 2}


async def test_relations_add_up_and_are_found_from_both_sides(kept: Records) -> None:
    """From an activity to its contacts, and from a contact to its activities; names and kinds are kept apart."""
    one, two = (Key(Vendor.REEVO, "activity", each) for each in ("a1", "a2"))
    await keep(kept, Record(*one, relations=(("contact", "contact", "r1"), ("account", "account", "r9"))))
    await keep(kept, Record(*one, relations=(("contact", "contact", "r2"), ("contact", "contact", "r1"))))
    await keep(kept, Record(*two, relations=(("contact", "contact", "r2"),)))
    assert await kept.targets([one, two], "contact") == {one: ["r1", "r2"], two: ["r2"]}
    contacts = [Key(Vendor.REEVO, "contact", each) for each in ("r1", "r2", "r9")]
    assert sorted(await kept.pointing_at(contacts[1:])) == [one, two]
    assert await kept.pointing_at([Key(Vendor.BIRD, "contact", "r1"), contacts[2]]) == []


async def test_a_record_that_is_gone_takes_what_hangs_on_it_along(kept: Records, engine: AsyncEngine) -> None:
    """No row of it is left; a record that comes back starts anew."""
    whole = Record(*PERSON, {"name": "Ada"}, (("email", EMAIL.value),), (("person", "person", "p0"),))
    await keep(kept, whole, Record(*CONTACT, identifiers=(("email", EMAIL.value),)))
    await drop(kept, PERSON)
    assert (await kept.recall([PERSON]), await kept.carriers([EMAIL])) == ({}, {EMAIL: [CONTACT]})
    async with engine.connect() as connection:
        for table, left in ((record_identifiers, 1), (record_relations, 0)):
            assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == left
    await keep(kept, Record(*PERSON, {"age": 36}))
    assert (await kept.recall([PERSON]))[PERSON] == Record(*PERSON, {"age": 36})


async def test_the_latest_answer_to_a_question_is_remembered(kept: Records, engine: AsyncEngine) -> None:
    """Somebody or nobody, for each vendor by itself, with the moment; other environments were not asked."""
    kept.note_lookups(Vendor.BIRD, {EMAIL: False, OTHER: False})
    first = await kept.lookups(Vendor.BIRD, [EMAIL, OTHER])
    kept.note_lookups(Vendor.BIRD, {EMAIL: True})
    second = await kept.lookups(Vendor.BIRD, [EMAIL, OTHER])
    assert {each: lookup.is_known for each, lookup in first.items()} == {EMAIL: False, OTHER: False}
    assert {each: lookup.is_known for each, lookup in second.items()} == {EMAIL: True, OTHER: False}
    assert second[OTHER] == first[OTHER]
    assert second[EMAIL].asked_ms >= first[EMAIL].asked_ms
    assert await kept.lookups(Vendor.ARTU, [EMAIL]) == {}
    assert await Records(kept.memory, Environment.LIVE).lookups(Vendor.BIRD, [EMAIL]) == {}
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(lookups))).scalar_one() == 2


async def test_what_can_not_be_stored_does_not_cost_the_others(
    kept: Records, engine: AsyncEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """A NUL byte (PostgreSQL) or half a surrogate pair (both) in an ID: that record is logged, without its texts."""
    bad = [Record(Vendor.BIRD, "contact", each, {"name": "secret 42"}) for each in ("half \ud800", "nul \0")]
    good = [Record(Vendor.BIRD, "contact", f"c{n}", identifiers=(("email", EMAIL.value),)) for n in range(5)]
    kept.note_lookups(Vendor.BIRD, {EMAIL: True})
    await keep(kept, *good[:2], *bad, *good[2:])
    assert set(await kept.recall([each.key for each in good])) == {each.key for each in good}
    assert list(await kept.lookups(Vendor.BIRD, [EMAIL])) == [EMAIL]
    failed = [vars(each) for each in caplog.records if each.levelno >= logging.ERROR]
    is_sqlite = engine.dialect.name == "sqlite"
    assert len(failed) == (1 if is_sqlite else 2)
    assert "secret 42" not in str(failed)


async def test_an_odd_text_among_its_identifiers_does_not_cost_a_record(kept: Records) -> None:
    """What no database could index is kept as given and links nothing."""
    odd = tuple(("email", text) for text in ("a\0@x.example", "\ud800@x.example", "a" * 5_000 + "@x.example"))
    await keep(kept, Record(*CONTACT, identifiers=(*odd, ("email", EMAIL.value))))
    assert await kept.carriers([EMAIL]) == {EMAIL: [CONTACT]}
    assert (await kept.recall([CONTACT]))[CONTACT].identifiers == (*odd, ("email", EMAIL.value))
    assert [email_of(text) for _, text in odd] == [None, None, None]
