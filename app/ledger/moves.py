"""Tells operators of every change of a write's state, once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection

from app.writer import announce
from schema.types.receipt import WriteState

Moved = Callable[[str | None, str], None]
"""Is told the states before and after; a new write had none."""


class Move(NamedTuple):
    """A change of state."""

    before: WriteState | None
    after: WriteState


def note_move(connection: Connection, before: WriteState | None, after: WriteState) -> None:
    if before is not after:
        announce(connection, Move(before, after))


def tell_moves(news: Iterable[Any], moved: Moved) -> None:
    """Tells of the moves among what a transaction has left."""
    for each in news:
        if isinstance(each, Move):
            moved(each.before.value if each.before is not None else None, each.after.value)
