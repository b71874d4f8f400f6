"""A partner who writes through gateways that die, and knows of each write what it was told; and the vendor's own account."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.main import open_signer
from app.migrate import migrate
from app.registry import VENDORS
from app.security.keys import Keys
from app.settings import PREFIXES, read_settings
from app.transactions import Transactions
from app.variables import base_url_name
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from schema.vendor import Environment
from tests.canaries.keys import canary, sandbox_keys
from tests.cli.command import ROOT, Started, started
from tests.databases import open_engine
from tests.vendors.writes import ACCOUNT_ID

SERVE = (sys.executable, "-m", "app.cli", "serve", "--port", "0")
KEYED = ("createPersonLog", "createProspectLog")
MADE = {
    "createPersonLog": "personLog { vendorRecord { id } }",
    "createProspectLog": "prospectLog { vendorRecord { id } }",
    "createContact": "contact { vendorRecord { id } }",
    "syncContactMethods": "created { vendorRecord { id } }",
    "logActivity": "activity { vendorRecord { id } }",
}
"""By mutation, the record that it makes."""

_PATIENCE = 60.0


@dataclass(frozen=True)
class Told:
    """What the partner was told of a write; `record_id` is the vendor's own."""

    state: str | None
    record_id: str | None
    replayed: bool | None


@dataclass(frozen=True)
class Truth:
    """What the vendors were sent and made of a write."""

    sent: int
    made: tuple[str, ...]


class Vendors:
    """The process of tests.kills.vendor. `ports` are those of the vendors and of its control, by name."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self.ports = ports

    async def reached(self, mark: str) -> None:
        """Waits until a write is held."""
        await self._ask("reached", mark)

    async def release(self, mark: str) -> None:
        await self._ask("release", mark)

    async def truth(self, mark: str) -> Truth:
        told = await self._ask("truth")
        return Truth(told["sent"].get(mark, 0), tuple(told["made"].get(mark, ())))

    async def _ask(self, *path: str) -> Any:
        async with httpx.AsyncClient(trust_env=False, timeout=_PATIENCE) as http:
            return (await http.get(f"http://127.0.0.1:{self.ports['control']}/{'/'.join(path)}")).json()


@dataclass
class Partner:
    """Asks one gateway after another, over one database. `told` is all that it was ever told of its write."""

    operation: str
    mark: str
    environ: dict[str, str]
    key: str
    home: Path
    told: list[Told] = field(default_factory=list)

    @asynccontextmanager
    async def gateway(self, **settings: str) -> AsyncIterator[Started]:
        async with started(*SERVE, home=self.home, until="GraphQL ", **(self.environ | settings)) as running:
            yield running

    async def write(self, gateway: Started) -> Told | None:
        """Sends the write, always under the same key; None where the connection breaks."""
        kind = f"{self.operation[0].upper()}{self.operation[1:]}Input"
        query = (
            f"mutation ($input: {kind}!) {{ it: {self.operation}(input: $input) "
            f"{{ made: {MADE[self.operation]} receipt {{ state replayed }} errors {{ code }} }} }}"
        )
        given = _input(self.operation, self.mark) | {"idempotencyKey": self.mark}
        try:
            answer = (await gateway.ask(query, {"input": given}, self.key)).json()
        except httpx.TransportError:
            return None
        told = _told(answer["data"]["it"])
        self.told.append(told)
        return told

    async def states(self, gateway: Started) -> list[str]:
        """The states that the write has had; none if there is no receipt."""
        query = "query ($key: String!) { receipt(by: {idempotencyKey: $key}) { events { to } } }"
        answer = (await gateway.ask(query, {"key": self.mark}, self.key)).json()
        found = answer["data"]["receipt"]
        return [event["to"] for event in found["events"]] if found is not None else []

    async def settled(self, gateway: Started) -> list[str]:
        """The same once it is final, or in doubt after it was looked for in vain."""
        async with asyncio.timeout(_PATIENCE):
            states = await self.states(gateway)
            while not _is_settled(states):
                await asyncio.sleep(0.2)  # another process's work, which can only be asked after
                states = await self.states(gateway)
        return states


@asynccontextmanager
async def serving_vendors() -> AsyncIterator[Vendors]:
    """The vendors in a process of their own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.kills.vendor", json.dumps(sandbox_keys()), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        yield Vendors(json.loads(await process.stdout.readline()))
    finally:
        process.kill()
        await process.communicate()


def environ_of(vendors: Vendors, home: Path) -> dict[str, str]:
    """The settings of a gateway over these vendors, with a database of its own."""
    environ = {
        "SWITCHBOARD_DATABASE_URL": f"sqlite:///{home / 'switchboard.db'}",
        "SWITCHBOARD_SECRET": canary("secret"),
        "SWITCHBOARD_VENDOR_TIMEOUT": "30",  # what a machine with much else to do may take
    }
    prefix = PREFIXES[Environment.TEST]
    for spec in VENDORS:
        environ[prefix + base_url_name(spec.vendor)] = f"http://127.0.0.1:{vendors.ports[spec.vendor.value]}"
        environ |= {prefix + name: value for name, value in spec.sandbox_values().items()}
    return environ


async def partner_of(environ: dict[str, str], operation: str, mark: str, home: Path) -> Partner:
    """A partner with a gateway key, in a new database."""
    settings = read_settings(environ, VENDORS)
    engine = open_engine(settings.database_url)
    try:
        await migrate(engine)
        key = await Keys(Transactions(engine), open_signer(settings)).create("Partner", Environment.TEST, ["*"], None)
    finally:
        await engine.dispose()
    return Partner(operation, mark, environ, key, home)


def _input(operation: str, mark: str) -> dict[str, Any]:
    """An input that carries the mark to the vendor, and can be looked for there."""
    if operation in KEYED:
        return {"source": mark, "payload": {}, "emailAddress": f"{mark}@example.com"}
    if operation == "createContact":
        return {"displayName": mark, "emailAddresses": [f"{mark}@example.com"]}
    if operation == "logActivity":
        return {"subject": mark, "accountId": ACCOUNT_ID}
    return {"client": {"clientId": FIRST_CLIENT_ID}, "items": [{"type": "OTHER", "value": mark, "label": mark}]}


def _told(it: Any) -> Told:
    made = it["made"][0] if isinstance(it["made"], list) and it["made"] else it["made"] or None
    receipt = it["receipt"] or {}
    return Told(receipt.get("state"), made["vendorRecord"]["id"] if made else None, receipt.get("replayed"))


def _is_settled(states: list[str]) -> bool:
    return states[-1:] in (["SUCCEEDED"], ["FAILED"]) or states[-2:] == ["UNKNOWN", "UNKNOWN"]
