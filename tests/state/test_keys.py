"""Gateway keys: recognised when they are ours, stored so that a thief of the database has none."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from app.database import gateway_keys
from app.migrate import migrate
from app.security.keys import SANDBOX_KEY, GatewayKey, Keys
from app.security.signing import Signer
from app.transactions import Transactions
from schema.vendor import Environment
from tests.canaries.keys import canary
from tests.databases import opened

SIGNER = Signer(SecretStr(canary("secret")))


@pytest.fixture
async def keys(engine: AsyncEngine) -> Keys:
    """The keys of a gateway over an empty database."""
    await migrate(engine)
    return Keys(Transactions(engine), SIGNER)


@pytest.mark.parametrize("environment", list(Environment), ids=lambda each: each.value)
async def test_a_key_is_recognised_with_its_name_environment_and_scopes(keys: Keys, environment: Environment) -> None:
    """What was given at creation is what comes back; the ID is the key's second part."""
    key = await keys.create("Réports ✓", environment, ["read", "contacts:write"])
    kind, where, key_id, _ = key.split("_")
    assert (kind, where) == ("sk", environment.value.lower())
    expected = GatewayKey(key_id, "Réports ✓", environment, ("read", "contacts:write"))
    assert await keys.recognise(key) == expected


async def test_no_two_keys_are_alike(keys: Keys) -> None:
    """The same request twice makes two keys, both good."""
    made = {await keys.create("Twin", Environment.TEST, ["*"]) for _ in range(2)}
    assert len({found.id for key in made if (found := await keys.recognise(key))}) == 2


async def test_what_is_not_exactly_a_key_of_ours_is_nobodys(keys: Keys) -> None:
    """A wrong secret, environment, ID or form is no key, and none of them is an exception."""
    key = await keys.create("Owner", Environment.TEST, ["*"])
    _, _, key_id, secret = key.split("_")
    wrong = [
        f"sk_live_{key_id}_{secret}",
        f"sk_test_{key_id}_{secret.swapcase()}",
        f"sk_test_{key_id}_{secret}a",
        f"sk_test_{'a' * 16}_{secret}",
        f"{key}\n",
        f" {key}",
        key.upper(),
        key_id,
        secret,
        "",
        "sk_test_",
        SANDBOX_KEY,
        "Ünïcode ✓",
        "a" * 100_000,
    ]
    assert [await keys.recognise(each) for each in wrong] == [None] * len(wrong)


async def test_another_secret_knows_none_of_the_keys(engine: AsyncEngine) -> None:
    """A database without its SWITCHBOARD_SECRET opens nothing."""
    await migrate(engine)
    key = await Keys(Transactions(engine), SIGNER).create("Owner", Environment.TEST, ["*"])
    assert await Keys(Transactions(engine), Signer(SecretStr("the secret of another gateway"))).recognise(key) is None


async def test_the_sandbox_key_is_taken_only_where_asked_for(engine: AsyncEngine) -> None:
    """It opens environment TEST with all scopes, and needs no row."""
    await migrate(engine)
    sandbox = GatewayKey("sandbox", "Sandbox", Environment.TEST, ("*",))
    assert await Keys(Transactions(engine), SIGNER, sandbox=True).recognise(SANDBOX_KEY) == sandbox
    assert await Keys(Transactions(engine), SIGNER).recognise(SANDBOX_KEY) is None


async def test_only_an_id_and_a_digest_are_stored(keys: Keys, engine: AsyncEngine) -> None:
    """A row has 64 hexadecimal digits in the place of the secret."""
    key = await keys.create("Owner", Environment.LIVE, ["read"])
    _, _, key_id, secret = key.split("_")
    async with engine.connect() as connection:
        [row] = (await connection.execute(select(gateway_keys))).mappings()
    stored = dict(row)
    digest, created_ms = stored.pop("digest"), stored.pop("created_ms")
    lives = dict.fromkeys(("expires_ms", "revoked_ms", "previous_digest", "previous_until_ms"))
    assert stored == {"id": key_id, "name": "Owner", "environment": "LIVE", "scopes": ["read"], **lives}
    assert (len(bytes.fromhex(digest)), isinstance(created_ms, int)) == (32, True)
    assert secret not in repr(row)


async def test_the_secret_stands_nowhere_in_the_sqlite_files(tmp_path: Path) -> None:
    """Neither the database nor its write-ahead log holds a key's secret; its ID they do."""
    async with opened(URL.create("sqlite", database=str(tmp_path / "switchboard.db"))) as engine:
        await migrate(engine)
        key = await Keys(Transactions(engine), SIGNER).create("Owner", Environment.TEST, ["*"])
        stored = _everything_in(tmp_path)
    _, _, key_id, secret = key.split("_")
    assert (key_id.encode() in stored, secret.encode() in stored) == (True, False)


def _everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())
