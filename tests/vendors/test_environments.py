"""TEST and LIVE: two sets of vendors with keys of their own, and a gateway key reaches only its own set."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from app.main import open_signer
from app.registry import VENDORS
from app.sandbox.server import serving
from app.security.keys import Keys
from app.serving import loopback_sockets
from app.settings import PREFIXES, read_settings
from app.transactions import Transactions
from app.variables import base_url_name
from app.vendors.architect import sandbox as architect
from app.vendors.artu import sandbox as artu
from app.vendors.bird import sandbox as bird
from app.vendors.reevo import sandbox as reevo
from schema.vendor import Environment
from tests.canaries.keys import canary
from tests.databases import open_engine
from tests.gateway import Gateway, Recorder, UpstreamCall, gateway

SANDBOXES: Mapping[str, Any] = {"ARCHITECT": architect, "BIRD": bird, "ARTU": artu, "REEVO": reevo}
KEY_VARIABLES = {"ARCHITECT_API_KEY", "BIRD_ACCESS_KEY", "ARTU_API_KEY", "REEVO_API_KEY"}
LOG = '{source: "web", payload: {}, emailAddress: "ada@example.com"}'
CLIENT = f'clientId: "{artu.FIRST_CLIENT_ID}"'
EVERYTHING = f"""mutation {{
  a: createPersonLog(input: {LOG}) {{ personLog {{ id }} errors {{ message }} }}
  b: createProspectLog(input: {LOG}) {{ prospectLog {{ id }} errors {{ message }} }}
  c: createContact(input: {{displayName: "Ada"}}) {{ contact {{ id }} errors {{ message }} }}
  d: syncContactMethods(input: {{client: {{{CLIENT}}}, items: [{{type: FAX, value: "1"}}]}}) {{ errors {{ message }} }}
  e: logActivity(input: {{subject: "Call"}}) {{ activity {{ id }} errors {{ message }} }}
}}"""
READS = f"""{{
  contacts {{ nodes {{ id }} }}
  contactMethods(filter: {{{CLIENT}}}) {{ nodes {{ id }} }}
  activities(of: {{accountId: "{bird.WORKSPACE_ID}"}}) {{ nodes {{ id }} }}
}}"""


def key_of(vendor: str, environment: Environment) -> str:
    return f"{environment.value.lower()}-{canary(vendor.lower())}"


def headers_of(environment: Environment) -> dict[str, dict[str, str]]:
    """What each vendor of an environment must be sent."""
    where = environment.value
    return {
        f"{where} ARCHITECT": {"x-api-key": key_of("ARCHITECT", environment)},
        f"{where} BIRD": {"authorization": f"AccessKey {key_of('BIRD', environment)}"},
        f"{where} ARTU": {"authorization": f"Bearer {key_of('ARTU', environment)}", "x-environment": where.lower()},
        f"{where} REEVO": {"authorization": f"Bearer {key_of('REEVO', environment)}"},
    }


@asynccontextmanager
async def both_environments(folder: Path) -> AsyncIterator[tuple[Gateway, dict[Environment, str]]]:
    """A gateway over eight sandboxes, four to each environment, and a gateway key to each."""
    calls: list[UpstreamCall] = []
    environ = {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{folder / 'switchboard.db'}"}
    with ExitStack() as stack:
        for environment in Environment:
            environ |= _serve(stack, environment, calls)
        async with gateway(environ, folder / "switchboard.db", calls) as served:
            yield served, await _gateway_keys(environ)


def _serve(stack: ExitStack, environment: Environment, calls: list[UpstreamCall]) -> dict[str, str]:
    """Serves the four sandboxes of one environment; returns the variables that lead to them."""
    sockets, prefix = loopback_sockets(VENDORS), PREFIXES[environment]
    apps: dict[str, Recorder] = {}
    environ: dict[str, str] = {}
    for spec in VENDORS:
        name = spec.vendor.value
        key = key_of(name, environment)
        apps[name] = Recorder(f"{environment.value} {name}", SANDBOXES[name].create_sandbox(key=key), calls)
        environ |= {prefix + variable: key for variable in spec.variables if variable in KEY_VARIABLES}
        environ[prefix + base_url_name(spec.vendor)] = f"http://127.0.0.1:{sockets[name].getsockname()[1]}"
    stack.enter_context(serving(apps, sockets))
    return {**environ, f"{prefix}BIRD_WORKSPACE_ID": bird.WORKSPACE_ID}


async def _gateway_keys(environ: Mapping[str, str]) -> dict[Environment, str]:
    settings = read_settings(environ, VENDORS)
    engine = open_engine(settings.database_url)
    keys = Keys(Transactions(engine), open_signer(settings))
    made = {environment: await keys.create("Tests", environment, ["*"]) for environment in Environment}
    await engine.dispose()
    return made


@pytest.mark.parametrize("environment", Environment)
async def test_a_key_reaches_only_its_own_environment(environment: Environment, tmp_path: Path) -> None:
    """Addresses, keys and Artu's X-Environment are all those of the key's environment, in writes and in reads."""
    expected = headers_of(environment)
    async with both_environments(tmp_path) as (served, keys):
        written = await served.ask(EVERYTHING, key=keys[environment])
        assert written.errors == []
        assert [payload["errors"] for payload in written.data.values()] == [[]] * 5
        asked = list(served.upstream)
        read = await served.ask(READS, key=keys[environment])
        assert read.errors == []
        asked += served.upstream
    assert {call.vendor for call in asked} == set(expected)
    own = {"x-api-key", "authorization", "x-environment"}
    assert [{name: call.headers[name] for name in own & set(call.headers)} for call in asked] == [
        expected[call.vendor] for call in asked
    ]


async def test_what_one_environment_wrote_is_not_in_the_other(tmp_path: Path) -> None:
    """Neither at the vendors nor in the gateway's memory."""
    query = "{ contacts { nodes { id } } }"
    async with both_environments(tmp_path) as (served, keys):
        made = (await served.ask(EVERYTHING, key=keys[Environment.TEST])).data
        live = await served.ask(query, key=keys[Environment.LIVE])
        test = await served.ask(query, key=keys[Environment.TEST])
        activity = f'{{ activity(id: "{made["e"]["activity"]["id"]}") {{ id }} }}'
        assert (await served.ask(activity, key=keys[Environment.LIVE])).data == {"activity": None}
        assert (await served.ask(activity, key=keys[Environment.TEST])).data == {"activity": made["e"]["activity"]}
    assert live.data == {"contacts": {"nodes": []}}
    assert test.data == {"contacts": {"nodes": [made["c"]["contact"]]}}
