"""What operators see of the ledger from the command line, and how they settle what is in doubt."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.clock import now_ms
from app.database import migrate, open_engine
from app.ledger import store
from app.ledger.book import settle
from app.ledger.store import Wanted
from app.ledger.write import Event, Write
from app.settings import Settings
from app.writer import Writer
from schema import ids
from schema.ids import Kind
from schema.types.receipt import WriteState
from schema.vendor import Environment


async def listed(
    settings: Settings, environment: str, state: str | None, needs_attention: bool | None, most: int
) -> list[str]:
    """Writes as JSON lines, the newest first."""
    where = Environment(environment.upper())
    wanted = Wanted(where, state=WriteState(state.upper()) if state else None, needs_attention=needs_attention)
    async with _engine(settings) as engine, engine.connect() as connection:
        found = await connection.run_sync(lambda c: store.page(c, wanted, None, most))
    return [json.dumps(_line(write)) for write in found]


async def shown(settings: Settings, receipt_id: str) -> str | None:
    """One write with its history, as JSON; None if there is none."""
    async with _engine(settings) as engine, engine.connect() as connection:
        write = await connection.run_sync(store.by_id, _own_id(receipt_id))
        if write is None:
            return None
        events = (await connection.run_sync(store.events, [write.id])).get(write.id, [])
    return json.dumps(_line(write) | {"events": [_event(each) for each in events]}, indent=2)


async def settled(
    settings: Settings, receipt_id: str, *, applied: bool, record_id: str | None, note: str
) -> str | None:
    """A write in doubt made final by the operator's word, as JSON; None if it is not in doubt."""
    async with _engine(settings) as engine:
        async with engine.connect() as connection:
            write = await connection.run_sync(store.by_id, _own_id(receipt_id))
        if write is None or write.state is not WriteState.UNKNOWN:
            return None
        writer = Writer(engine)
        async with writer.running():
            done = await settle(
                writer, write, now_ms(), applied=applied, record_id=record_id, note=note, by="the command line"
            )
    return json.dumps(_line(done)) if done is not None else None


@asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(settings.database_url)
    try:
        await migrate(engine)
        yield engine
    finally:
        await engine.dispose()


def _own_id(receipt_id: str) -> str:
    record = ids.decode(receipt_id)
    return record.parts[0] if record is not None and record.kind is Kind.RECEIPT else receipt_id


def _line(write: Write) -> dict[str, Any]:
    """Without what was written and what was answered: both may be personal."""
    return {
        "id": ids.encode(Kind.RECEIPT, write.id),
        "environment": write.environment.value,
        "gatewayKey": write.gateway_key,
        "idempotencyKey": write.idempotency_key,
        "operation": write.operation.value,
        "vendor": write.vendor.value,
        "state": write.state.value,
        "attempts": write.attempts,
        "needsAttention": write.needs_attention,
        "error": write.error["code"] if write.error else None,
        "result": write.result_id,
        "createdAt": _stamp(write.created_ms),
        "completedAt": _stamp(write.completed_ms) if write.completed_ms else None,
    }


def _event(event: Event) -> dict[str, Any]:
    before = event.before.value if event.before else None
    return {"at": _stamp(event.at_ms), "from": before, "to": event.after.value, "reason": event.reason}


def _stamp(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
