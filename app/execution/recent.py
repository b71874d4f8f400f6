"""Remembers what was used lately, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Values by key, of which those that were not used for the longest time are forgotten."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._kept: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def keep(self, key: K, value: V, size: int) -> None:
        """Remembers a value of so many bytes, unless it alone is too large."""
        if size > self._most_bytes:
            return
        self._forget(key)
        self._kept[key] = (value, size)
        self.bytes += size
        self._make_room()

    def grow(self, key: K, by: int) -> None:
        """Takes into account that a value has become larger."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept[key] = (kept[0], kept[1] + by)
            self.bytes += by
            self._make_room()

    def _make_room(self) -> None:
        while len(self._kept) > self._most or self.bytes > self._most_bytes:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: K) -> None:
        forgotten = self._kept.pop(key, None)
        if forgotten is not None:
            self.bytes -= forgotten[1]
