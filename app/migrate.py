"""Brings the tables up to what the code knows, at every start and before every command.

Alembic is imported only where there is something to do: it costs a tenth of a second and several megabytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.engine import URL

from app import migrations
from app.database import AnyEngine, close_engine, open_engine
from app.migrations import NEWEST
from app.transactions import Transactions

_FOLDER = Path(migrations.__file__).parent
_LOCK = 7_301_184_411
_LOCK_SECONDS = 300.0
"""An index over a large ledger takes its time."""


class NewerDatabase(Exception):
    """The tables are of a revision that this code does not know."""

    def __init__(self, stored: str) -> None:
        super().__init__(
            f"The database was made by a newer switchboard ({stored}, this one knows {NEWEST}): "
            "run that one, or go back to a copy of the database from before."
        )


@asynccontextmanager
async def migrated(url: URL) -> AsyncIterator[AnyEngine]:
    """An engine over a database with all tables, closed at the end. Raises NewerDatabase."""
    engine = open_engine(url)
    try:
        await migrate(engine)
        yield engine
    finally:
        await close_engine(engine)


async def migrate(engine: AnyEngine, revision: str = NEWEST) -> None:
    """Brings the tables up to a revision; processes that start together do it one after the other, and wait for the first.

    Where there is nothing to do no lock is taken: a command that only reads does not wait for whoever writes. To look takes no
    longer than any transaction may; only what changes the tables takes its time. Raises NewerDatabase.
    """
    with closing(Transactions(engine)) as looking:
        stored = await looking.run(_stored_revision)
    if stored != NEWEST:
        with closing(Transactions(engine, lock_seconds=_LOCK_SECONDS, seconds=None)) as changing:
            await changing.run(partial(_migrate, revision=revision), writes=True)


def _migrate(connection: Connection, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    if _stored_revision(connection) != NEWEST:
        _upgrade(connection, revision)


def _stored_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    stored: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if stored is not None and stored > NEWEST:  # revisions are numbers of four digits
        raise NewerDatabase(stored)
    return stored


def _upgrade(connection: Connection, revision: str) -> None:
    from alembic import command  # noqa: PLC0415  # see above
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
