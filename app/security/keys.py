"""Gateway keys: made once, shown once, kept as an ID and an HMAC.

A key reads `sk_test_<id>_<secret>` or `sk_live_<id>_<secret>`; the ID is no secret. To rotate a key is to give it another
secret: who it is, and with that its receipts, its idempotency keys and its callbacks, stays.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sqlalchemy import Connection, Row, insert, select, update

from app.clock import Clock, now_ms
from app.database import callback_urls, gateway_keys
from app.security.signing import Signer
from app.transactions import Transactions
from schema.types.status import Viewer
from schema.vendor import Environment

SANDBOX_KEY = "sk_test_sandbox"
"""Opens environment TEST of a gateway that runs its sandboxes on a loopback address."""

KEY_ID = re.compile(r"[a-z0-9]{16}")
_FORM = re.compile(r"sk_(test|live)_([a-z0-9]{16})_([A-Za-z0-9]{43,64})")
_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
_SECRET_ALPHABET = _ID_ALPHABET + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PURPOSE = "gateway key"


@dataclass(frozen=True)
class GatewayKey:
    """A key that was recognised: who is asking, and what they may. `expires_ms` is when that ends, if it does."""

    id: str
    name: str
    environment: Environment
    scopes: tuple[str, ...]
    expires_ms: int | None = field(default=None, compare=False)

    @cached_property
    def viewer(self) -> Viewer:
        """The same, as the schema shows it."""
        return Viewer(key_id=self.id, name=self.name, environment=self.environment, scopes=list(self.scopes))

    @cached_property
    def account(self) -> str:
        """Under which name its spendings and its connections are counted: one subject's tokens have the same ID in both
        environments.
        """
        return f"{self.environment.value}:{self.id}"


@dataclass(frozen=True)
class StoredKey:
    """What is kept of a key, as it may be shown; times are milliseconds since 1970."""

    id: str
    name: str
    environment: Environment
    scopes: tuple[str, ...]
    created_ms: int
    expires_ms: int | None
    revoked_ms: int | None
    previous_until_ms: int | None


class StillPromised(Exception):
    """A key can't have another secret yet: the one before its present one opens until `until_ms`, as was promised."""

    def __init__(self, until_ms: int) -> None:
        super().__init__(until_ms)
        self.until_ms = until_ms


class Keys:
    """The keys of one gateway. With `sandbox`, SANDBOX_KEY is one of them."""

    def __init__(
        self, transactions: Transactions, signer: Signer, *, sandbox: bool = False, clock: Clock = now_ms
    ) -> None:
        self._transactions = transactions
        self._signer = signer
        self._clock = clock
        self._sandbox = GatewayKey("sandbox", "Sandbox", Environment.TEST, ("*",)) if sandbox else None

    async def create(
        self,
        name: str,
        environment: Environment,
        scopes: Sequence[str],
        callback_url: str | None = None,
        lifetime_ms: int | None = None,
    ) -> str:
        """Makes a key and returns it: the only time that it can be seen. Its background writes are told to `callback_url`."""
        key_id = _random(_ID_ALPHABET, 16)
        secret = _random(_SECRET_ALPHABET, 43)
        created_ms = self._clock()
        row = {
            "id": key_id,
            "name": name,
            "environment": environment.value,
            "scopes": list(scopes),
            "digest": self._digest(key_id, environment, secret),
            "created_ms": created_ms,
            "expires_ms": None if lifetime_ms is None else created_ms + lifetime_ms,
        }

        def store(connection: Connection) -> None:
            connection.execute(insert(gateway_keys).values(row))
            if callback_url is not None:
                connection.execute(insert(callback_urls).values(gateway_key=key_id, url=callback_url))

        await self._transactions.run(store, writes=True)
        return _shown(environment, key_id, secret)

    async def recognise(self, presented: str) -> GatewayKey | None:
        """Who a key belongs to, or None. Digests are compared in constant time, and as many where there is no such key."""
        if self._sandbox and hmac.compare_digest(presented.encode(errors="replace"), SANDBOX_KEY.encode()):
            return self._sandbox
        form = _FORM.fullmatch(presented)
        if form is None:
            return None
        row = await self._row(form[2])
        given = self._digest(form[2], Environment(form[1].upper()), form[3])
        if not self._opens(given, row) or row is None or self._is_over(row):
            return None
        return GatewayKey(row.id, row.name, Environment(row.environment), tuple(row.scopes), row.expires_ms)

    async def list(self) -> Sequence[StoredKey]:
        """All keys, the oldest first."""
        every = select(gateway_keys).order_by(gateway_keys.c.created_ms, gateway_keys.c.id)
        return await self._transactions.run(lambda c: [_stored(row) for row in c.execute(every)])

    async def revoke(self, key_id: str) -> bool:
        """Ends a key for good; False if there is none. A running gateway stops taking it within a second."""
        revoked = update(gateway_keys).where(gateway_keys.c.id == key_id, gateway_keys.c.revoked_ms.is_(None))
        now = self._clock()
        await self._transactions.run(lambda c: c.execute(revoked.values(revoked_ms=now)) and None, writes=True)
        return await self._row(key_id) is not None

    async def rotate(self, key_id: str, overlap_ms: int, *, force: bool = False) -> str | None:
        """The same key with another secret, or None if there is none to rotate. The old one opens for `overlap_ms` more.

        Raises StillPromised while the one before opens as well: with `force`, that one ends now.
        """
        row = await self._row(key_id)
        if row is None or self._is_over(row):
            return None
        if not force and self._clock() < (row.previous_until_ms or 0):
            raise StillPromised(row.previous_until_ms)
        environment, secret = Environment(row.environment), _random(_SECRET_ALPHABET, 43)
        values = {
            "digest": self._digest(key_id, environment, secret),
            "previous_digest": row.digest,
            "previous_until_ms": self._clock() + overlap_ms,
        }
        rotated = update(gateway_keys).where(gateway_keys.c.id == key_id).values(values)
        await self._transactions.run(lambda c: c.execute(rotated) and None, writes=True)
        return _shown(environment, key_id, secret)

    async def _row(self, key_id: str) -> Row[tuple[object, ...]] | None:
        wanted = select(gateway_keys).where(gateway_keys.c.id == key_id)
        return await self._transactions.run(lambda c: c.execute(wanted).one_or_none())

    def _opens(self, given: str, row: Row[tuple[object, ...]] | None) -> bool:
        impossible = given[::-1]
        now, before = (row.digest, row.previous_digest or impossible) if row is not None else (impossible, impossible)
        is_now = hmac.compare_digest(given, now)
        was_before = hmac.compare_digest(given, before)
        return is_now or (was_before and row is not None and self._clock() < (row.previous_until_ms or 0))

    def _is_over(self, row: Row[tuple[object, ...]]) -> bool:
        return row.revoked_ms is not None or (row.expires_ms is not None and self._clock() >= row.expires_ms)

    def _digest(self, key_id: str, environment: Environment, secret: str) -> str:
        return self._signer.sign(_PURPOSE, key_id, environment.value, secret).hex()


def id_of(key: str) -> str:
    """The ID in a key that was made here."""
    return key.split("_")[2]


def _shown(environment: Environment, key_id: str, secret: str) -> str:
    return f"sk_{environment.value.lower()}_{key_id}_{secret}"


def _stored(row: Row[tuple[object, ...]]) -> StoredKey:
    return StoredKey(
        row.id,
        row.name,
        Environment(row.environment),
        tuple(row.scopes),
        row.created_ms,
        row.expires_ms,
        row.revoked_ms,
        row.previous_until_ms,
    )


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))
