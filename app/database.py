"""The database: its tables and its engine.

SQLite in one file by default (https://sqlite.org/wal.html), PostgreSQL when it is outgrown.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    column,
    create_engine,
    event,
    not_,
    text,
)
from sqlalchemy.engine import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

AnyEngine: TypeAlias = "Engine | AsyncEngine"
"""SQLite's is for threads, PostgreSQL's for the event loop: without PostgreSQL a tenth of SQLAlchemy is not imported."""

metadata = MetaData()

gateway_keys = Table(
    "gateway_keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("scopes", JSON, nullable=False),
    Column("digest", String, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("expires_ms", BigInteger),
    Column("revoked_ms", BigInteger),
    Column("previous_digest", String),
    Column("previous_until_ms", BigInteger),
)

records = Table(
    "records",
    metadata,
    Column("environment", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("fields", JSON, nullable=False),
    Column("identifiers", JSON, nullable=False),
    Column("seen_ms", BigInteger, nullable=False),
    Column("first_ms", BigInteger, nullable=False, server_default="0"),
    PrimaryKeyConstraint("environment", "vendor", "kind", "id"),
    Index("records_in_order", "environment", "vendor", "kind", "first_ms", "id"),
)
"""Each record that passed through: what is known of it, and what identifies it, as given."""

record_identifiers = Table(
    "record_identifiers",
    metadata,
    Column("environment", String, nullable=False),
    Column("type", String, nullable=False),
    Column("value", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    PrimaryKeyConstraint("environment", "type", "value", "vendor", "kind", "id"),
    Index("identifiers_of_record", "environment", "vendor", "kind", "id", "type", "value"),
)
"""What identifies a record, in normal form: two records that share one are one human being."""

record_relations = Table(
    "record_relations",
    metadata,
    Column("environment", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("relation", String, nullable=False),
    Column("target_kind", String, nullable=False),
    Column("target_id", String, nullable=False),
    PrimaryKeyConstraint("environment", "vendor", "kind", "id", "relation", "target_kind", "target_id"),
    Index("relations_of_target", "environment", "vendor", "kind", "relation", "target_kind", "target_id"),
)
"""Relations between records of one vendor, which it accepts and doesn't give back."""

lookups = Table(
    "lookups",
    metadata,
    Column("environment", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("type", String, nullable=False),
    Column("value", String, nullable=False),
    Column("is_known", Boolean, nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("environment", "vendor", "type", "value"),
)
"""When a vendor was last asked for an identifier, and whether it knew somebody."""

memory_changes = Table(
    "memory_changes",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("writer", String, nullable=False),
    Column("environment", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
)
"""The last changes of the tables above, for the other processes (app.links.changes); SQLite counts in its own integers only."""

writes = Table(
    "writes",
    metadata,
    Column("id", String, primary_key=True),
    Column("environment", String, nullable=False),
    Column("gateway_key", String, nullable=False),
    Column("idempotency_key", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("vendor", String, nullable=False),
    Column("fingerprint", String, nullable=False),
    Column("vendor_key", String),
    Column("lane", String, nullable=False),
    Column("delivery", String, nullable=False),
    Column("draft", Text),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("in_doubt", Boolean, nullable=False),
    Column("owner", String),
    Column("lease_ms", BigInteger),
    Column("due_ms", BigInteger),
    Column("give_up_ms", BigInteger, nullable=False),
    Column("examined", Integer, nullable=False),
    Column("needs_attention", Boolean, nullable=False),
    Column("error", JSON(none_as_null=True)),
    Column("result_id", String),
    Column("answer", Text),
    Column("first_sent_ms", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("completed_ms", BigInteger),
    Column("superseded", Boolean, nullable=False),
    CheckConstraint("length(idempotency_key) BETWEEN 1 AND 255", name="write_key_length"),
    CheckConstraint("state IN ('PENDING', 'SENDING', 'UNKNOWN', 'SUCCEEDED', 'FAILED')", name="write_state"),
    CheckConstraint("(state IN ('SUCCEEDED', 'FAILED')) = (completed_ms IS NOT NULL)", name="write_completed"),
    CheckConstraint(
        "state <> 'SENDING' OR (owner IS NOT NULL AND lease_ms IS NOT NULL AND attempts >= 1)", name="write_sending"
    ),
    CheckConstraint("state <> 'UNKNOWN' OR in_doubt", name="write_unknown_is_doubt"),
    CheckConstraint(
        "vendor_key IS NOT NULL OR NOT in_doubt OR state NOT IN ('PENDING', 'SENDING')", name="write_keyless_not_resent"
    ),
    Index(
        "write_of_key",
        "environment",
        "gateway_key",
        "idempotency_key",
        unique=True,
        sqlite_where=not_(column("superseded", Boolean)),
    ),
    Index("writes_due", "state", "due_ms"),
    Index("writes_in_lane", "lane", "environment", "created_ms", "id"),
    Index("writes_in_order", "environment", "created_ms", "id"),
    Index(
        "writes_of_result",
        "environment",
        "result_id",
        sqlite_where=text("result_id IS NOT NULL"),
    ),
    Index(
        "writes_completed",
        "completed_ms",
        sqlite_where=text("completed_ms IS NOT NULL"),
    ),
)
"""The ledger. Its laws are constraints here and triggers in the migration. PostgreSQL's indexes have the same conditions: to
name them here would import its dialect at every start.
"""

write_events = Table(
    "write_events",
    metadata,
    Column("write_id", String, ForeignKey("writes.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("before", String),
    Column("after", String, nullable=False),
    Column("reason", String, nullable=False),
    PrimaryKeyConstraint("write_id", "number"),
)

callback_urls = Table(
    "callback_urls",
    metadata,
    Column("gateway_key", String, ForeignKey("gateway_keys.id", ondelete="CASCADE"), primary_key=True),
    Column("url", String, nullable=False),
)
"""Where the gateway keys that have one want to be told of their background writes."""

callbacks = Table(
    "callbacks",
    metadata,
    Column("write_id", String, ForeignKey("writes.id", ondelete="CASCADE"), primary_key=True),
    Column("gateway_key", String, ForeignKey("callback_urls.gateway_key", ondelete="CASCADE"), nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Index("callbacks_due", "gateway_key", "due_ms"),
)
"""What is still to be told. A trigger in the migration stores a row with the transition that makes a background write final."""

_DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}
_DECIDING_LOCK = 7_301_184_412
LOCK_SECONDS = 5.0
"""How long SQLite's transactions wait for those of other processes."""

_CLOSE_SECONDS = 2.0
_FAULTS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
"""What PEP 249 tells of a statement. A server that starts, stops or is full answers with other errors."""


def async_url(url: URL) -> URL:
    """The URL with the async driver named, where it names none; asyncpg calls libpq's `sslmode` `ssl`."""
    named = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if "sslmode" not in named.query:
        return named
    return named.difference_update_query(["sslmode"]).update_query_dict({"ssl": named.query["sslmode"]})


def open_engine(url: URL) -> AnyEngine:
    """The engine for a URL; a SQLite file and its folder are made where they are missing, for their owner alone."""
    if not url.drivername.startswith("sqlite"):
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  # SQLAlchemy's ORM comes with it

        return create_async_engine(async_url(url), pool_pre_ping=True)
    if url.database:
        Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(url.database).touch(mode=0o600)
    return in_threads(url)


async def close_engine(engine: AnyEngine) -> None:
    """Closes its connections. A server that is gone is not waited for: each says goodbye, and hears nothing."""
    if isinstance(engine, Engine):
        engine.dispose()
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await engine.dispose()


def in_threads(url: URL, lock_seconds: float = LOCK_SECONDS) -> Engine:
    """An engine over a SQLite file for threads: a connection that one has made is closed by another, never used by two at once.

    Whoever uses it begins its transactions: an engine that is listened to is slower at every statement. They wait for those of
    other processes for so many seconds.
    """
    arguments = {"check_same_thread": False, "timeout": lock_seconds}
    engine = create_engine(url.set(drivername="sqlite+pysqlite"), connect_args=arguments)
    event.listen(engine, "connect", prepare_sqlite)
    return engine


def prepare_sqlite(connection: Any, _: object) -> None:
    """Sets up a new connection."""
    connection.isolation_level = None  # transactions begin where the code says, not where the driver guesses
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def is_unavailable(error: BaseException | None) -> bool:
    """Whether it is the database that can't be asked right now, and not what it was asked that is wrong."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or not isinstance(error, _FAULTS)
    return isinstance(error, OSError | PoolTimeout)


def inserting(dialect: str) -> Any:
    """What makes an INSERT in a dialect, for the sake of ON CONFLICT; the other dialect is not imported."""
    if dialect == "sqlite":
        from sqlalchemy.dialects import sqlite  # noqa: PLC0415

        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert


def one_at_a_time(connection: Connection) -> None:
    """From here to its end a transaction that reads in order to decide is the only one. SQLite has no two anyway.

    One lock for all who need it: with two, transactions that take both in different order would wait for each other.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_DECIDING_LOCK})"))


def try_to_write(connection: Connection) -> None:
    """Writes what changes nothing, and fails where nothing can be written: on a full disk, or on a server that is read-only.

    An empty transaction is committed there all the same. SQLite writes a page for a version that is what it was
    (https://sqlite.org/pragma.html#pragma_user_version); PostgreSQL refuses a DELETE before it looks for rows.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("DELETE FROM writes WHERE FALSE"))
        return
    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
    connection.exec_driver_sql(f"PRAGMA user_version = {version}")
