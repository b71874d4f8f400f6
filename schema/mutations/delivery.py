"""Hands a write to the ledger: the one way from a draft to a vendor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from schema.context import Info
from schema.drafts import Draft
from schema.errors import InvalidInput, Refusal
from schema.ports import Written
from schema.rules import UNSTORABLE
from schema.types.receipt import Delivery, WriteOperation

LONGEST_KEY = 255


def written(
    info: Info,
    operation: WriteOperation,
    draft: Draft,
    delivery: Delivery,
    resolve: Callable[[], Awaitable[Draft]] | None = None,
) -> Awaitable[Written[Any]]:
    """What became of the write. Raises Refusal.

    `resolve` finds the vendor's own records of the parties in the draft; a repeat of a key asks nobody for them.
    """
    return info.context.ledger.write(operation, draft, _key(info, draft), delivery, resolve)


def _key(info: Info, draft: Draft) -> str | None:
    """The idempotency key, from the input or from the header; both may be given if they are the same."""
    given, header = draft.idempotency_key, info.context.idempotency_key
    if header is not None and not 1 <= len(header) <= LONGEST_KEY:
        raise _wrong(f"The Idempotency-Key header must be 1 to {LONGEST_KEY} characters long.")
    if given is not None and header is not None and given != header:
        raise _wrong("Differs from the Idempotency-Key header: give one of them, or the same in both.")
    if "\0" in (given or ""):
        raise _wrong(UNSTORABLE)
    return given or header


def _wrong(message: str) -> Refusal:
    return Refusal(InvalidInput(message=message, path=["input", "idempotencyKey"]))
