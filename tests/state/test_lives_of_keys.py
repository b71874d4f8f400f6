"""Keys end, are revoked and get other secrets, on a clock that the test holds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import gateway_keys
from app.migrate import migrate
from app.security.keys import Keys, StillPromised, id_of
from app.security.signing import Signer
from app.transactions import Transactions
from schema.vendor import Environment
from tests.canaries.keys import canary

DAY = 86_400_000


@dataclass
class Time:
    """Milliseconds, moved by hand."""

    now: int = 1_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
async def keys(engine: AsyncEngine, time: Time) -> Keys:
    """The keys of a gateway over an empty database."""
    await migrate(engine)
    return Keys(Transactions(engine), Signer(SecretStr(canary("secret"))), clock=time)


async def test_a_key_ends_when_its_days_are_over(keys: Keys, time: Time) -> None:
    """Not before, and for good."""
    key = await keys.create("Trial", Environment.TEST, ["read"], lifetime_ms=30 * DAY)
    time.now += 30 * DAY - 1
    known = await keys.recognise(key)
    assert (known is not None and known.expires_ms) == 1_000_000 + 30 * DAY
    time.now += 1
    assert await keys.recognise(key) is None
    assert await keys.rotate(id_of(key), DAY) is None


async def test_a_revoked_key_opens_nothing_and_can_be_revoked_again(keys: Keys, time: Time) -> None:
    """The first time stands; a key that isn't there is told so."""
    key, other = [await keys.create(name, Environment.LIVE, ["*"]) for name in ("Lost", "Kept")]
    assert await keys.revoke(id_of(key))
    time.now += DAY
    assert await keys.revoke(id_of(key))
    assert await keys.recognise(key) is None
    assert await keys.recognise(other) is not None
    assert {each.id: each.revoked_ms for each in await keys.list()} == {id_of(key): 1_000_000, id_of(other): None}
    assert not await keys.revoke("a" * 16)
    assert await keys.rotate(id_of(key), DAY) is None


async def test_a_rotated_key_stays_who_it_is(keys: Keys, time: Time) -> None:
    """Both secrets open it for as long as was said; then the new one alone."""
    old = await keys.create("Partner", Environment.TEST, ["read", "contacts:write"])
    new = await keys.rotate(id_of(old), DAY)
    assert new is not None
    assert (id_of(new), new != old) == (id_of(old), True)
    assert await keys.recognise(new) == await keys.recognise(old) is not None
    time.now += DAY
    assert await keys.recognise(old) is None
    assert await keys.recognise(new) is not None


async def test_a_key_that_is_rotated_twice_keeps_the_last_two_secrets(keys: Keys) -> None:
    """And with no overlap only the last."""
    first = await keys.create("Partner", Environment.TEST, ["read"])
    second = await keys.rotate(id_of(first), DAY)
    third = await keys.rotate(id_of(first), DAY, force=True)
    fourth = await keys.rotate(id_of(first), 0, force=True)
    known = [await keys.recognise(each or "") is not None for each in (first, second, third, fourth)]
    assert known == [False, False, False, True]


async def test_a_secret_opens_for_as_long_as_was_promised(keys: Keys, time: Time) -> None:
    """Until then there is no third one, unless it is forced."""
    first = await keys.create("Partner", Environment.TEST, ["read"])
    await keys.rotate(id_of(first), DAY)
    time.now += DAY - 1
    with pytest.raises(StillPromised) as refused:
        await keys.rotate(id_of(first), 0)
    assert refused.value.until_ms == 1_000_000 + DAY
    assert await keys.recognise(first) is not None
    time.now += 1
    assert await keys.rotate(id_of(first), 0) is not None


async def test_no_secret_is_stored_of_any_of_them(keys: Keys, engine: AsyncEngine) -> None:
    """Neither of the present one nor of the one before."""
    made = await keys.create("Partner", Environment.TEST, ["read"])
    rotated = await keys.rotate(id_of(made), DAY)
    async with engine.connect() as connection:
        [row] = await connection.execute(select(gateway_keys))
    stored = repr(tuple(row))
    assert rotated is not None
    assert [each.split("_")[3] in stored for each in (made, rotated)] == [False, False]
