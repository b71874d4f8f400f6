"""Statements that every write passes: compiled once for each database, and on SQLite handed straight to the driver.

SQLAlchemy's way from a construct to the driver and back costs several times what SQLite itself does for one row. The construct
stays the one source of the SQL, and the connection and its transaction stay SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]


class Statement:
    """One statement; `build` makes the construct for a dialect by its name, with a name for each of its parameters.

    What it is given is what the driver takes: numbers, text, None. JSON is text. Raises what SQLAlchemy raises.
    """

    def __init__(self, build: Callable[[str], ClauseElement]) -> None:
        self._build = build
        self._compiled: dict[str, tuple[str, Sequence[str]]] = {}
        """By dialect: the SQL, and the names of its parameters in the order in which the driver takes them."""

    def run(self, connection: Connection, values: Values) -> int:
        """Runs it once; how many rows it stored, changed or deleted."""
        dialect = connection.dialect
        sql, names = self._compiled.get(dialect.name) or self._compile(dialect)
        given = tuple(map(values.__getitem__, names))
        if dialect.name != "sqlite":
            return connection.exec_driver_sql(sql, given).rowcount
        if not connection.in_transaction():
            connection.begin()  # as SQLAlchemy does before its own statements
        return execute(connection, sql, given)

    def run_all(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Runs it once for each of the rows, of which there may be none."""
        if connection.dialect.name == "sqlite":
            for values in rows:
                self.run(connection, values)
        elif rows:
            sql, names = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
            connection.exec_driver_sql(sql, [tuple(map(values.__getitem__, names)) for values in rows])

    def _compile(self, dialect: Dialect) -> tuple[str, Sequence[str]]:
        found = cast(SQLCompiler, self._build(dialect.name).compile(dialect=dialect))
        compiled = self._compiled[dialect.name] = str(found), tuple(found.positiontup or ())
        return compiled


def execute(connection: Connection, sql: str, given: Sequence[Any] = ()) -> int:
    """Runs SQL on SQLite's own connection; how many rows it stored, changed or deleted."""
    driver: Any = connection.connection.dbapi_connection
    try:
        rows: int = driver.execute(sql, given).rowcount
    except connection.dialect.loaded_dbapi.Error as error:
        raise _as_sqlalchemys(error, sql, connection.dialect) from error
    return rows


def _as_sqlalchemys(error: Exception, sql: str, dialect: Dialect) -> BaseException:
    """The driver's error as SQLAlchemy shows it, without what was given: that may be personal."""
    base = dialect.loaded_dbapi.Error
    shown = DBAPIError.instance(sql, None, error, base, hide_parameters=True, dialect=dialect)
    return cast(BaseException, shown)
