"""Tells operators of every change of a write's state, once it is committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Connection

from app.writer import announce

Moved = Callable[[str | None, str, int], None]
"""Is told the states before and after, and of how many writes; a new write had none before."""


def note_move(connection: Connection, before: str | None, after: str) -> None:
    if before != after:
        announce(connection, (before, after))


def tell_moves(news: Iterable[Any], moved: Moved) -> None:
    """Tells of the moves that a transaction has left: nothing else is announced."""
    for (before, after), count in Counter(news).items():
        moved(before, after, count)
