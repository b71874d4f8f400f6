"""A clock that only the test moves."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Clockwork:
    """Seconds since any beginning. `pauses` are the waits that were asked for; each moves the clock on."""

    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += seconds

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.passes(seconds)
