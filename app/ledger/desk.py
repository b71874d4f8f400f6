"""What operators see of the ledger from the command line, and how they settle what is in doubt."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from app.clock import now_ms
from app.ledger import store
from app.ledger.settlement import Word, settle
from app.ledger.store import Wanted
from app.ledger.write import Event, Write
from app.migrate import migrated
from app.settings import Settings
from app.transactions import Transactions, Work
from app.writer import Writer
from schema import ids
from schema.ids import Kind
from schema.types.receipt import WriteState
from schema.vendor import Environment

T = TypeVar("T")


async def listed(
    settings: Settings, environment: str, state: str | None, needs_attention: bool | None, most: int
) -> list[str]:
    """Writes as JSON lines, the newest first."""
    where = Environment(environment.upper())
    wanted = Wanted(where, state=WriteState(state.upper()) if state else None, needs_attention=needs_attention)
    found = await _read(settings, lambda c: store.page(c, wanted, None, most))
    return [json.dumps(_line(write)) for write in found]


async def shown(settings: Settings, receipt_id: str) -> str | None:
    """One write with its history, as JSON; None if there is none."""
    found = await _read(settings, lambda c: _with_events(c, _own_id(receipt_id)))
    if found is None:
        return None
    write, events = found
    return json.dumps(_line(write) | {"events": [_event(each) for each in events]}, indent=2)


async def settled(
    settings: Settings, receipt_id: str, *, applied: bool, record_id: str | None, note: str
) -> str | None:
    """A write in doubt made final by the operator's word, as JSON; None if there is none. Raises Refusal where that can't be."""
    write = await _read(settings, lambda c: store.by_id(c, _own_id(receipt_id)))
    if write is None:
        return None
    async with migrated(settings.database_url) as engine:
        writer = Writer(engine)
        async with writer.running():
            done = await settle(writer, write, Word(applied, record_id, note, "the command line"), now_ms())
    return json.dumps(_line(done))


async def _read(settings: Settings, work: Work[T]) -> T:
    async with migrated(settings.database_url) as engine:
        with closing(Transactions(engine)) as transactions:
            return await transactions.run(work)


def _with_events(connection: Connection, own_id: str) -> tuple[Write, list[Event]] | None:
    write = store.by_id(connection, own_id)
    return (write, store.events(connection, [own_id]).get(own_id, [])) if write is not None else None


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
