"""The vendors' keys are canaries: whatever happens, they stand in no answer, log, repr, file or error."""

from __future__ import annotations

import asyncio
import base64
import gc
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from app.registry import VENDORS
from app.rest import Rest
from app.sandbox.faults import Fault
from app.sandbox.server import serving
from app.serving import loopback_sockets, sandbox_environ
from app.settings import Settings, read_settings
from app.vendors.architect import sandbox as architect
from app.vendors.artu import sandbox as artu
from app.vendors.bird import sandbox as bird
from app.vendors.reevo import sandbox as reevo
from tests.canaries.keys import canary
from tests.gateway import Gateway, gateway
from tests.vendors.watch import everything_logged, seen
from tests.vendors.writes import MUTATIONS, SHOWN, document

CANARIES = {
    "TEST_ARCHITECT_API_KEY": canary("architect"),
    "TEST_BIRD_ACCESS_KEY": canary("bird"),
    "TEST_ARTU_API_KEY": canary("artu"),
    "TEST_REEVO_API_KEY": canary("reevo"),
}
SANDBOXES: Mapping[str, Any] = {"ARCHITECT": architect, "BIRD": bird, "ARTU": artu, "REEVO": reevo}
REFUSED = {name: f"{value}-which-no-sandbox-knows" for name, value in CANARIES.items()}


@asynccontextmanager
async def guarded(folder: Path, keys: Mapping[str, str]) -> AsyncIterator[Gateway]:
    """A gateway with these keys over sandboxes that want the canaries."""
    sockets = loopback_sockets(VENDORS)
    wanted = dict(zip(SANDBOXES, CANARIES.values(), strict=True))
    apps = {name: SANDBOXES[name].create_sandbox(key=key) for name, key in wanted.items()}
    patience = {"SWITCHBOARD_VENDOR_TIMEOUT": "5"}
    with serving(apps, sockets):
        environ = {**sandbox_environ(VENDORS, sockets, "127.0.0.1"), **keys, **patience}
        async with gateway(environ, folder / "switchboard.db", []) as served:
            yield served


async def everything(served: Gateway) -> list[str]:
    """All mutations with and without every fault, then the reads; the answers as text, with their headers."""
    questions = [
        (document(mutation, "errors { __typename code message retryable }"), {"input": given(fault)})
        for mutation, given in MUTATIONS.items()
        for fault in (*Fault, "no-fault")
    ]
    answers = await asyncio.gather(*(served.ask(query, variables) for query, variables in questions))
    answers += [await served.ask(query) for query in SHOWN.values()]
    assert {answer.response.status_code for answer in answers} == {200}
    return [f"{answer.response.headers} {answer.response.text}" for answer in answers]


def files(folder: Path) -> list[bytes]:
    """Every file's content, SQLite's write-ahead log among them."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("keys", [CANARIES, REFUSED], ids=["accepted", "refused"])
async def test_no_vendor_key_is_to_be_seen_anywhere(keys: Mapping[str, str], tmp_path: Path) -> None:
    """In answers, in all logs at level DEBUG, in the reprs of everything alive, in the database and beside it."""
    async with guarded(tmp_path, keys) as served:
        with everything_logged() as logged:
            answers = await everything(served)
        objects = [each for each in gc.get_objects() if _is_ours(each)]
        assert {Settings, Rest, httpx.AsyncClient} <= {type(each) for each in objects}
        alive = [repr(each) for each in objects]
        assert (tmp_path / "switchboard.db-wal").exists()
        open_files = files(tmp_path)
    assert len(answers) == len(MUTATIONS) * (len(Fault) + 1) + len(SHOWN)
    assert seen(keys.values(), *answers) == []
    assert [line for line in logged.text if seen(keys.values(), line)] == []
    assert [each for each in alive if seen(keys.values(), each)] == []
    assert seen(keys.values(), *open_files, *files(tmp_path)) == []


def test_settings_and_auth_hide_their_keys() -> None:
    """In repr and str, before and after a request was authenticated."""
    environ = {**CANARIES, "TEST_BIRD_WORKSPACE_ID": bird.WORKSPACE_ID}
    settings = read_settings(environ, VENDORS)
    shown = [repr(settings), str(settings)]
    for spec in VENDORS:
        values = {name: SecretStr(value) for name in spec.variables if (value := environ["TEST_" + name])}
        request = httpx.Request("POST", "http://vendor/")
        auth = spec.auth(values, "test")
        [sent] = auth.sync_auth_flow(request)
        shown += [repr(auth), str(vars(auth)), repr(sent), str(sent), repr(values)]
        assert seen(CANARIES.values(), *sent.headers.values()) != []
    assert seen(CANARIES.values(), *shown) == []


def test_the_search_would_find_them() -> None:
    """In plain, in other case, in base64 at each of its offsets, in the alphabet for URLs."""
    word = "canary?>~5e0d"
    for before in ("", "a", "ab"):
        text = f"{before}{word} and more".encode()
        for hidden in (text, text.upper(), base64.b64encode(text), base64.urlsafe_b64encode(text)):
            assert seen([word, "absent"], hidden) == [word]


def _is_ours(each: object) -> bool:
    """Whether an object is the gateway's or its HTTP client's.

    Headers are as they are sent, which is why they are never logged; a sandbox plays the vendor, whose key it is.
    """
    module = str(type(each).__module__)
    is_sandbox = module.endswith(".sandbox")
    return (
        module.split(".", maxsplit=1)[0] in {"app", "schema", "httpx"}
        and type(each) is not httpx.Headers
        and not is_sandbox
    )
