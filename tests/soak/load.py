"""Partners who write and read at a steady rate, whatever becomes of it, and repeat with the same key what was not answered."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.faults.partner import VENDOR_OF, Told
from tests.soak.life import Life

OPERATIONS = tuple(VENDOR_OF)
FAULTS = (
    *("reset-in-body", "reset-after-body", "close", "silence", "reset-mid-answer", "short-body", "short-chunk"),
    *("truncated-json", "malformed-json", "empty-answer", "html-200", "no-id", "gzip", "204", "lying-500", "late"),
    *("429-soon", "421-once", "500", "502", "503", "503-wait", "400", "409", "422", "307", "no-http", "odd-dates"),
)
"""What may befall a write at its vendor, by the names of tests.faults."""

_DEADLINE = 3.0
_PATIENCE = 60.0
_PAUSE = 0.25
_READS = (
    "{ receipts(first: 10) { nodes { id state } } }",
    "{ vendors { vendor available } }",
    "{ people(first: 5) { nodes { id } } }",
)


@dataclass
class Load:
    """`told` is all that partners were told of each write, by its mark; `times` how long each answer took, in milliseconds."""

    life: Life
    chance: random.Random
    writes: float
    reads: float
    faulty: float
    told: dict[str, list[Told]] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    reads_answered: int = 0

    async def run(self, seconds: float) -> None:
        """Begins as many as it should, and waits for all that it has begun."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._steadily(tasks, self.writes, seconds, self._write))
            tasks.create_task(self._steadily(tasks, self.reads, seconds, self._read))

    async def _steadily(
        self, tasks: asyncio.TaskGroup, rate: float, seconds: float, act: Callable[[int], Coroutine[Any, Any, None]]
    ) -> None:
        began = time.monotonic()
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            tasks.create_task(act(number))

    async def _write(self, number: int) -> None:
        """One write, until something definite is told of it, or that it is in doubt."""
        operation = OPERATIONS[number % len(OPERATIONS)]
        fault = self.chance.choice(FAULTS) if self.chance.random() < self.faulty else "healthy"
        mark = f"{fault}-at-{number:x}"
        told = self.told.setdefault(mark, [])
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                answer = await self.life.partner.write(operation, mark, deadline=_DEADLINE)
            except (OSError, EOFError, ValueError):
                await asyncio.sleep(_PAUSE)
                continue
            told.append(answer)
            self.times.append(answer.seconds * 1000)
            if answer.state in ("SUCCEEDED", "UNKNOWN") or not answer.retryable:
                return
            await asyncio.sleep(_PAUSE)

    async def _read(self, number: int) -> None:
        try:
            await self.life.partner.ask(_READS[number % len(_READS)], deadline=_DEADLINE)
        except (OSError, EOFError, ValueError):
            return
        self.reads_answered += 1
