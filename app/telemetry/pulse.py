"""Twice a second: how late the event loop is, for what holds it up holds up every request; and what only a look can tell."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NoReturn

from prometheus_client import Histogram

EVERY = 0.5
"""In seconds."""


async def beat(lag: Histogram, looks: Sequence[Callable[[], None]]) -> NoReturn:
    """Measures and looks for as long as it is let run; `looks` may grow meanwhile."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY
        await asyncio.sleep(EVERY)
        lag.observe(max(0.0, loop.time() - due))
        for look in looks:
            look()
