"""Counts what keys spend for all processes together, in Valkey or Redis. Imported only where there is such a store."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from pydantic import SecretStr

from app.security.windows import Standing

_PATIENCE = 0.25  # seconds: without an answer by then a request goes on uncounted
_ABSENCE = 5.0  # seconds until it is asked again
_NONSENSE = (ValueError, TypeError, OverflowError, RecursionError)
"""What its client and the library raise of an answer that can't be read, or is no number."""

_log = logging.getLogger(__name__)


class Store:
    """So many in so many seconds, for each name.

    A store that does not answer, or answers nonsense, is left alone for a while, so that nobody waits for it.
    """

    def __init__(self, most: int, seconds: int, url: SecretStr, monotonic: Callable[[], float]) -> None:
        self._item: RateLimitItem = RateLimitItemPerSecond(most, seconds, namespace="switchboard")
        self._storage = RedisStorage(
            url.get_secret_value().replace("redis", "async+valkey", 1),  # the client that is installed speaks to both
            wrap_exceptions=True,
            key_prefix="switchboard",
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
        )
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._monotonic = monotonic
        self._back_at = float("-inf")

    async def spend(self, name: str, cost: int) -> Standing | None:
        """None where that can't be told: then nothing was counted."""
        if self._monotonic() < self._back_at:
            return None
        try:
            return await self._spend(name, cost)
        except (StorageError, *_NONSENSE) as error:
            self._back_at = self._monotonic() + _ABSENCE
            cause = error.storage_error if isinstance(error, StorageError) else error
            _log.warning("the store of rate limits does not answer as it should", extra={"error": type(cause).__name__})
            return None

    async def close(self) -> None:
        if isinstance(self._storage.bridge, RedispyBridge):
            await self._storage.bridge.storage.aclose()

    async def _spend(self, name: str, cost: int) -> Standing:
        is_within = await self._limiter.test(self._item, name, cost=cost)
        is_within = is_within and await self._limiter.hit(self._item, name, cost=cost)
        reset, left = await self._limiter.get_window_stats(self._item, name)
        seconds = min(math.ceil(reset - time.time()), self._item.get_expiry())  # a window never ends later
        return Standing(is_within, left, max(1, seconds))
