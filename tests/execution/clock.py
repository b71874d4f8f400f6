"""A loop whose time passes only when there is nothing else to do: delays order what happens, and cost nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _VirtualLoop(asyncio.SelectorEventLoop):
    _now = 0.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]  # of asyncio.BaseEventLoop
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]  # likewise
        super()._run_once()  # type: ignore[misc]  # likewise


def run_at_once(work: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine to its end, and what it left behind."""
    with asyncio.Runner(loop_factory=_VirtualLoop) as runner:
        return runner.run(work)
