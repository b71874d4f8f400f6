"""Who was recognised a moment ago, so that not every request has to ask the database."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from app.security.keys import GatewayKey

MOST = 10_000


class _Entry(NamedTuple):
    key: GatewayKey
    until: float


class Recognised:
    """Remembers who presented what, by a hash of it: what is presented is held nowhere. Bounded; the oldest goes first."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._peppered = hashlib.blake2b(digest_size=16, key=secrets.token_bytes(32))
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()

    def find(self, presented: str) -> GatewayKey | None:
        """Who it is, as long as that holds without asking again."""
        entry = self._entries.get(self._hash(presented))
        return entry.key if entry is not None and self._monotonic() < entry.until else None

    def knew(self, presented: str) -> bool:
        """Whether it was ever somebody, even if that has to be asked again."""
        return self._hash(presented) in self._entries

    def remember(self, presented: str, key: GatewayKey, seconds: float) -> None:
        hashed = self._hash(presented)
        self._entries[hashed] = _Entry(key, self._monotonic() + seconds)
        self._entries.move_to_end(hashed)
        if len(self._entries) > MOST:
            self._entries.popitem(last=False)

    def forget(self, presented: str) -> None:
        self._entries.pop(self._hash(presented), None)

    def _hash(self, presented: str) -> bytes:
        hashing = self._peppered.copy()
        hashing.update(presented.encode(errors="surrogatepass"))
        return hashing.digest()
