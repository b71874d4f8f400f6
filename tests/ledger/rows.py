"""Rows of the ledger to test with."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from app.clock import now_ms
from app.ledger import store
from app.ledger.write import Write
from schema.types.receipt import Delivery, WriteOperation, WriteState
from schema.vendor import Environment, Vendor

DAY = 24 * 3600 * 1000


def a_write(write_id: str = "w1", **changes: Any) -> Write:
    """A write that was just stored, and its idempotency key is its ID; with other columns where they are given."""
    now = now_ms()
    new = Write(
        id=write_id,
        environment=Environment.TEST,
        gateway_key="partner",
        idempotency_key=write_id,
        operation=WriteOperation.CREATE_CONTACT,
        vendor=Vendor.BIRD,
        fingerprint="f" * 64,
        vendor_key=None,
        lane=write_id,
        delivery=Delivery.WAIT,
        draft="{}",
        state=WriteState.PENDING,
        attempts=0,
        in_doubt=False,
        owner=None,
        lease_ms=None,
        due_ms=now,
        give_up_ms=now + DAY,
        examined=0,
        needs_attention=False,
        error=None,
        result_id=None,
        answer=None,
        first_sent_ms=None,
        created_ms=now,
        updated_ms=now,
        completed_ms=None,
        superseded=False,
    )
    return replace(new, **changes)


def in_state(state: WriteState, write_id: str = "w1", **changes: Any) -> Write:
    """A write in a state, with the columns that the state asks for."""
    now = now_ms()
    needs: dict[WriteState, dict[str, Any]] = {
        WriteState.PENDING: {},
        WriteState.SENDING: {"owner": "host:1:x", "lease_ms": now + DAY, "attempts": 1, "due_ms": None},
        WriteState.UNKNOWN: {"in_doubt": True, "attempts": 1},
        WriteState.SUCCEEDED: {"completed_ms": now, "attempts": 1, "due_ms": None, "draft": None},
        WriteState.FAILED: {"completed_ms": now, "due_ms": None, "draft": None},
    }
    return a_write(write_id, state=state, **(needs[state] | changes))


def changing(connection: Connection, write: Write, reason: str, /, **values: Any) -> Write | None:
    """Changes a write now."""
    return store.change(connection, write, reason, now_ms(), **values)


def claiming(connection: Connection, hold_ms: int, most: int, owner: str = "host:1:x") -> list[Write]:
    """Claims what is due now."""
    return store.claim_due(connection, now_ms(), owner=owner, hold_ms=hold_ms, most=most)
