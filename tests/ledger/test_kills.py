"""A gateway that is killed in the middle of writes: after a restart the vendor's own list and the receipts say the same.

Each test kills a real process with SIGKILL while two writes are under way, one that the vendor takes an idempotency key for
and one that it doesn't, and starts another process over the same database.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.database import migrate, open_engine
from app.main import open_signer
from app.registry import VENDORS
from app.security.keys import Keys
from app.settings import read_settings
from schema.vendor import Environment
from tests.cli.command import Started, started
from tests.ledger.kills import WORKSPACE, Effect, Moment, Tally, Told, Truth, audit

LOG = """mutation ($input: CreatePersonLogInput!) { write: createPersonLog(input: $input) {
  made: personLog { vendorRecord { id } } receipt { state replayed } errors { code } } }"""
CONTACT = """mutation ($input: CreateContactInput!) { write: createContact(input: $input) {
  made: contact { vendorRecord { id } } receipt { state replayed } errors { code } } }"""
RECEIPTS = "{ receipts(first: 50) { nodes { idempotencyKey state events { from to } } } }"
SERVE = (sys.executable, "-m", "app.cli", "serve", "--port", "0")
_PATIENCE = 45.0

WRITES: dict[str, tuple[str, dict[str, Any]]] = {
    "log": (LOG, {"emailAddress": "ada@example.com", "source": "crm", "payload": {"mark": "log"}}),
    "contact": (CONTACT, {"displayName": "contact", "emailAddresses": ["ada@example.com"]}),
}
"""A mutation and its input, by the mark that the vendor knows it by, which is its idempotency key too."""


@dataclass(frozen=True)
class Outcome:
    """How the writes end: SUCCEEDED, but for those that stay `unknown`. `was_in_doubt`: on their way; None if either may be."""

    was_in_doubt: bool | None
    unknown: tuple[str, ...] = ()


OUTCOMES = {
    Moment.CONNECTING: Outcome(was_in_doubt=False),
    Moment.FIRST_BYTE: Outcome(was_in_doubt=True, unknown=("contact",)),
    Moment.TAKEN: Outcome(was_in_doubt=True),
    Moment.APPLIED: Outcome(was_in_doubt=True),
    Moment.ANSWERING: Outcome(was_in_doubt=None),
    Moment.ANSWERED: Outcome(was_in_doubt=False),
}


class Partner:
    """Asks one gateway after another, over one database and one vendor. `told` is all that it was ever told."""

    def __init__(self, environ: dict[str, str], key: str, home: Path) -> None:
        self._environ = environ
        self._key = key
        self._home = home
        self.told: list[Told] = []

    @asynccontextmanager
    async def gateway(self, **changes: str) -> AsyncIterator[Started]:
        async with started(*SERVE, home=self._home, until="GraphQL ", **(self._environ | changes)) as running:
            yield running

    async def repeat(self, gateway: Started) -> list[Told]:
        """Sends both writes at once, and waits for what is told of them: nothing, where the connection breaks."""
        told = [each for each in await asyncio.gather(*(self._send(gateway, mark) for mark in WRITES)) if each]
        self.told += told
        return told

    async def settled(self, gateway: Started) -> list[dict[str, Any]]:
        """The receipts, once each is final, or in doubt after it was looked for in vain."""
        async with asyncio.timeout(_PATIENCE), gateway.http() as http:
            receipts = await self._receipts(http)
            while not all(map(_is_settled, receipts)):
                await asyncio.sleep(
                    0.05
                )  # they are another process's, which can only be asked, and wants the processor
                receipts = await self._receipts(http)
        return receipts

    async def _send(self, gateway: Started, mark: str) -> Told | None:
        mutation, given = WRITES[mark]
        try:
            response = await gateway.ask(mutation, {"input": given | {"idempotencyKey": mark}}, self._key)
        except httpx.TransportError:
            return None
        write = response.json()["data"]["write"]
        receipt, made = write["receipt"], write["made"]
        return Told(mark, receipt["state"], made["vendorRecord"]["id"] if made else None, receipt["replayed"])

    async def _receipts(self, http: httpx.AsyncClient) -> list[dict[str, Any]]:
        headers = {"authorization": f"Bearer {self._key}"}
        response = await http.post("/graphql", json={"query": RECEIPTS}, headers=headers)
        receipts: list[dict[str, Any]] = response.json()["data"]["receipts"]["nodes"]
        return receipts


@pytest.fixture(scope="module")
def tallies() -> Iterator[list[Tally]]:
    """What each kill came to; the sum is printed at the end."""
    found: list[Tally] = []
    yield found
    print(f"\n{len(found)} kills, {sum(found, Tally())}")  # noqa: T201  # shown by pytest -s


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
async def test_a_gateway_that_is_killed_doubles_nothing_and_loses_nothing(
    moment: Moment, tmp_path: Path, tallies: list[Tally]
) -> None:
    """Each write has at most one effect, has it if anybody was told so, and its receipt ends as the vendor's list says: only
    a keyless write that never came back, and can't be found, stays in doubt, and that one is listed and never sent again.
    """
    async with serving(truth := Truth(moment)) as address:
        partner = await _partner(address, tmp_path)
        await _kill(partner, truth, address)
        async with partner.gateway() as gateway:
            await partner.repeat(gateway)
            receipts = await partner.settled(gateway)
            taken = Counter(truth.taken)
            repeated = await partner.repeat(gateway)
            again = await partner.settled(gateway)
        states = {each["idempotencyKey"]: each["state"] for each in receipts}
        tally = audit(truth.effects, states, partner.told)
        tallies.append(tally)
    expected = OUTCOMES[moment]
    assert tally == Tally(writes=2, unknown=expected.unknown)
    assert states == {mark: "UNKNOWN" if mark in expected.unknown else "SUCCEEDED" for mark in WRITES}
    assert {each.mark: (each.state, each.replayed) for each in repeated} == {m: (states[m], True) for m in WRITES}
    assert (Counter(truth.taken), again, truth.misused_keys) == (taken, receipts, [])
    assert taken["contact"] == (0 if "contact" in expected.unknown else 1)
    if expected.was_in_doubt is not None:
        assert [_was_in_doubt(each) for each in receipts] == [expected.was_in_doubt] * len(WRITES)


def test_the_audit_sees_what_is_doubled_lost_or_in_disagreement() -> None:
    """An audit that can't object proves nothing: here each kind of harm is done to one write."""
    now = datetime.now(UTC)
    marks = ("doubled", "doubled", "refused", "mistaken", "unlisted", "turned", "in doubt")
    effects = [Effect(mark, f"id {number}", now) for number, mark in enumerate(marks)]
    states = dict.fromkeys(("doubled", "lost", "mistaken", "turned"), "SUCCEEDED")
    states |= {"refused": "FAILED", "in doubt": "UNKNOWN", "turned": "UNKNOWN"}
    told = [Told("mistaken", "SUCCEEDED", "id 0", replayed=False), Told("turned", "SUCCEEDED", "id 5", replayed=False)]
    disagreeing = ("mistaken", "refused", "turned", "unlisted")
    assert audit(effects, states, told) == Tally(7, ("doubled",), ("lost",), disagreeing, ("in doubt", "turned"))


async def _kill(partner: Partner, truth: Truth, address: str) -> None:
    """Lets a gateway send the writes, and kills it at the moment."""
    # A vendor that holds the first byte of the TLS handshake has not let the connection stand.
    url = f"https://{address}" if truth.moment is Moment.CONNECTING else f"http://{address}"
    async with partner.gateway(TEST_ARCHITECT_BASE_URL=url, TEST_BIRD_BASE_URL=url) as gateway:
        sending = asyncio.create_task(partner.repeat(gateway))
        if truth.moment is Moment.ANSWERED:
            assert [each.state for each in await sending] == ["SUCCEEDED"] * len(WRITES)
        else:
            await truth.reached(len(WRITES))
        killed = await gateway.interrupt(signal.SIGKILL)
        await sending
    truth.release()
    assert killed.code == -signal.SIGKILL


@asynccontextmanager
async def serving(truth: Truth) -> AsyncIterator[str]:
    """Puts the vendor on a socket; yields its host and port."""
    server = await asyncio.start_server(truth.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"{host}:{port}"
    finally:
        truth.release()
        server.close()


async def _partner(address: str, home: Path) -> Partner:
    """A partner with a gateway key of its own, in a new database."""
    environ = {
        "SWITCHBOARD_DATABASE_URL": f"sqlite:///{home / 'switchboard.db'}",
        "SWITCHBOARD_SECRET": "a secret for these tests alone",
        "SWITCHBOARD_VENDOR_TIMEOUT": "4",
        "TEST_ARCHITECT_BASE_URL": f"http://{address}",
        "TEST_ARCHITECT_API_KEY": "a-key",
        "TEST_BIRD_BASE_URL": f"http://{address}",
        "TEST_BIRD_ACCESS_KEY": "a-key",
        "TEST_BIRD_WORKSPACE_ID": WORKSPACE,
    }
    settings = read_settings(environ, VENDORS)
    engine = open_engine(settings.database_url)
    try:
        await migrate(engine)
        key = await Keys(engine, open_signer(settings)).create("Partner", Environment.TEST, ["*"], None)
    finally:
        await engine.dispose()
    return Partner(environ, key, home)


def _is_settled(receipt: dict[str, Any]) -> bool:
    looked_at = {"from": "UNKNOWN", "to": "UNKNOWN"} in receipt["events"]
    return receipt["state"] in ("SUCCEEDED", "FAILED") or (receipt["state"] == "UNKNOWN" and looked_at)


def _was_in_doubt(receipt: dict[str, Any]) -> bool:
    return any(each["to"] == "UNKNOWN" for each in receipt["events"])
