"""How much may be asked in how long: by a key, in cost; by an address, in wrong keys."""

from __future__ import annotations

import hashlib
import logging
import math
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address, ip_network

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from pydantic import SecretStr

from app.bad_request import BadRequest
from app.settings import Rate

CODE = "RATE_LIMITED"
_PLACES = 4_096
_PATIENCE = 0.25  # seconds: without an answer by then a request goes on uncounted
_ABSENCE = 5.0  # seconds until it is asked again
_log = logging.getLogger(__name__)


class Budget:
    """What keys may spend in a window of time.

    Where the store does not answer, nothing is counted and all may ask; it is left alone for a while, so that nobody waits for it.
    """

    def __init__(self, rate: Rate, store: SecretStr | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._item: RateLimitItem = RateLimitItemPerSecond(rate.cost, rate.seconds, namespace="switchboard")
        self._storage = _storage(store)
        self._limiter = FixedWindowRateLimiter(self._storage)
        self._monotonic = monotonic
        self._back_at = float("-inf")

    async def spend(self, key_id: str, cost: int) -> list[tuple[bytes, bytes]]:
        """The headers that say what is left (draft-ietf-httpapi-ratelimit-headers). Raises BadRequest if it is too little."""
        if self._monotonic() < self._back_at:
            return []
        try:
            is_within = await self._limiter.test(self._item, key_id, cost=cost)
            is_within = is_within and await self._limiter.hit(self._item, key_id, cost=cost)
            reset, left = await self._limiter.get_window_stats(self._item, key_id)
        except StorageError as error:
            self._back_at = self._monotonic() + _ABSENCE
            _log.warning(
                "the store of rate limits does not answer", extra={"error": type(error.storage_error).__name__}
            )
            return []
        seconds = max(1, math.ceil(reset - time.time()))
        headers = self._headers(left, seconds)
        if not is_within:
            raise self._exceeded(cost, seconds, headers)
        return [(name.encode(), value.encode()) for name, value in headers.items()]

    async def close(self) -> None:
        if isinstance(self._storage, RedisStorage) and isinstance(self._storage.bridge, RedispyBridge):
            await self._storage.bridge.storage.aclose()

    def _headers(self, left: int, seconds: int) -> dict[str, str]:
        policy = f'"cost";q={self._rate.cost};w={self._rate.seconds}'
        return {"ratelimit-policy": policy, "ratelimit": f'"cost";r={left};t={seconds}'}

    def _exceeded(self, cost: int, seconds: int, headers: dict[str, str]) -> BadRequest:
        if cost > self._rate.cost:
            message = f"This costs {cost}, and a key may spend {self._rate.cost}: ask for smaller pages (first)."
            return BadRequest(429, CODE, message, headers, {"retryable": False})
        message = f"This key has spent what it may: ask again in {seconds} seconds."
        return too_many(message, seconds, headers)


class FailedKeys:
    """Addresses that present wrong keys too often, where each costs a look into the database.

    Counted in a fixed number of places, by a hash that nobody outside can work out: a million addresses take no more memory
    than one. In IPv6 a network of 64 bits is one address, for whoever has one has them all.
    """

    def __init__(self, most: int) -> None:
        self._item = RateLimitItemPerMinute(most) if most else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._pepper = secrets.token_bytes(16)

    async def check(self, address: str) -> None:
        """Raises BadRequest for an address that did so."""
        place = self._place(address)
        if self._item is None or await self._limiter.test(self._item, place):
            return
        reset, _ = await self._limiter.get_window_stats(self._item, place)
        seconds = max(1, math.ceil(reset - time.time()))
        raise too_many(f"Too many wrong keys from this address: ask again in {seconds} seconds.", seconds, {})

    async def note(self, address: str) -> None:
        if self._item is not None:
            await self._limiter.hit(self._item, self._place(address))

    def _place(self, address: str) -> str:
        with suppress(ValueError):
            found = ip_address(address)
            address = str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
        hashed = hashlib.blake2b(address.encode(), digest_size=4, key=self._pepper).digest()
        return str(int.from_bytes(hashed) % _PLACES)


def too_many(message: str, seconds: int, headers: dict[str, str]) -> BadRequest:
    """RFC 6585, section 4."""
    headers = {**headers, "retry-after": str(seconds)}
    return BadRequest(429, CODE, message, headers, {"retryable": True, "retryAfter": seconds})


def _storage(store: SecretStr | None) -> Storage:
    if store is None:
        return MemoryStorage()
    url = store.get_secret_value().replace(
        "redis", "async+valkey", 1
    )  # the client that is installed; it speaks to both
    return RedisStorage(
        url,
        wrap_exceptions=True,
        key_prefix="switchboard",
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
    )
