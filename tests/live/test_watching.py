"""How the ledger is watched, on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.ledger import store
from app.ledger.write import Write
from app.live.receipts import ReceiptWatch
from app.migrate import migrate
from app.transactions import Transactions
from schema.types.receipt import WriteState
from tests.ledger.rows import a_write, changing, in_state
from tests.live.served import PATIENCE


@dataclass
class Ledger:
    """A ledger with one write in it, and who watches it."""

    watch: ReceiptWatch
    writing: Transactions
    write: Write

    def changed(self) -> asyncio.Task[None]:
        """Waits for a change of the write."""
        since = datetime.fromtimestamp(self.write.updated_ms / 1000, UTC)
        return asyncio.create_task(self.watch.changed(self.write.id, since))

    async def change(self) -> None:
        sending = in_state(WriteState.SENDING)
        values: dict[str, Any] = {"state": sending.state, "owner": sending.owner, "lease_ms": sending.lease_ms}
        assert await self.writing.run(lambda c: changing(c, self.write, "sending", attempts=1, **values)) is not None


@pytest.fixture
async def ledger(engine: AsyncEngine) -> AsyncIterator[Ledger]:
    """On a database of each kind."""
    await migrate(engine)
    reads, writing, write = Transactions(engine), Transactions(engine, writes=True), a_write()
    await writing.run(lambda c: store.add(c, write, "stored"))
    watch = ReceiptWatch(reads)
    async with watch.running():
        yield Ledger(watch, writing, write)
    reads.close()
    writing.close()


async def test_a_change_by_whomever_is_seen_after_a_while(ledger: Ledger) -> None:
    """Also where nobody says that there is something to see; what has not changed is waited for."""
    waiting, other = ledger.changed(), asyncio.create_task(ledger.watch.changed("w1", datetime.max.replace(tzinfo=UTC)))
    await ledger.change()
    async with asyncio.timeout(PATIENCE):
        await waiting
    assert not other.done()
    other.cancel()


async def test_a_change_before_the_watch_began_is_seen_at_once(ledger: Ledger) -> None:
    """Nothing falls between reading a receipt and watching it."""
    await ledger.change()
    async with asyncio.timeout(PATIENCE):
        await ledger.changed()


async def test_a_write_that_is_gone_is_waited_for_no_longer(ledger: Ledger) -> None:
    """Final writes are deleted after some time."""
    async with asyncio.timeout(PATIENCE):
        await ledger.watch.changed("gone", datetime.max.replace(tzinfo=UTC))
