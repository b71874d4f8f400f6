"""One write to a vendor as the ledger handles it: how it is sent, read, looked for, and what it leaves in memory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from app.call import Hook
from app.gate import OPEN, Gate
from app.links.record import Key, Record
from app.wire import Received
from schema.vendor import Vendor

T = TypeVar("T")


@dataclass  # not frozen: each write makes one
class Accepted(Generic[T]):
    """What an answer of the vendor amounts to. `read` gives the payload's part, once memory holds `seen`."""

    read: Callable[[], Awaitable[T]]
    record_id: str | None = None
    """The record that was made, by ID of this API; None if it is not one record."""
    seen: tuple[Record, ...] = ()
    gone: tuple[Key, ...] = ()
    effects: frozenset[str] = frozenset()
    """Where it is not one record: what was done, by names of which no other write in its lane has any."""


@dataclass(frozen=True)
class Intent:
    """What a write is known by: the idempotency key (the caller's, or one made for it), and when it was asked for."""

    idempotency_key: str
    at: datetime


CLOCKS_DIFFER = timedelta(seconds=60)
"""How far a vendor's clock may be behind ours when a write is looked for by the time at which it was made."""

IsClaimed = Callable[[str], Awaitable[bool]]
"""Whether memory or another receipt knew a record (by ID of this API) before."""


@dataclass  # not frozen: each write makes one, of nine fields
class Plan(Generic[T]):
    """`send` makes the call once, with a hook before its first byte; it raises Refusal. `accept` reads its answer.

    `vendor_key`: the idempotency key that the vendor takes. `lane`: writes in one lane keep their order. `find`: looks for
    the write at the vendor, given when it was first sent; it returns the answer that the vendor would have given, or None.
    `gate`: whether it may be sent now.
    """

    vendor: Vendor
    send: Callable[[Hook | None], Awaitable[Received]]
    model: type[Received]
    accept: Callable[[Any], Accepted[T]]
    vendor_key: str | None = None
    lane: str | None = None
    find: Callable[[datetime, IsClaimed], Awaitable[Received | None]] | None = None
    gate: Gate = OPEN
