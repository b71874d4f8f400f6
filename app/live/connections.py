"""Who is connected: counted, so that nobody takes the place of all others, and looked at again while it lasts."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

from graphql import GraphQLError
from sqlalchemy.exc import SQLAlchemyError

from app.bad_request import BadRequest
from app.head import Head
from app.limits import LiveLimits
from app.security.door import Door
from app.security.keys import GatewayKey
from app.telemetry import describe

_log = logging.getLogger(__name__)


class KeyLost(Exception):
    """The key was revoked or has expired while its connection was open."""


@dataclass
class Connections:
    """The open connections of one process; `turned_away` is told of those that there is no place for."""

    limits: LiveLimits
    turned_away: Callable[[str, Mapping[str, Any]], None] = lambda *_: None
    _open: int = 0
    _of_keys: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def one(self) -> Iterator[None]:
        """Holds a place until the block ends. Raises BadRequest where there is none."""
        if self._open >= self.limits.connections:
            message = "The gateway has as many open connections as it takes. Try again later."
            raise self._full(503, "OVERLOADED", "connections", message)
        self._open += 1
        try:
            yield
        finally:
            self._open -= 1

    @contextmanager
    def of(self, key: GatewayKey) -> Iterator[None]:
        """The same, of a key's own places."""
        if self._of_keys[key.account] >= self.limits.connections_per_key:
            message = (
                f"This key has {self.limits.connections_per_key} open connections: close one, or follow more on each."
            )
            raise self._full(429, "RATE_LIMITED", "connections-per-key", message)
        self._of_keys[key.account] += 1
        try:
            yield
        finally:
            self._of_keys[key.account] -= 1
            if not self._of_keys[key.account]:
                del self._of_keys[key.account]

    def full(self) -> GraphQLError:
        """Why one more operation on a connection is refused."""
        most = self.limits.subscriptions
        facts = {"limit": "subscriptions"}
        self.turned_away("RATE_LIMITED", facts)
        message = f"This connection has {most} operations under way: complete one first, or open another connection."
        return GraphQLError(message, extensions={"code": "RATE_LIMITED", **facts})

    def _full(self, status: int, code: str, limit: str, message: str) -> BadRequest:
        facts = {"limit": limit}
        self.turned_away(code, facts)
        return BadRequest(status, code, message, facts=facts)


@dataclass
class Caller:
    """Who is at the other end, by the head that was presented; `key` is as it was when last looked at."""

    door: Door
    head: Head
    key: GatewayKey

    async def watch(self, every: float) -> NoReturn:
        """Looks at the key again and again. Raises KeyLost."""
        while True:
            await asyncio.sleep(every)
            try:
                self.key = await self.door.admit(self.head)
            except BadRequest as refused:
                if refused.status == 401:
                    raise KeyLost from None
            except (SQLAlchemyError, OSError) as error:  # that can't be told for now, as above
                _log.warning("a key can't be looked at", extra=describe(error))
