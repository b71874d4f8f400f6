"""Databases to test on: a new SQLite file, and a new database in a throw-away PostgreSQL."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app import database as shipped
from tests.canaries.keys import canary
from tests.canaries.watch import Watch

_ACCOUNTS = ("postgres", "nobody")
_FIRST_OWN = 16384
"""Files of tables with lower numbers are the server's own."""
_UNCOMPRESSED = "UPDATE pg_type SET typstorage = 'e' WHERE typstorage = 'x'"


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return URL.create("sqlite", database=str(tmp_path / "switchboard.db"))
    cluster: URL = request.getfixturevalue("cluster")
    return await _new_database(cluster, f"test_{os.urandom(6).hex()}")


@pytest.fixture
async def engine(database: URL) -> AsyncIterator[AsyncEngine]:
    """The engine of an empty database."""
    async with opened(database) as engine:
        yield engine


@pytest.fixture(scope="session")
def cluster(canaries: Watch) -> Iterator[URL]:
    """A PostgreSQL server of our own, on a socket in a temporary folder; its tables are looked through at the end."""
    programs = _programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: install its server (package postgresql), with initdb and pg_ctl")
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o700)
        user = _give_away(Path(folder))
        data = f"{folder}/data"
        _call(user, programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "--no-sync")
        options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=200"
        _call(user, programs / "pg_ctl", "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
        try:
            _call(user, programs / "psql", "-h", folder, "-U", "postgres", "-d", "template1", "-c", _UNCOMPRESSED)
            server = URL.create("postgresql", username="postgres", database="postgres", query={"host": folder})
            yield server.set(password=canary("database"))
        finally:
            _call(user, programs / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop")
        canaries.files(Path(folder), [Path(folder, "log"), *_tables(Path(data))])


def open_engine(url: URL) -> AsyncEngine:
    """An engine for the event loop over either database: the gateway has its own for SQLite, which is for threads."""
    engine = shipped.open_engine(url)
    if not isinstance(engine, Engine):
        return engine
    engine.dispose()
    looking = create_async_engine(url.set(drivername="sqlite+aiosqlite"))
    event.listen(looking.sync_engine, "connect", shipped.prepare_sqlite)
    event.listen(looking.sync_engine, "begin", _begin)
    return looking


def writing(engine: AsyncEngine) -> AsyncEngine:
    """The same engine for transactions that read and then write: they take SQLite's one write lock at their start."""
    return engine.execution_options(writes=True)


@asynccontextmanager
async def opened(database: URL) -> AsyncIterator[AsyncEngine]:
    """An engine, disposed of at the end."""
    engine = open_engine(database)
    try:
        yield engine
    finally:
        await engine.dispose()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


async def _new_database(cluster: URL, name: str) -> URL:
    async with opened(cluster) as engine:
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
        async with alone.connect() as connection:
            await connection.execute(text(f"CREATE DATABASE {name}"))
    return cluster.set(database=name)


def _tables(data: Path) -> Iterator[Path]:
    """The files of all tables that tests have made, with what was deleted from them."""
    for path in data.glob("base/*/*"):
        number = path.name.partition(".")[0]
        if number.isdigit() and int(number) >= _FIRST_OWN:
            yield path


def _programs() -> Path | None:
    """The folder with initdb and pg_ctl: on the path, or where Debian keeps them."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


def _give_away(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: then the folder is given to another account, which is returned."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    account = next((name for name in _ACCOUNTS if name in known), None)
    if account is None:
        pytest.skip(f"PostgreSQL refuses to run as root: add one of the accounts {', '.join(_ACCOUNTS)}")
    shutil.chown(folder, account)
    return account


def _call(user: str | None, *command: str | Path) -> None:
    done = subprocess.run(  # noqa: S603  # programs of the system, with our own arguments
        command, user=user, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == 0, done.stdout + done.stderr
