"""What is to be measured, kept for a moment and measured together.

Counting takes locks, and code that is out of the processor's caches by the time the next request comes to it: many at a time
cost a tenth of what one by one costs. Whoever reads the metrics of this process sees all of them; other processes see them
half a second later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Metric

MOST = 1_000

Measure: TypeAlias = "Callable[[Sequence[float]], None]"
"""Counts as many as it is given seconds; it must be quick, and never fail."""


class Backlog(CollectorRegistry):
    """A registry of metrics that measures what is left to measure before it is read."""

    def __init__(self) -> None:
        super().__init__()
        self._left: list[tuple[Measure, float]] = []

    def add(self, measure: Measure, seconds: float) -> None:
        """Has `measure` called with these seconds, and those of others, soon."""
        self._left.append((measure, seconds))
        if len(self._left) >= MOST:
            self.settle()

    def settle(self) -> None:
        left, self._left = self._left, []
        together: defaultdict[Measure, list[float]] = defaultdict(list)
        for measure, seconds in left:
            together[measure].append(seconds)
        for measure, all_seconds in together.items():
            measure(all_seconds)

    def collect(self) -> Iterator[Metric]:
        self.settle()
        yield from super().collect()
