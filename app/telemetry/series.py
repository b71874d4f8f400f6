"""The series of a metric, found once: label sets stay bounded whatever is counted."""

from __future__ import annotations

from typing import Generic, TypeVar

from prometheus_client import Counter, Gauge, Histogram

M = TypeVar("M", Counter, Gauge, Histogram)

OTHER = "other"


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
