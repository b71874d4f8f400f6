"""A vendor that is down, slow, broken or not configured takes exactly the fields that need it, and nothing else."""

import json
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from app.registry import VENDORS
from app.sandbox.server import serving
from app.sandbox.world import build_world
from app.serving import loopback_sockets, sandbox_environ
from schema.vendor import Vendor
from tests.gateway import Answer, gateway

ELIF = build_world().humans[4]
QUERY = """query($email: EmailAddress!, $contact: ID!, $log: ID!, $account: ID!) {
    profile(by: { emailAddress: $email }) {
        displayName emailAddresses phoneNumbers linkedinProfileUrls vendorRecords { vendor }
        people { name ...Links contacts { displayName } }
        prospects { name emailAddresses ...Links contacts { displayName } }
        contacts { displayName }
        ...OfProfile
    }
    contact(by: { id: $contact }) { displayName person { name } prospect { name } ...Links }
    contacts(first: 2) { nodes { displayName identifiers { key } profile { displayName } ...Links } }
    contactMethods(first: 2) { nodes { value contacts { displayName } profile { contacts { displayName } } } }
    activities(of: { accountId: $account }, first: 1) { nodes { subject people { name } contacts { displayName } } }
    people { nodes { name emailAddresses phoneNumbers } }
    prospects { nodes { name } }
    node(id: $log) { ... on PersonLog { source } }
}
fragment Links on Party {
    ... on Person { contactMethods { nodes { value } } activities { nodes { subject } } }
    ... on Prospect { contactMethods { nodes { value } } activities { nodes { subject } } }
    ... on Contact { contactMethods { nodes { value } } activities { nodes { subject contacts { displayName } } } }
}
fragment OfProfile on Profile {
    contactMethods { nodes { value } } activities { nodes { subject people { name } contacts { displayName } } }
}"""
NEEDED_FOR = {
    Vendor.ARCHITECT: {"node"},
    Vendor.BIRD: {"contact", "contacts"},
    Vendor.ARTU: {"contactMethods"},
    Vendor.REEVO: {"activities"},
}
"""The fields that need a vendor; all else is answered by others, or from memory."""

UNAVAILABLE = {"code": "VENDOR_UNAVAILABLE", "retryable": True}
NOT_CONFIGURED = {"code": "VENDOR_NOT_CONFIGURED", "retryable": False}
FAULTS = {"down": UNAVAILABLE, "slow": UNAVAILABLE, "broken": UNAVAILABLE, "not configured": NOT_CONFIGURED}


class Switch:
    """Stands in front of a sandbox and, once told to, answers in its place or never."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.fault = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match self.fault:
            case "slow":
                while (await receive())["type"] != "http.disconnect":
                    pass
            case "broken":
                headers = [(b"content-type", b"text/html")]
                await send({"type": "http.response.start", "status": 500, "headers": headers})
                await send({"type": "http.response.body", "body": b"<html>Oops</html>"})
            case _:
                await self._app(scope, receive, send)


@pytest.mark.parametrize("vendor", Vendor)
async def test_exactly_the_fields_that_need_a_faulty_vendor_are_null(vendor: Vendor, tmp_path: Path) -> None:
    """One error each, with its path, code, vendor and whether to try again; all else as when all is well.

    Nothing but a person who passed through is in memory, so every link has to be asked for.
    """
    async with _switched() as (switches, environ):
        log = await _pass_through(environ, tmp_path / "seed.db")
        well = await _ask(environ, tmp_path, log)
        assert well.errors == []
        assert "null" not in json.dumps(well.data)
        expected, gone = _without(well.data, vendor)
        for fault, facts in FAULTS.items():
            switches[vendor].fault = fault
            answer = await _ask(_faulty(environ, vendor, fault), tmp_path, log)
            errors = [(error["path"], error["extensions"]) for error in answer.errors]
            assert (fault, answer.data) == (fault, expected)
            assert sorted(errors, key=str) == sorted(
                ((path, {**facts, "vendor": vendor.value}) for path in gone), key=str
            )


@asynccontextmanager
async def _switched() -> AsyncIterator[tuple[Mapping[Vendor, Switch], dict[str, str]]]:
    """The demo sandboxes behind switches, and the settings that lead to them."""
    sockets, world = loopback_sockets(VENDORS), build_world()
    switches = {spec.vendor: Switch(spec.sandbox(world)) for spec in VENDORS}
    apps = {vendor.value: switch for vendor, switch in switches.items()}
    with serving(apps, sockets):
        yield switches, sandbox_environ(VENDORS, sockets, "127.0.0.1")


async def _pass_through(environ: Mapping[str, str], database: Path) -> str:
    """Lets a person pass through; answers the ID of the log."""
    given = {"emailAddress": ELIF.email, "name": "Elif", "source": "web", "payload": {}}
    async with gateway(environ, database, []) as served:
        made = (await served.run("create_person_log", {"input": given}))["createPersonLog"]
    return str(made["personLog"]["id"])


async def _ask(environ: Mapping[str, str], folder: Path, log: str) -> Answer:
    """Asks a gateway that remembers the person, and has all else to find out."""
    contact, account = ELIF.uuid("bird/contact"), ELIF.company.account_id
    variables = {"email": ELIF.email, "contact": contact, "log": log, "account": account}
    for suffix in ("", "-wal"):
        if (folder / f"seed.db{suffix}").exists():
            shutil.copy(folder / f"seed.db{suffix}", folder / f"switchboard.db{suffix}")
    async with gateway(environ, folder / "switchboard.db", []) as served:
        return await served.ask(QUERY, variables)


def _faulty(environ: Mapping[str, str], vendor: Vendor, fault: str) -> dict[str, str]:
    """The settings with which the vendor is down, not configured, or not waited for."""
    name = f"TEST_{vendor.value}"
    match fault:
        case "down":
            return {**environ, f"{name}_BASE_URL": "http://127.0.0.1:1"}
        case "not configured":
            return {key: value for key, value in environ.items() if not key.startswith(name)}
        case "slow":
            return {**environ, "SWITCHBOARD_VENDOR_TIMEOUT": "8"}  # enough for the others, also where much else is done
        case _:
            return {**environ}


def _without(data: Any, vendor: Vendor) -> tuple[Any, list[list[str | int]]]:
    """The answer with every field null that needs the vendor, and the paths of those."""
    gone: list[list[str | int]] = []

    def pruned(value: Any, path: list[str | int]) -> Any:
        if isinstance(value, list):
            return [pruned(each, [*path, n]) for n, each in enumerate(value)]
        if not isinstance(value, dict):
            return value
        lost = [name for name in value if name in NEEDED_FOR[vendor]]
        gone.extend([*path, name] for name in lost)
        kept: dict[str, Any] = {
            name: None if name in lost else pruned(each, [*path, name]) for name, each in value.items()
        }
        if "vendorRecords" in kept and vendor is not Vendor.ARCHITECT:
            kept["vendorRecords"] = [each for each in kept["vendorRecords"] if each["vendor"] != vendor.value]
        return kept

    return pruned(data, []), gone
