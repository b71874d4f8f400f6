"""Receipts as the operations answer them."""

from __future__ import annotations

import re
from typing import Any

SENT = ("PENDING", "SENDING")
_MADE = re.compile(r"made-[\w-]{32}")


def receipt(answered: Any, operation: str, vendor: str, key: str | None = None, **given: Any) -> Any:
    """The whole receipt of a write that was made with the first try, unless `given` says otherwise.

    Its ID is the gateway's, and so is its key, if none was given.
    """
    if key is None:
        assert _MADE.fullmatch(answered["idempotencyKey"])
    return {
        "id": answered["id"],
        "idempotencyKey": key or answered["idempotencyKey"],
        "operation": operation,
        "vendor": vendor,
        "state": "SUCCEEDED",
        "replayed": False,
        "attempts": 1,
        "needsAttention": False,
        "error": None,
        "events": history(*SENT, "SUCCEEDED"),
        **given,
    }


def history(*states: str) -> list[Any]:
    """Events that lead from state to state."""
    return [{"from": before, "to": after} for before, after in zip((None, *states), states, strict=False)]
