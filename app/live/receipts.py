"""Tells when a write has changed: one of this process at once, one of another process within a second."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Select, select
from sqlalchemy.exc import SQLAlchemyError

from app.database import writes
from app.ledger.states import FINAL
from app.telemetry import describe
from app.transactions import Transactions
from schema.ports import Receipts
from schema.types.receipt import Receipt, ReceiptEvent, WriteState

_EVERY = 1.0
_BREATH = 0.02
"""In seconds: how long one look is at least after the one before, however many writes there are."""

_MOST_PER_LOOK = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class _Watcher:
    write_id: str
    since: datetime
    changed: asyncio.Event


class ReceiptWatch:
    """Looks at the writes that somebody follows, and only at those, in one statement for all of them."""

    def __init__(self, reads: Transactions) -> None:
        self._reads = reads
        self._watchers: set[_Watcher] = set()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run(), name="receipt watch")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def stir(self) -> None:
        """Something was committed in this process: a look is worth it now."""
        if self._watchers:
            self._wake.set()

    async def changed(self, write_id: str, since: datetime) -> None:
        """Returns once the write was changed after a moment (of its own `updated_at`), or is no longer there."""
        watcher = _Watcher(write_id, since, asyncio.Event())
        self._watchers.add(watcher)
        self._wake.set()
        try:
            await watcher.changed.wait()
        finally:
            self._watchers.discard(watcher)

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_EVERY if self._watchers else None):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._look()
            except (SQLAlchemyError, OSError) as error:
                _log.error("receipts could not be watched", extra=describe(error))
            await asyncio.sleep(_BREATH)

    async def _look(self) -> None:
        watchers = list(self._watchers)
        updated = await self._read(sorted({each.write_id for each in watchers}))
        for each in watchers:
            if each.write_id not in updated or updated[each.write_id] > _milliseconds(each.since):
                each.changed.set()

    async def _read(self, write_ids: Sequence[str]) -> dict[str, int]:
        """When each write was last changed, in milliseconds since 1970."""
        found: dict[str, int] = {}
        for start in range(0, len(write_ids), _MOST_PER_LOOK):
            chunk = write_ids[start : start + _MOST_PER_LOOK]
            query = select(writes.c.id, writes.c.updated_ms).where(writes.c.id.in_(chunk))
            found |= await self._reads.run(partial(_stamps, query))
        return found


def _stamps(query: Select[tuple[str, int]], connection: Connection) -> dict[str, int]:
    return {row.id: row.updated_ms for row in connection.execute(query)}


async def follow(receipts: Receipts, watch: ReceiptWatch, receipt: Receipt) -> AsyncGenerator[Receipt, None]:
    """The receipt, then as it was after each change of its state, to the final one.

    What changed twice between two looks is told twice: the history in the ledger has every state.
    """
    yield receipt
    while receipt.state not in FINAL:
        await watch.changed(receipt.own_id, receipt.updated_at)
        later = await receipts.get(receipt.own_id, None)
        if later is None:
            return
        for step in _steps(receipt, later, await receipts.events(receipt.own_id)):
            yield step
        receipt = later


def _steps(before: Receipt, after: Receipt, events: Sequence[ReceiptEvent]) -> Iterator[Receipt]:
    """The receipt at each change of state between two readings of it, and after them if a person is needed now."""
    passed = [each for each in events if each.from_ is not each.to and before.updated_at < each.at <= after.updated_at]
    for event in passed[:-1]:
        yield _as_it_was(after, event, events)
    if passed or after.needs_attention is not before.needs_attention:
        yield after


def _as_it_was(receipt: Receipt, event: ReceiptEvent, events: Sequence[ReceiptEvent]) -> Receipt:
    """The receipt at an event that others have followed; the error of that moment is no longer known."""
    attempts = sum(each.to is WriteState.SENDING and each.at <= event.at for each in events)
    return replace(
        receipt,
        state=event.to,
        attempts=attempts,
        updated_at=event.at,
        completed_at=None,
        needs_attention=False,
        error=None,
        result_id=None,
    )


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
