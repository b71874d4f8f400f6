"""Statements that every write passes: compiled once for each database, and on SQLite handed straight to the driver.

SQLAlchemy's way from a construct to the driver and back costs several times what SQLite itself does for one row. The construct
stays the one source of the SQL, and the connection and its transaction stay SQLAlchemy's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from sqlalchemy import ClauseElement, Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, Any]


class _Compiled(NamedTuple):
    sql: str
    names: Sequence[str]
    """Of the parameters, in the order in which the driver takes them."""


class Statement:
    """One statement; `build` makes the construct for a dialect by its name, with a name for each of its parameters.

    What it is given is what the driver takes: numbers, text, None. JSON is text. Raises what SQLAlchemy raises.
    """

    def __init__(self, build: Callable[[str], ClauseElement]) -> None:
        self._build = build
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: Values) -> int:
        """Runs it once; how many rows it stored, changed or deleted."""
        dialect = connection.dialect
        sql, names = self._compiled.get(dialect.name) or self._compile(dialect)
        given = tuple([values[name] for name in names])
        if dialect.name != "sqlite":
            return connection.exec_driver_sql(sql, given).rowcount
        if not connection.in_transaction():
            connection.begin()  # as SQLAlchemy does before its own statements
        cursor = connection.connection.cursor()
        try:
            cursor.execute(sql, given)
        except dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemys(error, sql, dialect) from error
        return cursor.rowcount

    def run_all(self, connection: Connection, rows: Sequence[Values]) -> None:
        """Runs it once for each of the rows, of which there may be none."""
        if len(rows) == 1:
            self.run(connection, rows[0])
        elif rows:
            sql, names = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
            connection.exec_driver_sql(sql, [tuple([values[name] for name in names]) for values in rows])

    def _compile(self, dialect: Dialect) -> _Compiled:
        found = cast(SQLCompiler, self._build(dialect.name).compile(dialect=dialect))
        compiled = _Compiled(str(found), tuple(found.positiontup or ()))
        self._compiled[dialect.name] = compiled
        return compiled


def _as_sqlalchemys(error: Exception, sql: str, dialect: Dialect) -> BaseException:
    """The driver's error as SQLAlchemy shows it, without what was given: that may be personal."""
    base = dialect.loaded_dbapi.Error
    shown = DBAPIError.instance(sql, None, error, base, hide_parameters=True, dialect=dialect)
    return cast(BaseException, shown)
