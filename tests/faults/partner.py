"""A gateway as a process of its own, and a partner who sends it writes and compares what both sides say."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
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
from app.vendor import VendorSpec
from schema.vendor import Environment, Vendor
from tests.canaries.keys import canary
from tests.cli.command import ROOT, Started, started
from tests.databases import open_engine
from tests.faults.matrix import IN_TIME
from tests.faults.operations import WORKSPACE
from tests.faults.server import AUTHORITY

SERVE = (sys.executable, "-m", "app.cli", "serve", "--port", "0")
SLACK = 2.0
"""In seconds: what a machine with other work may add to the quarter of a second that a gateway may be late."""

VENDOR_OF = {
    "createPersonLog": Vendor.ARCHITECT,
    "createProspectLog": Vendor.ARCHITECT,
    "createContact": Vendor.BIRD,
    "syncContactMethods": Vendor.ARTU,
    "logActivity": Vendor.REEVO,
}
HTTP = ("vendor", "closing")
KEYED = ("createPersonLog", "createProspectLog")
_MADE = {
    "createPersonLog": "made: personLog { vendorRecord { id } }",
    "createProspectLog": "made: prospectLog { vendorRecord { id } }",
    "createContact": "made: contact { vendorRecord { id } }",
    "syncContactMethods": "made: created { vendorRecord { id } }",
    "logActivity": "made: activity { vendorRecord { id } }",
}
_BALLAST = "x" * 1_000_000
_ERRORS = (
    "errors { code retryable ... on VendorUnavailable { retryAfterSeconds } ... on RateLimited { retryAfterSeconds } }"
)
_RECEIPTS = """query ($after: String) { receipts(first: 100, after: $after) {
  nodes { idempotencyKey state needsAttention } pageInfo { endCursor hasNextPage } } }"""


@dataclass(frozen=True)
class Told:
    """What a partner was told of a write, how many seconds that took, and when it was, by the monotonic clock."""

    state: str | None
    code: str | None = None
    retryable: bool | None = None
    record_id: str | None = None
    replayed: bool | None = None
    wait: float | None = None
    seconds: float = field(default=0.0, compare=False)
    at: float = field(default_factory=time.monotonic, compare=False)


@dataclass(frozen=True)
class Truth:
    """What the vendor says of itself (tests.faults.truth)."""

    requests: Sequence[tuple[str, float]]
    records: Sequence[tuple[str, str, float]]
    astray: int

    @property
    def sends(self) -> Mapping[str, int]:
        """How often each write was sent."""
        return Counter(mark for mark, _ in self.requests)

    @property
    def effects(self) -> list[tuple[str, str]]:
        """What was made: the write's mark, and the record's ID."""
        return [(mark, record_id) for mark, record_id, _ in self.records]

    def sent(self, mark: str, until: float = math.inf) -> int:
        """How often a write had been sent by a time of the monotonic clock."""
        return sum(each == mark and at <= until for each, at in self.requests)

    def made(self, mark: str, until: float = math.inf) -> list[str]:
        """The IDs of what had been made of a write by then."""
        return [record_id for each, record_id, at in self.records if each == mark and at <= until]


@dataclass
class FaultyVendor:
    """The server's ports, by name."""

    ports: Mapping[str, int]
    folder: Path

    def url(self, port: str) -> str:
        if port == "no-such-host":
            return "https://nowhere.invalid"
        return f"{'http' if port in HTTP else 'https'}://localhost:{self.ports[port]}"

    async def truth(self) -> Truth:
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            told = (await http.get(f"http://127.0.0.1:{self.ports['truth']}/")).json()
        return Truth([*map(tuple, told["sends"])], [*map(tuple, told["effects"])], told["astray"])


@dataclass
class Partner:
    """Sends writes to one gateway, in one environment. A write's mark is its idempotency key too."""

    process: Started
    http: httpx.AsyncClient
    key: str
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def write(
        self, operation: str, mark: str, *, deadline: float = IN_TIME, large: bool = False, **more: Any
    ) -> Told:
        kind = f"{operation[0].upper()}{operation[1:]}Input"
        query = (
            f"mutation ($input: {kind}!) {{ it: {operation}(input: $input) "
            f"{{ {_MADE[operation]} receipt {{ state replayed }} {_ERRORS} }} }}"
        )
        given = write_input(operation, mark, _BALLAST if large else "") | {"idempotencyKey": mark} | more
        began = time.monotonic()
        answer = await self.ask(query, {"input": given}, deadline)
        return _told(answer, time.monotonic() - began)

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None, deadline: float = IN_TIME) -> Any:
        headers = {"authorization": f"Bearer {self.key}", "x-request-timeout-ms": str(round(deadline * 1000))}
        body = {"query": query, "variables": variables}
        return (await self.http.post("/graphql", json=body, headers=headers)).json()

    async def receipts(self) -> dict[str, str]:
        """The state of each write, by its mark; of one that failed and was sent anew, that of the newest, which is listed first."""
        states: dict[str, str] = {}
        after, more = None, True
        while more:
            page = (await self.ask(_RECEIPTS, {"after": after}))["data"]["receipts"]
            for each in page["nodes"]:
                states.setdefault(each["idempotencyKey"], each["state"])
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        return states

    async def settled(self, marks: set[str], seconds: float = 60.0) -> dict[str, str]:
        """The states, once these writes are no longer in doubt or under way."""
        async with asyncio.timeout(seconds):
            states = await self.receipts()
            while {states[each] for each in marks} - {"SUCCEEDED", "FAILED"}:
                await asyncio.sleep(0.2)  # another process's work, which can only be asked after
                states = await self.receipts()
        return states


def write_input(operation: str, mark: str, ballast: str = "") -> dict[str, Any]:
    """An input that carries the mark to the vendor; ballast comes after it."""
    if operation in KEYED:
        return {"source": mark, "payload": {"ballast": ballast}, "emailAddress": "ada@example.com"}
    if operation == "createContact":
        return {"displayName": mark, "attributes": {"ballast": ballast}}
    if operation == "logActivity":
        return {"subject": mark, "description": ballast}
    client_id = f"00000000-0000-4000-8000-{abs(hash(mark)) % 16**12:012x}"
    item = {"type": "OTHER", "value": "x", "label": mark, "metadata": {"ballast": ballast}}
    return {"client": {"clientId": client_id}, "items": [item]}


@asynccontextmanager
async def faulty_vendor(folder: Path) -> AsyncIterator[FaultyVendor]:
    """The server of tests.faults in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.server", _made(folder), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        yield FaultyVendor(json.loads(await process.stdout.readline()), folder)
    finally:
        process.kill()
        await process.communicate()


@asynccontextmanager
async def gateway(
    vendor: FaultyVendor, home: Path, ports: Mapping[tuple[Vendor, Environment], str], **settings: str
) -> AsyncIterator[dict[Environment, Partner]]:
    """A gateway whose vendors are at these ports of the server, and a partner in each environment."""
    environ = {
        "SWITCHBOARD_DATABASE_URL": f"sqlite:///{_made(home)}/switchboard.db",
        "SWITCHBOARD_SECRET": canary("secret"),
        "SWITCHBOARD_VENDOR_TIMEOUT": "30",  # what a machine with much else to do may take
        "SSL_CERT_FILE": str(vendor.folder / f"{AUTHORITY}.pem"),
        **settings,
    }
    for spec in VENDORS:
        for environment in Environment:
            prefix = PREFIXES[environment]
            port = ports.get((spec.vendor, environment), "vendor")
            environ[prefix + base_url_name(spec.vendor)] = vendor.url(port)
            environ |= given_values(spec, prefix)
    keys = await _keys(environ)
    limits = httpx.Limits(max_connections=None, keepalive_expiry=1)  # before the server ends an idle connection
    async with (
        started(*SERVE, home=home, until="GraphQL ", **environ) as process,
        httpx.AsyncClient(base_url=process.url, timeout=90, limits=limits, trust_env=False) as http,
    ):
        yield {environment: Partner(process, http, key) for environment, key in keys.items()}


def given_values(spec: VendorSpec, prefix: str) -> dict[str, str]:
    """What opens a vendor of tests.faults, which lets everybody in, by the names of variables."""
    key = canary(spec.vendor.value.lower())
    return {prefix + name: WORKSPACE if name.endswith("_ID") else key for name in spec.variables}


def _made(folder: Path) -> str:
    folder.mkdir(exist_ok=True)
    return str(folder)


async def _keys(environ: Mapping[str, str]) -> dict[Environment, str]:
    settings = read_settings(environ, VENDORS)
    engine = open_engine(settings.database_url)
    try:
        await migrate(engine)
        keys = Keys(Transactions(engine), open_signer(settings))
        return {environment: await keys.create("Partner", environment, ["*"], None) for environment in Environment}
    finally:
        await engine.dispose()


def _told(answer: Any, seconds: float) -> Told:
    if answer.get("errors"):
        return Told(None, answer["errors"][0]["extensions"]["code"], seconds=seconds)
    it = answer["data"]["it"]
    made = it["made"][0] if isinstance(it["made"], list) and it["made"] else it["made"] or None
    error = it["errors"][0] if it["errors"] else {}
    receipt = it["receipt"] or {}
    return Told(
        receipt.get("state"),
        error.get("code"),
        error.get("retryable"),
        made["vendorRecord"]["id"] if made else None,
        receipt.get("replayed"),
        error.get("retryAfterSeconds"),
        seconds,
    )
