"""Keys at the door: recognised for a moment without asking, never longer than a second, and guessed at in vain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event, make_url

from app.bad_request import BadRequest
from app.head import Head
from app.migrate import migrated
from app.security.door import REVOKED_WITHIN, Door
from app.security.keys import Keys, id_of
from app.security.rates import FailedKeys
from app.security.signing import Signer
from app.transactions import Transactions
from schema.access import SCOPES
from schema.vendor import Environment
from tests.canaries.keys import canary, wrong_key
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

VIEWER = "{ viewer { keyId } }"
UNKNOWN = wrong_key()


@dataclass
class Guarded:
    """A door over an empty database; `now` is its monotonic clock, `selects` counts what it asked the database."""

    keys: Keys
    door: Door
    now: list[float]
    selects: list[str]

    async def is_let_in(self, key: str, address: str = "192.0.2.1") -> bool:
        headers = [(b"x-api-key", key.encode())]
        try:
            await self.door.admit(Head({"method": "POST", "headers": headers, "client": (address, 1)}))
        except BadRequest as refused:
            return refused.status != 401
        return True


@pytest.fixture
async def guarded(tmp_path: Path) -> AsyncIterator[Guarded]:
    """Three wrong keys a minute are forgiven."""
    selects: list[str] = []
    now = [100.0]

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.startswith("SELECT"):
            selects.append(statement)

    async with migrated(make_url(f"sqlite:///{tmp_path / 'switchboard.db'}")) as engine:
        with closing(Transactions(engine)) as transactions:
            event.listen(transactions.engine, "before_cursor_execute", note)
            keys = Keys(transactions, Signer(SecretStr(canary("secret"))))
            yield Guarded(keys, Door(keys, None, FailedKeys(3), monotonic=lambda: now[0]), now, selects)


async def test_a_key_is_looked_up_once_a_second(guarded: Guarded) -> None:
    """However often it asks in between."""
    key = await guarded.keys.create("Busy", Environment.TEST, ["read"])
    for _ in range(100):
        assert await guarded.is_let_in(key)
        guarded.now[0] += REVOKED_WITHIN / 50
    assert len(guarded.selects) == 2


async def test_a_revoked_key_is_let_in_for_a_second_at_most(guarded: Guarded) -> None:
    """It was revoked elsewhere: this process finds out when it next asks."""
    key = await guarded.keys.create("Lost", Environment.TEST, ["read"])
    assert await guarded.is_let_in(key)
    await guarded.keys.revoke(id_of(key))
    guarded.now[0] += REVOKED_WITHIN
    assert not await guarded.is_let_in(key)


async def test_a_key_that_ends_within_the_second_ends_on_time(guarded: Guarded) -> None:
    """What was remembered of it ends with it."""
    key = await guarded.keys.create("Brief", Environment.TEST, ["read"], lifetime_ms=400)
    assert await guarded.is_let_in(key)
    selects = len(guarded.selects)
    guarded.now[0] += 0.4
    await guarded.is_let_in(key)
    assert len(guarded.selects) == selects + 1


async def test_wrong_keys_of_an_address_are_soon_not_even_looked_up(guarded: Guarded) -> None:
    """After three in a minute: 429 with the seconds, for this address alone, and a key that is at work goes on."""
    key = await guarded.keys.create("Neighbour", Environment.TEST, ["read"])
    assert await guarded.is_let_in(key)
    for _ in range(3):
        assert not await guarded.is_let_in(UNKNOWN)
    looked = len(guarded.selects)
    with pytest.raises(BadRequest) as raised:
        await guarded.door.recognise(UNKNOWN, "192.0.2.1")
    assert (raised.value.status, raised.value.code, len(guarded.selects)) == (429, "RATE_LIMITED", looked)
    assert 1 <= int(raised.value.headers["retry-after"]) == raised.value.facts["retryAfter"] <= 60
    assert not await guarded.is_let_in(UNKNOWN, "192.0.2.2")
    guarded.now[0] += 10 * REVOKED_WITHIN
    assert await guarded.is_let_in(key)


async def test_a_network_of_ipv6_is_one_address(guarded: Guarded) -> None:
    """Whoever has one of its addresses has them all; the next network is another's."""
    for n in range(3):
        assert not await guarded.is_let_in(UNKNOWN, f"2001:db8:0:1::{n}")
    with pytest.raises(BadRequest):
        await guarded.door.recognise(UNKNOWN, "2001:db8:0:1:ffff::")
    assert await guarded.door.recognise(UNKNOWN, "2001:db8:0:2::") is None


async def test_an_ipv4_address_is_itself_as_a_socket_for_both_shows_it(guarded: Guarded) -> None:
    """Each of them is another's, though all of them are of one network of IPv6."""
    for address in ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:c000:201"):
        assert not await guarded.is_let_in(UNKNOWN, address)
    for address in ("192.0.2.1", "::ffff:192.0.2.1"):
        with pytest.raises(BadRequest):
            await guarded.door.recognise(UNKNOWN, address)
    assert await guarded.door.recognise(UNKNOWN, "::ffff:192.0.2.2") is None


async def test_a_key_revoked_from_outside_is_out_of_a_running_gateway(tmp_path: Path) -> None:
    """As `switchboard keys revoke` does it, and it stays so."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
            key = await served.new_key("read")
            assert (await served.ask(VIEWER, key=key)).response.status_code == 200
            await served.with_keys(lambda keys: keys.revoke(id_of(key)))
            while (await served.ask(VIEWER, key=key)).response.status_code == 200:
                pass
            assert (await served.ask(VIEWER, key=key)).response.status_code == 401


@pytest.mark.parametrize("environment", Environment)
async def test_the_schema_is_read_in_live_by_scope_only(tmp_path: Path, environment: Environment) -> None:
    """In TEST by everybody; the name of a type is no secret anywhere."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        async with gateway(environ, tmp_path / "switchboard.db", upstream) as served:
            everything_else = sorted(SCOPES.keys() - {"schema:read", "*"})
            without = await served.new_key(*everything_else, environment=environment)
            for key, may in (
                (without, environment is Environment.TEST),
                (await served.new_key("schema:read", environment=environment), True),
                (await served.new_key("*", environment=environment), True),
            ):
                await _check_introspection(served, key, may=may)
            assert (await served.ask("{ __typename }", key=without)).data == {"__typename": "Query"}


async def _check_introspection(served: Gateway, key: str, *, may: bool) -> None:
    for document in (
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { a: __schema { queryType { name } } }",
        "{ ... @include(if: true) { __schema { queryType { name } } } }",
        "query A { __typename } query B { __schema { queryType { name } } }",
    ):
        response = await served.http.post(
            "/graphql",
            json={"query": document, "operationName": "B" if "query B" in document else None},
            headers={"x-api-key": key},
        )
        codes = [
            (each["extensions"]["code"], each["extensions"]["scope"]) for each in response.json().get("errors", [])
        ]
        assert codes == ([] if may else [("FORBIDDEN", "schema:read")])
