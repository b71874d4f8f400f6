"""The door: who asks, found out before anything else of a request is read."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from app.bad_request import BadRequest
from app.clock import Clock, now_ms
from app.current import current
from app.database import is_unavailable
from app.head import Head
from app.security.keys import GatewayKey, Keys
from app.security.rates import FailedKeys
from app.security.recognised import Recognised
from app.telemetry import describe
from app.transactions import ANSWER_SECONDS
from schema.errors import LedgerUnavailable

if TYPE_CHECKING:
    from app.security.tokens import Tokens

REVOKED_WITHIN = 1.0
"""In seconds: how long a key that was recognised is taken without asking again."""

_log = logging.getLogger(__name__)


class Door:
    """Lets in whoever presents a key or a token that is recognised."""

    def __init__(
        self,
        keys: Keys,
        tokens: Tokens | None,
        failed: FailedKeys,
        clock: Clock = now_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._tokens = tokens
        self._failed = failed
        self._clock = clock
        self._recognised = Recognised(monotonic)

    async def admit(self, head: Head) -> GatewayKey:
        """Who is asking. Raises BadRequest."""
        presented = presented_in(head)
        key = self._recognised.find(presented) if presented else None
        if key is None:
            key = await self.recognise(presented, head.client) if presented else None
        if key is None:
            raise unauthenticated(presented)
        return key

    async def recognise(self, presented: str, address: str) -> GatewayKey | None:
        """Who presents it from this address, asked anew. Raises BadRequest where that can't be told, or not so often."""
        if not self._recognised.knew(presented):
            self._failed.check(address)
        key = await self._ask(presented)
        if key is None:
            self._recognised.forget(presented)
            self._failed.note(address)
            return None
        self._recognised.remember(presented, key, self._seconds(key))
        return key

    async def _ask(self, presented: str) -> GatewayKey | None:
        if self._tokens is not None and self._tokens.is_token(presented):
            return await self._tokens.recognise(presented)
        try:
            seconds = current().remaining(ANSWER_SECONDS) or ANSWER_SECONDS  # a connection outlives its request
            async with asyncio.timeout(seconds):
                return await self._keys.recognise(presented)
        except (SQLAlchemyError, OSError) as error:
            if not is_unavailable(error):
                raise
            _log.error("a key can't be looked at", extra=describe(error))
            raise _unavailable() from None

    def _seconds(self, key: GatewayKey) -> float:
        if key.expires_ms is None:
            return REVOKED_WITHIN
        return max(0.0, min(REVOKED_WITHIN, (key.expires_ms - self._clock()) / 1000))


def presented_in(head: Head) -> str:
    """The key or token in a request's headers; empty where there is none."""
    scheme, _, token = (head.get(b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else head.get(b"x-api-key") or ""


def _unavailable() -> BadRequest:
    message = "The database does not answer, so nobody knows whose key this is. Nothing was done: try again later."
    return BadRequest(503, LedgerUnavailable.code, message, {"retry-after": "1"})


def unauthenticated(presented: str) -> BadRequest:
    """RFC 6750, section 3: what is asked for, and that what was presented is no good."""
    challenge = 'Bearer error="invalid_token"' if presented else "Bearer"
    message = "Send a valid gateway key: Authorization: Bearer … or x-api-key: …."
    return BadRequest(401, "UNAUTHENTICATED", message, {"www-authenticate": challenge})
