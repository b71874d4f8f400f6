"""Gateway keys: made once, shown once, kept as an ID and an HMAC.

A key reads `sk_test_<id>_<secret>` or `sk_live_<id>_<secret>`; the ID is no secret.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import callback_urls, gateway_keys, writing
from app.security.signing import Signer
from schema.vendor import Environment

SANDBOX_KEY = "sk_test_sandbox"
"""Opens environment TEST of a gateway that runs its sandboxes on a loopback address."""

_FORM = re.compile(r"sk_(test|live)_([a-z0-9]{16})_([A-Za-z0-9]{43,64})")
_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_SECRET_ALPHABET = _ID_ALPHABET + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PURPOSE = "gateway key"


@dataclass(frozen=True)
class GatewayKey:
    """A key that was recognised: who is asking, and what they may."""

    id: str
    name: str
    environment: Environment
    scopes: tuple[str, ...]


class Keys:
    """The keys of one gateway. With `sandbox`, SANDBOX_KEY is one of them."""

    def __init__(self, engine: AsyncEngine, signer: Signer, *, sandbox: bool = False) -> None:
        self._engine = engine
        self._signer = signer
        self._sandbox = GatewayKey("sandbox", "Sandbox", Environment.TEST, ("*",)) if sandbox else None

    async def create(
        self, name: str, environment: Environment, scopes: Sequence[str], callback_url: str | None = None
    ) -> str:
        """Makes a key and returns it: the only time that it can be seen. Its background writes are told to `callback_url`."""
        key_id = _random(_ID_ALPHABET, 16)
        secret = _random(_SECRET_ALPHABET, 43)
        row = {
            "id": key_id,
            "name": name,
            "environment": environment.value,
            "scopes": list(scopes),
            "digest": self._digest(key_id, environment, secret),
            "created_ms": time.time_ns() // 1_000_000,
        }
        async with writing(self._engine).begin() as connection:
            await connection.execute(insert(gateway_keys).values(row))
            if callback_url is not None:
                await connection.execute(insert(callback_urls).values(gateway_key=key_id, url=callback_url))
        return f"sk_{environment.value.lower()}_{key_id}_{secret}"

    async def recognise(self, presented: str) -> GatewayKey | None:
        """Who a key belongs to, or None. The digest is compared in constant time."""
        if self._sandbox and hmac.compare_digest(presented.encode(), SANDBOX_KEY.encode()):
            return self._sandbox
        form = _FORM.fullmatch(presented)
        if form is None:
            return None
        environment = Environment(form[1].upper())
        async with self._engine.connect() as connection:
            row = (await connection.execute(select(gateway_keys).where(gateway_keys.c.id == form[2]))).one_or_none()
        given = self._digest(form[2], environment, form[3])
        if not hmac.compare_digest(given, row.digest if row else given[::-1]) or row is None:
            return None
        return GatewayKey(row.id, row.name, Environment(row.environment), tuple(row.scopes))

    def _digest(self, key_id: str, environment: Environment, secret: str) -> str:
        return self._signer.sign(_PURPOSE, key_id, environment.value, secret).hex()


def id_of(key: str) -> str:
    """The ID in a key that was made here."""
    return key.split("_")[2]


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
