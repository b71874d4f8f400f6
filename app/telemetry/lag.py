"""How late the event loop is: what holds it up holds up every request."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from prometheus_client import Histogram

EVERY = 0.5
"""In seconds: how often it is asked."""


async def watch_lag(lag: Histogram) -> NoReturn:
    """Measures for as long as it is let run."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY
        await asyncio.sleep(EVERY)
        lag.observe(max(0.0, loop.time() - due))
