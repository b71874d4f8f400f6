"""Bounds how many calls to one vendor are under way, fairly: one large request does not starve a small one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager


class Bulkhead:
    """At most `limit` at a time. Who waits is let in turn by turn: one call of each requester, then the next of each."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._waiting: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, requester: Hashable) -> AsyncIterator[None]:
        """Holds one place for the length of the block."""
        await self._enter(requester)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, requester: Hashable) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(requester, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # the place was given at the moment of giving up
            raise

    def _leave(self) -> None:
        """Gives the place to the first call of the requester who has waited longest for a turn."""
        while self._waiting:
            requester, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[requester] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
