"""The moment before the first byte of a request leaves: what runs then, and whether it has passed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.call import Hook
from app.failures import PROVABLY_UNSENT
from app.transport.seam import FIRST_BYTE

_CONNECTING = "connection."
"""How the names of the events before the first byte begin."""


class Trace:
    """Watches a transport's events for the moment at which the first byte of a request leaves, and runs the hook then."""

    def __init__(self, hook: Hook | None) -> None:
        self._hook = hook
        self._begun = False
        self._heard = False
        self._kept_back = False
        self._first_byte = False

    def begin(self) -> None:
        """Notes that the call is no longer waiting for its turn."""
        self._begun = True

    async def __call__(self, event: str, _: Mapping[str, Any]) -> None:
        self._heard = True
        if event.startswith(_CONNECTING) or self._kept_back or self._first_byte:
            return
        if event == FIRST_BYTE and self._hook is not None:
            self._kept_back = True
            await self._hook()
            self._kept_back = False
        self._first_byte = True  # also at an event of any other name: it may be what the first byte is called one day

    @property
    def kept_back(self) -> bool:
        """Whether the hook kept the request from leaving."""
        return self._kept_back

    def sent(self, error: Exception) -> bool:
        """Whether a byte may have left. The events' names are no promise: where none came, be careful.

        Without a connection nothing left, also where one had been lost while the hook ran, and no other could be made.
        """
        if not self._begun or self._kept_back or isinstance(error, PROVABLY_UNSENT):
            return False
        return self._first_byte or not self._heard
