"""What really happened at the vendor: lists that only grow, whatever the gateway believes."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.faults.operations import Operation


@dataclass
class Truth:
    """`sends` are the marks of all requests that came, `effects` what was made: mark and record ID; each with its time, in
    seconds of the machine's monotonic clock, which all processes share. `astray` counts requests that should not exist,
    such as those that follow a redirect.
    """

    sends: list[tuple[str, float]] = field(default_factory=list)
    effects: list[tuple[str, str, float]] = field(default_factory=list)
    astray: int = 0
    _count: Counter[str] = field(default_factory=Counter)
    _by_key: dict[str, tuple[bytes, str]] = field(default_factory=dict)

    def sent(self, mark: str) -> int:
        """Notes a request, and says how many there were before."""
        self.sends.append((mark, time.monotonic()))
        self._count[mark] += 1
        return self._count[mark] - 1

    def apply(self, operation: Operation, mark: str, body: bytes) -> str:
        """Makes the record and answers its ID; a repeat of a key that the vendor takes makes no other."""
        key = operation.key(body)
        if key is not None and key in self._by_key:
            before, record_id = self._by_key[key]
            self.astray += before != body
            return record_id
        record_id = f"log_{uuid.uuid4().hex}" if operation.takes_key else str(uuid.uuid4())
        self.effects.append((mark, record_id, time.monotonic()))
        if key is not None:
            self._by_key[key] = (body, record_id)
        return record_id

    def as_json(self) -> dict[str, Any]:
        return {"sends": self.sends, "effects": self.effects, "astray": self.astray}
