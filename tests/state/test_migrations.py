"""Migrations bring any database to the tables that the code knows, however often and by however many."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import metadata, migrate
from app.security.keys import Keys
from app.security.signing import Signer
from schema.vendor import Environment
from tests.databases import opened

STARTS = 10
SECRET = SecretStr("a secret of the tests")


async def test_an_empty_database_gets_the_tables_of_the_code(engine: AsyncEngine) -> None:
    """After the migrations Alembic finds no difference between the database and the code's tables."""
    await migrate(engine)
    async with engine.connect() as connection:
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        difference = await connection.run_sync(_difference)
    assert tables == {"alembic_version", *metadata.tables}
    assert difference == []


async def test_a_second_start_changes_nothing(engine: AsyncEngine) -> None:
    """An up-to-date database is left as it is, with what is in it."""
    await migrate(engine)
    keys = Keys(engine, Signer(SECRET))
    key = await keys.create("Kept", Environment.TEST, ["read"])
    before = await _version(engine)
    await migrate(engine)
    assert await _version(engine) == before
    known = await keys.recognise(key)
    assert known is not None
    assert known.name == "Kept"


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
