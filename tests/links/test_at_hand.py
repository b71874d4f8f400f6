"""Memory answers with what it has at hand as its database does, in whatever order records are noted, committed and read."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import permutations
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import LOCK_SECONDS
from app.links import records as memory
from app.links import store
from app.links.identifiers import Identifier, IdentifierKind
from app.links.record import Key, Record, merged
from app.links.records import Records
from app.links.resolve import Links
from app.writer import Writer
from schema.vendor import Environment, Vendor
from tests.databases import opened
from tests.links.finders import at
from tests.remembering import caught_up, keep, remembering, remembering_beside, tamper

HERE = Environment.TEST
EMAILS = [Identifier(IdentifierKind.EMAIL, f"{number}@x.example") for number in range(6)]
KINDS = [(Vendor.BIRD, "contact"), (Vendor.REEVO, "contact"), (Vendor.ARTU, "contact_method")]
KEYS = [Key(*kind, str(number)) for kind in KINDS for number in range(3)]


@pytest.mark.parametrize("seed", range(6))
async def test_memory_answers_as_its_database_does(engine: AsyncEngine, seed: int) -> None:
    """After each of four lives of a process, which begin with nothing at hand, with readers and writers at work."""
    for life in range(4):
        chance = Random(4 * seed + life)  # noqa: S311  # no secret
        async with remembering_beside(engine) as (records, writer):
            async with asyncio.TaskGroup() as busy:
                for _ in range(2):
                    busy.create_task(_read(records, chance))
                    busy.create_task(_write(records, writer, chance))
            await records.memory.settled()
            async with remembering(engine) as with_nothing_at_hand:
                assert await _answers(records) == await _answers(with_nothing_at_hand)
                await _at_hand_again(records)
                assert _held_wrongly(records, await with_nothing_at_hand.recall(KEYS)) == []


@pytest.mark.parametrize("seed", range(6))
async def test_memory_answers_so_too_beside_another_process(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Both write and read; each looks every few milliseconds for what the other did."""
    monkeypatch.setattr(memory, "LONGEST", 0.01)
    for life in range(3):
        chance = Random(3 * seed + life)  # noqa: S311  # no secret
        async with remembering_beside(engine) as (here, own), remembering_beside(engine) as (there, others):
            async with asyncio.TaskGroup() as busy:
                for records, writer in ((here, own), (there, others)):
                    for _ in range(2):
                        busy.create_task(_read(records, chance))
                        busy.create_task(_write(records, writer, chance))
            for each in (here, there):
                await each.memory.settled()
            for each in (here, there):
                await caught_up(each)
            async with remembering(engine) as with_nothing_at_hand:
                now = await _answers(with_nothing_at_hand)
                known = await with_nothing_at_hand.recall(KEYS)
            assert now == await _answers(here) == await _answers(there)
            assert _held_wrongly(here, known) == _held_wrongly(there, known) == []


@pytest.mark.parametrize("seed", range(3))
async def test_memory_answers_so_too_before_it_is_stored(tmp_path: Path, seed: int) -> None:
    """While another process holds SQLite's lock, and never later than that allows; the same as when it is stored."""
    chance = Random(seed)  # noqa: S311  # no secret
    file = tmp_path / "switchboard.db"
    async with opened(URL.create("sqlite", database=str(file))) as engine, remembering(engine) as records:
        await keep(records, *(_added(chance) for _ in range(4)))
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            for _ in range(2):
                records.note(*(_added(chance) for _ in range(4)))
                await records.drop(*chance.sample(KEYS, 2))
                records.note(_added(chance))
                records.note_lookups(Vendor.BIRD, {each: chance.random() < 0.5 for each in chance.sample(EMAILS, 2)})
                before = await _answers(records), await _targets(records)
            assert time.monotonic() - began < LOCK_SECONDS
        await records.memory.settled()
        assert before == (await _answers(records), await _targets(records))
        async with remembering(engine) as with_nothing_at_hand:
            assert before == (await _answers(with_nothing_at_hand), await _targets(with_nothing_at_hand))


async def test_what_was_read_beside_a_batch_is_not_kept_for_longer(tmp_path: Path) -> None:
    """A page without what was handed in before it was read is at hand no more when that is stored."""
    file = tmp_path / "switchboard.db"
    person = Record(Vendor.ARCHITECT, "person", "1")
    async with opened(URL.create("sqlite", database=str(file))) as engine, remembering(engine) as records:

        async def read() -> SimpleNamespace:
            found = await records.listed(Vendor.ARCHITECT, "person", None, 9)
            return SimpleNamespace(nodes=[record.id for _, record in found])

        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            records.note(person)
            assert (await records.page_of(Vendor.ARCHITECT, "person", "all", read)).nodes == []
        await records.memory.settled()
        await _at_hand_again(records)
        assert (await records.page_of(Vendor.ARCHITECT, "person", "all", read)).nodes == ["1"]


async def test_what_could_not_be_stored_is_not_at_hand(engine: AsyncEngine) -> None:
    """That a vendor knows somebody is worth nothing without whom it knows: it is asked again."""
    async with remembering(engine) as records:
        await tamper(records, text("ALTER TABLE lookups RENAME TO mislaid"))
        await _at_hand_again(records)
        records.note_lookups(Vendor.BIRD, {EMAILS[0]: True})
        await records.memory.settled()
        await _at_hand_again(records)
        assert records.at_hand.lookups.get((Vendor.BIRD, EMAILS[0])) is None


async def _at_hand_again(records: Records) -> None:
    """Returns when it is known that no other process has changed anything."""
    lease = records.at_hand.lease
    while lease.clock() > lease.until:  # noqa: ASYNC110  # nobody is told when it is renewed
        await asyncio.sleep(0.01)


async def _read(records: Records, chance: Random) -> None:
    for _ in range(10):
        await Links(records, 0).remembered(at(chance.choice(EMAILS).value))
        await records.lookups(Vendor.BIRD, chance.sample(EMAILS, 2))
        if chance.random() < 0.1:
            await records.recall(chance.sample(KEYS, 2))


async def _write(records: Records, writer: Writer, chance: Random) -> None:
    """Behind a read, as a vendor's answer or its having nothing, and as the ledger does, which commits and then tells."""
    for _ in range(4):
        seen, gone = _record(chance), chance.sample(KEYS, chance.randrange(2))
        way = chance.choice(["noted", "asked", "committed", "dropped"])
        if way == "noted":
            records.note(seen, _record(chance))
        elif way == "asked":
            records.note_lookups(Vendor.BIRD, {chance.choice(EMAILS): chance.random() < 0.5})
        elif way == "dropped":
            await records.drop(*chance.sample(KEYS, 2))
        else:
            await writer.run(partial(_commit, seen=seen, gone=gone))
            records.memory.learned(HERE, [seen], gone)
        await asyncio.sleep(chance.choice([0, 0, 0.002]))


def _record(chance: Random) -> Record:
    key = chance.choice(KEYS)
    addresses = tuple(("email", each.value) for each in chance.sample(EMAILS, chance.randrange(3)))
    return Record(*key, {"n": chance.randrange(3)}, addresses, is_whole=key.vendor is not Vendor.BIRD)


def _added(chance: Random) -> Record:
    """One that takes no identifier from any other look at it."""
    seen = _record(chance)
    relations = tuple(("knows", "contact", str(number)) for number in chance.sample(range(3), 1))
    return replace(seen, relations=relations, is_whole=False)


def _commit(connection: Connection, *, seen: Record, gone: list[Key]) -> None:
    store.forget(connection, {(HERE, key) for key in gone if key != seen.key})
    store.merge(connection, {(HERE, seen.key): [seen]})


async def _answers(records: Records) -> list[Any]:
    """Whatever it can be asked."""
    carriers, identifiers = await records.carriers(EMAILS), await records.identifiers(KEYS)
    return [
        [await Links(records, 0).remembered(at(each.value)) for each in EMAILS],
        [set(carriers.get(each, ())) for each in EMAILS],
        [set(identifiers.get(each, ())) for each in KEYS],
        await records.recall(KEYS),
        {each: lookup.is_known for each, lookup in (await records.lookups(Vendor.BIRD, EMAILS)).items()},
    ]


def _held_wrongly(records: Records, known: dict[Key, Record]) -> list[Record]:
    """Of all records that `_record` may make, those of which it is at hand that they are no news, or all, and are not."""
    addresses = [(), *permutations(EMAILS, 1), *permutations(EMAILS, 2)]
    made = [
        Record(*key, {"n": n}, tuple(("email", each.value) for each in some), is_whole=key.vendor is not Vendor.BIRD)
        for key in KEYS
        for n in range(3)
        for some in addresses
    ]
    wrong: list[Record] = []
    for each in made:
        now = known.get(each.key)
        is_known = now is not None and merged(now, [each]) == now
        is_all = now is not None and (now.fields, now.identifiers) == (each.fields, each.identifiers)
        if not (is_known or records.at_hand.is_news(each)) or (records.at_hand.is_all(each) and not is_all):
            wrong.append(each)
    return wrong


async def _targets(records: Records) -> dict[Key, set[str]]:
    return {key: set(own_ids) for key, own_ids in (await records.targets(KEYS, "knows")).items()}
