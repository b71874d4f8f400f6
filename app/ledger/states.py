"""What becomes of a write: pure functions from what is known of it and what happened to it.

    PENDING ──▶ SENDING ──▶ SUCCEEDED
       │  ▲        │ ├────▶ FAILED      a definite no, or provably unsent and out of time
       │  └────────┤ │
       ▼           │ ▼
     FAILED        └▶ UNKNOWN ──▶ PENDING (only with a vendor's idempotency key), SUCCEEDED, FAILED (by a person)

A write that was once in doubt leaves it by a success, by being found at the vendor, or by a person's word: no refusal of a
later attempt proves anything about an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from schema.errors import MutationError, NotFound, RateLimited, VendorRejected, VendorUnavailable
from schema.types.receipt import WriteState
from schema.vendor import Vendor

FINAL = frozenset({WriteState.SUCCEEDED, WriteState.FAILED})
EXAMINED_AFTER = tuple(timedelta(seconds=s) for s in (5, 15, 60, 300, 900, 3600))
"""When a write in doubt is looked at again, after the last look; then hourly."""

LONGEST_DOUBT = timedelta(hours=24)
"""After the first attempt: then a write in doubt needs a person."""


@dataclass(frozen=True)
class Transition:
    """The next state and why; `error` is what the caller is told, `wait` the least that the next attempt waits, in seconds."""

    to: WriteState
    reason: str
    error: MutationError | None = None
    wait: float = 0.0


APPLIED = Transition(WriteState.SUCCEEDED, "the vendor answered with the record")


def after_attempt(error: MutationError | None, *, in_doubt: bool, attempts: int, seconds_left: float) -> Transition:
    """What an attempt says: `error` is None for a documented success, and the refusal that the call ended in otherwise.

    `in_doubt`: an earlier attempt may have been applied. `seconds_left` is what the write has before it is given up.
    """
    if error is None:
        return APPLIED
    if in_doubt:
        patience = getattr(error, "retry_after_seconds", None) or 0.0
        return Transition(WriteState.UNKNOWN, f"still in doubt: {error.code}", error, patience)
    if isinstance(error, VendorUnavailable | RateLimited):
        return _unapplied(error, attempts, seconds_left)
    if isinstance(error, VendorRejected | NotFound):
        return Transition(WriteState.FAILED, f"refused: {error.code}", error)
    return Transition(WriteState.UNKNOWN, "sent, and neither applied nor refused for certain", error)


def after_loss(*, state: WriteState) -> Transition | None:
    """What becomes of a write whose process died or whose lease ran out; None if nothing has to."""
    if state is WriteState.SENDING:
        return Transition(WriteState.UNKNOWN, "the process that was sending it is gone")
    return None


def after_doubt(*, has_vendor_key: bool, since_first_attempt: timedelta, examined: int) -> Transition:
    """What becomes of a write in doubt that was looked at and not found; `examined`: how often before this time."""
    wait = milliseconds_until_look(examined + 1) / 1000
    if since_first_attempt >= LONGEST_DOUBT:
        return Transition(WriteState.UNKNOWN, "nothing more can be found out: a person has to settle it", wait=0.0)
    if has_vendor_key:
        return Transition(WriteState.PENDING, "sent again with the same vendor key")
    return Transition(WriteState.UNKNOWN, "looked for and not found", wait=wait)


def milliseconds_until_look(examined: int) -> int:
    """When a write in doubt is looked at next, after so many looks."""
    return round(EXAMINED_AFTER[min(examined, len(EXAMINED_AFTER) - 1)].total_seconds() * 1000)


def is_blocking(state: WriteState, error_is_retryable: bool) -> bool:
    """Whether a write holds its idempotency key: not one that failed in a way that may be repeated."""
    return not (state is WriteState.FAILED and error_is_retryable)


def out_of_time(vendor: Vendor) -> Transition:
    """What becomes of a write that was provably never sent, when its time is over."""
    message = "It was not sent in time, and nothing was written. Repeat it with the same key."
    return Transition(WriteState.FAILED, "not sent in time", VendorUnavailable(message=message, vendor=vendor))


def _unapplied(error: VendorUnavailable | RateLimited, attempts: int, seconds_left: float) -> Transition:
    """Provably not applied: again within its time, with a growing wait; then given up."""
    wait = max(error.retry_after_seconds or 0.0, min(0.25 * 2 ** min(attempts, 10), 60.0))
    if error.retryable and wait < seconds_left:
        return Transition(WriteState.PENDING, f"not applied: {error.code}", error, wait)
    return Transition(WriteState.FAILED, f"not applied, and out of time: {error.code}", error)
