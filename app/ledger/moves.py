"""Tells operators of every change of a write's state, as it is committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event

Moved = Callable[[str | None, str], None]
"""Is told the states before and after; a new write had none."""

_INSERT = "INSERT INTO write_events "


def tell_moves(engine: Engine, moved: Moved) -> None:
    """Listens for the events that the ledger stores: whatever changes a state stores one, in the same transaction."""
    kept: WeakKeyDictionary[Connection, list[Mapping[str, Any]]] = WeakKeyDictionary()  # a broken one has no info

    def keep(connection: Connection, _: Any, statement: str, __: Any, context: Any, ___: bool) -> None:
        if statement.startswith(_INSERT):
            kept.setdefault(connection, []).extend(context.compiled_parameters)

    def tell(connection: Connection) -> None:
        for row in kept.pop(connection, ()):
            if row.get("before") != row["after"]:
                moved(row.get("before"), row["after"])

    def drop(connection: Connection) -> None:
        kept.pop(connection, None)

    event.listen(engine, "after_cursor_execute", keep)
    event.listen(engine, "commit", tell)
    event.listen(engine, "rollback", drop)
