"""Migrations bring any database to the tables that the code knows, however often and by however many."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from pydantic import SecretStr
from sqlalchemy import JSON, Connection, column, inspect, table, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine

from app import migrations
from app.database import metadata, record_identifiers
from app.links.identifiers import Identifier, IdentifierKind, linkedin_of, phone_of
from app.links.record import Key, Record
from app.migrate import migrate, migrated
from app.migrations import NEWEST
from app.security.keys import Keys
from app.security.signing import Signer
from app.transactions import Transactions
from schema.vendor import Environment, Vendor
from tests.canaries.keys import canary
from tests.databases import opened
from tests.remembering import remembering
from tests.silence import before

SOON = 40.0
"""In seconds: eight times what a transaction has."""

STARTS = 10
OLD_COLUMNS = ("vendor", "kind", "id", "seen_ms", "fields", "identifiers")
OLD_OTHERS = [["phone", "+31 6 12345678"], ["linkedin", "https://www.linkedin.com/in/Ada/?trk=1"], ["email", "a b"]]
OLD: list[tuple[Any, ...]] = [
    ("ARCHITECT", "person", "p1", 7, {"name": "Ada"}, [["email", "ada@x.example"], *OLD_OTHERS]),
    ("ARCHITECT", "person_log", "l1", 8, {"party": "p1", "payload": {}}, []),
    ("BIRD", "contact", "b1", 9, {"displayName": "Ada"}, [["emailaddress", "Ada@X.example"], ["crm", "1"]]),
    ("ARTU", "contact_method", "m1", 9, {"clientId": "C-1"}, [["email", "ada@x.example"]]),
]
OLD_RECORDS = table(
    "records", column("environment"), *map(column, OLD_COLUMNS[:4]), column("fields", JSON), column("identifiers", JSON)
)
SECRET = SecretStr(canary("secret"))


async def test_an_empty_database_gets_the_tables_of_the_code(engine: AsyncEngine) -> None:
    """After the migrations Alembic finds no difference between the database and the code's tables."""
    await migrate(engine)
    async with engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        difference = await connection.run_sync(_difference)
    assert tables == {"alembic_version", *metadata.tables}
    assert difference == []


def test_the_newest_revision_is_the_one_that_a_start_looks_for() -> None:
    """A database of this revision is left alone; a migration that was added and not named would never be applied."""
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_heads() == [NEWEST]


async def test_a_second_start_changes_nothing(engine: AsyncEngine) -> None:
    """An up-to-date database is left as it is, with what is in it."""
    await migrate(engine)
    keys = Keys(Transactions(engine), Signer(SECRET))
    key = await keys.create("Kept", Environment.TEST, ["read"])
    before = await _version(engine)
    await migrate(engine)
    assert await _version(engine) == before
    known = await keys.recognise(key)
    assert known is not None
    assert known.name == "Kept"


async def test_a_start_that_has_nothing_to_do_waits_for_no_writer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that only looks goes on while another process holds SQLite's one write lock."""
    url = make_url(f"sqlite:///{tmp_path / 'switchboard.db'}")
    async with migrated(url):
        pass
    monkeypatch.setattr("app.migrate._LOCK_SECONDS", 0.1)  # so that it fails where it would wait
    with closing(sqlite3.connect(tmp_path / "switchboard.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with migrated(url):
            pass


async def test_a_start_does_not_wait_for_a_server_that_is_lost_or_for_a_lock(cluster: URL) -> None:
    """Whether there is anything to do is told in the time that a transaction has, or not at all."""
    async with before(cluster) as silence, opened(silence.url) as engine, asyncio.timeout(SOON):
        async with opened(cluster) as other, other.begin() as connection:
            await connection.execute(text("LOCK pg_class IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(TimeoutError):
                await migrate(engine)
        silence.fall(also_new=True)
        with pytest.raises(TimeoutError):
            await migrate(engine)
        silence.end()


async def test_what_the_first_tables_held_is_kept_and_linked(engine: AsyncEngine) -> None:
    """Rows of revision 0001 go on: found by what identifies them, in the order in which they were seen, with their logs."""
    await migrate(engine, "0001")
    rows = [{"environment": "LIVE", **dict(zip(OLD_COLUMNS, row, strict=True))} for row in OLD]
    async with engine.begin() as connection:
        await connection.execute(OLD_RECORDS.insert(), rows)
    person, log, contact, method = (Key(Vendor(vendor), kind, own_id) for vendor, kind, own_id, *_ in OLD)
    email = Identifier(IdentifierKind.EMAIL, "ada@x.example")
    client = Identifier(IdentifierKind.CLIENT, "c-1")
    async with remembering(engine, Environment.LIVE) as known:
        links = await known.identifiers([person, log, contact, method])
        assert {key: set(found) for key, found in links.items()} == {
            person: {email, phone_of("+31612345678"), linkedin_of("in/ada")},
            contact: {email},
            method: {email, client},
        }
        assert (await known.recall([contact]))[contact] == Record(
            *contact, {"displayName": "Ada"}, (("email", "Ada@X.example"), ("crm", "1"))
        )
        assert await known.pointing_at([person]) == [log]
        [(moment, listed)] = await known.listed(Vendor.ARCHITECT, "person", None, 10)
        assert (moment, listed) == (7, Record(*person, {"name": "Ada"}, tuple((a, b) for a, b in OLD[0][-1])))


async def test_what_a_key_of_birds_had_linked_is_linked_no_more(engine: AsyncEngine) -> None:
    """Its own keys `client` and `linkedin` are kept as Bird's, beside what links rightly; another vendor's links stay."""
    await migrate(engine, "0008")
    contact, method = Key(Vendor.BIRD, "contact", "b1"), Key(Vendor.ARTU, "contact_method", "m1")
    given = [["email", "ada@x.example"], ["client", "C-1"], ["crm", "1"], ["linkedin", "in/ada"]]
    rows: list[tuple[Key, list[list[str]]]] = [(contact, given), (method, [["client", "C-1"]])]
    links = [(contact, "email", "ada@x.example"), (contact, "client", "c-1"), (contact, "linkedin", "in/ada")]
    async with engine.begin() as connection:
        for key, identifiers in rows:
            own = {"environment": "TEST", "seen_ms": 1, "fields": {}, "identifiers": identifiers, **key._asdict()}
            await connection.execute(OLD_RECORDS.insert(), own | {"vendor": key.vendor.value})
        for key, type_, value in [*links, (method, "client", "c-1")]:
            names = ("environment", "vendor", "kind", "id", "type", "value")
            own_link = dict(zip(names, ("TEST", key.vendor.value, key.kind, key.id, type_, value), strict=True))
            await connection.execute(record_identifiers.insert(), own_link)
    async with remembering(engine) as known:
        email, client = Identifier(IdentifierKind.EMAIL, "ada@x.example"), Identifier(IdentifierKind.CLIENT, "c-1")
        assert await known.identifiers([contact, method]) == {contact: [email], method: [client]}
        kept = (("email", "ada@x.example"), ("bird:client", "C-1"), ("crm", "1"), ("bird:linkedin", "in/ada"))
        assert (await known.recall([contact]))[contact].identifiers == kept


async def test_many_first_starts_at_once_all_succeed(database: URL) -> None:
    """Each with an engine of its own, as processes have: one does the work, the others wait for it."""
    async with asyncio.TaskGroup() as starts:
        for _ in range(STARTS):
            starts.create_task(_start(database))
    async with opened(database) as engine, engine.connect() as connection:
        assert await connection.run_sync(_difference) == []


async def test_a_sqlite_file_is_its_owners_and_in_wal_mode(tmp_path: Path) -> None:
    """Folder and file are for their owner alone; readers don't wait for the writer; a commit survives a power cut."""
    file = tmp_path / "state" / "switchboard.db"
    async with opened(URL.create("sqlite", database=str(file))) as engine:
        await migrate(engine)
        async with engine.connect() as connection:
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
            found = {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in names}
        modes = {each.name: _mode(each) for each in (file.parent, file, Path(f"{file}-wal"))}
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    assert modes == {"state": 0o700, "switchboard.db": 0o600, "switchboard.db-wal": 0o600}


async def _start(database: URL) -> None:
    async with opened(database) as engine:
        await migrate(engine)


async def _version(engine: AsyncEngine) -> list[str]:
    async with engine.connect() as connection:
        return list((await connection.execute(text("SELECT version_num FROM alembic_version"))).scalars())


def _difference(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
