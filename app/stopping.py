"""How a gateway that is to be stopped tells everybody who works in it."""

from __future__ import annotations

import asyncio

from starlette.types import Scope

DRAINING = "draining"
"""In the state that the server hands to the app: an asyncio.Event, set once the gateway is to be stopped."""


def draining(scope: Scope) -> asyncio.Event:
    """The event of a connection's server; one that is never set where the server has none."""
    event: asyncio.Event = scope.get("state", {}).get(DRAINING) or asyncio.Event()
    return event
