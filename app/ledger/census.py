"""How many writes are open, for operators."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import SQLAlchemyError

from app.database import writes
from app.ledger.states import FINAL
from app.transactions import Transactions
from schema.types.receipt import WriteState

OPEN = tuple(state.value for state in WriteState if state not in FINAL)
_FRESH_SECONDS = 10.0
_SECONDS = 2.0


class Census:
    """Counts by state; the answer is used again for ten seconds, so that nobody can make the database count all the time."""

    def __init__(self, reads: Transactions, clock: Callable[[], float] = time.monotonic) -> None:
        self._reads = reads
        self._clock = clock
        self._counted = -_FRESH_SECONDS
        self._counts: Mapping[str, int] = {}

    async def __call__(self) -> Mapping[str, int] | None:
        """How many writes are in each state that is not final; None if the database does not answer."""
        if self._clock() - self._counted < _FRESH_SECONDS:
            return self._counts
        try:
            async with asyncio.timeout(_SECONDS):
                found = await self._reads.run(_count)
        except (SQLAlchemyError, OSError):
            return None
        self._counts, self._counted = dict.fromkeys(OPEN, 0) | found, self._clock()
        return self._counts


def _count(connection: Connection) -> dict[str, int]:
    query = select(writes.c.state, func.count()).where(writes.c.state.in_(OPEN)).group_by(writes.c.state)
    return {row[0]: row[1] for row in connection.execute(query)}
