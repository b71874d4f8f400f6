"""What is seen of operations and calls, in the words that logs, metrics and traces share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

ANONYMOUS = "anonymous"
"""An operation without a name."""

UNREAD = "unknown"
"""The type of an operation whose document could not be read."""


class Shown(TypedDict):
    """One call to a vendor, in `extensions.vendorCalls`."""

    vendor: str
    operation: str
    milliseconds: float
    outcome: str


@dataclass(frozen=True)
class CallSeen:
    """One call to a vendor.

    `server`: address and port. `operation`: what it is for, such as contacts.create. `path`: without IDs, if that is known.
    `outcome`: its status in digits, or why there is none.
    """

    vendor: str
    environment: str
    server: tuple[str, int]
    operation: str
    method: str
    path: str | None
    outcome: str
    seconds: float
