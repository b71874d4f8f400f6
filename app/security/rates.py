"""How much may be asked in how long: by a key, in cost; by an address, in wrong keys."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from pydantic import SecretStr

from app.bad_request import BadRequest
from app.security.windows import Standing, Windows
from app.settings import Rate

if TYPE_CHECKING:
    from app.security.store import Store

CODE = "RATE_LIMITED"
_PLACES = 4_096
_MINUTE = 60


class Budget:
    """What keys may spend in a window of time: counted in the store, or without one by each process for itself.

    Where the store does not answer, nothing is counted and all may ask.
    """

    def __init__(self, rate: Rate, store: SecretStr | None, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._policy = (b"ratelimit-policy", b'"cost";q=%d;w=%d' % (rate.cost, rate.seconds))
        self._windows = Windows(rate.cost, rate.seconds)
        self._store = _open(rate, store, monotonic) if store is not None else None

    async def spend(self, account: str, cost: int) -> list[tuple[bytes, bytes]]:
        """The headers that say what is left (draft-ietf-httpapi-ratelimit-headers). Raises BadRequest if it is too little."""
        standing = self._windows.spend(account, cost) if self._store is None else await self._store.spend(account, cost)
        if standing is None:
            return []
        headers = [self._policy, (b"ratelimit", b'"cost";r=%d;t=%d' % (standing.left, standing.seconds))]
        if not standing.is_within:
            raise self._exceeded(cost, standing, {name.decode(): value.decode() for name, value in headers})
        return headers

    async def close(self) -> None:
        if self._store is not None:
            await self._store.close()

    def _exceeded(self, cost: int, standing: Standing, headers: dict[str, str]) -> BadRequest:
        if cost > self._rate.cost:
            message = f"This costs {cost}, and a key may spend {self._rate.cost}: ask for smaller pages (first)."
            return BadRequest(429, CODE, message, headers, {"retryable": False})
        message = f"This key has spent what it may: ask again in {standing.seconds} seconds."
        return too_many(message, standing.seconds, headers)


class FailedKeys:
    """Addresses that present wrong keys too often, where each costs a look into the database.

    Counted in a fixed number of places, by a hash that nobody outside can work out: a million addresses take no more memory
    than one. In IPv6 a network of 64 bits is one address, for whoever has one has them all.
    """

    def __init__(self, most: int) -> None:
        self._windows = Windows(most, _MINUTE) if most else None
        self._pepper = secrets.token_bytes(16)

    def check(self, address: str) -> None:
        """Raises BadRequest for an address that did so."""
        standing = self._windows.stands(self._place(address)) if self._windows is not None else None
        if standing is None or standing.is_within:
            return
        message = f"Too many wrong keys from this address: ask again in {standing.seconds} seconds."
        raise too_many(message, standing.seconds, {})

    def note(self, address: str) -> None:
        if self._windows is not None:
            self._windows.spend(self._place(address), 1)

    def _place(self, address: str) -> str:
        with suppress(ValueError):
            found = ip_address(address)
            if isinstance(found, IPv6Address):
                found = found.ipv4_mapped or found  # an IPv4 address, as a socket for both shows it
            address = str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)
        hashed = hashlib.blake2b(address.encode(), digest_size=4, key=self._pepper).digest()
        return str(int.from_bytes(hashed) % _PLACES)


def too_many(message: str, seconds: int, headers: dict[str, str]) -> BadRequest:
    """RFC 6585, section 4."""
    headers = {**headers, "retry-after": str(seconds)}
    return BadRequest(429, CODE, message, headers, {"retryable": True, "retryAfter": seconds})


def _open(rate: Rate, url: SecretStr, monotonic: Callable[[], float]) -> Store:
    from app.security.store import Store  # noqa: PLC0415  # a library that only several processes need

    return Store(rate.cost, rate.seconds, url, monotonic)
