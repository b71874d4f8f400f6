"""The series of a metric, found once: label sets stay bounded whatever is counted."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Generic, TypeVar

from prometheus_client import Counter, Gauge, Histogram

from app.telemetry.backlog import Measure

OTHER = "other"


class Durations(Histogram):
    """A histogram of seconds that takes many of them at once."""

    def observe_all(self, seconds: Sequence[float]) -> None:
        self._sum.inc(sum(seconds))
        reached = [0] * len(self._upper_bounds)
        for each in seconds:
            reached[bisect_left(self._upper_bounds, each)] += 1
        for bucket, count in zip(self._buckets, reached, strict=True):
            if count:
                bucket.inc(count)


M = TypeVar("M", Counter, Gauge, Durations)


class Series(Generic[M]):
    """The children of one metric by the values of its labels; beyond `most`, all is counted as `other`."""

    def __init__(self, metric: M, most: int = 500) -> None:
        self._metric: M = metric
        self._most = most
        self._children: dict[tuple[str, ...], M] = {}

    def of(self, *values: str) -> M:
        """The child with these values. Prometheus' own look-up takes a lock and makes strings: too slow for every call."""
        child = self._children.get(values)
        return child if child is not None else self._add(values)

    def _add(self, values: tuple[str, ...]) -> M:
        if len(self._children) >= self._most:
            return self._metric.labels(*(OTHER for _ in values))
        child = self._children[values] = self._metric.labels(*values)
        return child


def measuring(count: Counter, durations: Durations) -> Measure:
    """Counts what was done, and how long each took."""

    def measure(seconds: Sequence[float]) -> None:
        count.inc(len(seconds))
        durations.observe_all(seconds)

    return measure
