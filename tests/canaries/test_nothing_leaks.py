"""Everything that can go wrong does, and all is logged: afterwards no key is to be found anywhere.

Looked through are answers with their headers, logs at level DEBUG, traces, metrics, the database and its write-ahead log.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from app.registry import VENDORS
from app.sandbox.faults import Fault
from app.sandbox.server import serving
from app.security.keys import id_of
from app.serving import loopback_sockets, sandbox_environ
from app.vendors.architect import sandbox as architect
from app.vendors.artu import sandbox as artu
from app.vendors.bird import sandbox as bird
from app.vendors.reevo import sandbox as reevo
from tests.attacks.documents import DOCUMENTS
from tests.attacks.requests import REQUESTS
from tests.canaries.keys import canary, wrong_key
from tests.gateway import QUERIES, Gateway, gateway
from tests.telemetry.collector import Collector, collecting
from tests.vendors.watch import everything_logged, seen
from tests.vendors.writes import MUTATIONS, SHOWN, document

VENDOR_KEYS = {
    "TEST_ARCHITECT_API_KEY": canary("architect"),
    "TEST_BIRD_ACCESS_KEY": canary("bird"),
    "TEST_ARTU_API_KEY": canary("artu"),
    "TEST_REEVO_API_KEY": canary("reevo"),
}
WRONG_KEYS = {name: f"{value}-no-sandbox-knows" for name, value in VENDOR_KEYS.items()}
SECRET = canary("secret")
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnktand0LTMxZCJ9.Y2FuYXJ5LXNpZ25hdHVyZS04OGYx"
SANDBOXES: Mapping[str, Any] = {"ARCHITECT": architect, "BIRD": bird, "ARTU": artu, "REEVO": reevo}


@dataclass
class Run:
    """What a run left: the canaries that were in it, and every place where they must not be."""

    canaries: list[str] = field(default_factory=lambda: [SECRET, JWT, *VENDOR_KEYS.values(), *WRONG_KEYS.values()])
    answers: list[str] = field(default_factory=list)
    metrics: str = ""


@asynccontextmanager
async def watched(folder: Path, keys: Mapping[str, str], collector: Collector) -> AsyncIterator[Gateway]:
    """A gateway with these vendor keys over sandboxes that want the canaries."""
    sockets = loopback_sockets(VENDORS)
    wanted = dict(zip(SANDBOXES, VENDOR_KEYS.values(), strict=True))
    with serving({name: SANDBOXES[name].create_sandbox(key=key) for name, key in wanted.items()}, sockets):
        environ = {
            **sandbox_environ(VENDORS, sockets, "127.0.0.1"),
            **keys,
            "SWITCHBOARD_SECRET": SECRET,
            "SWITCHBOARD_LOG_LEVEL": "debug",
            "SWITCHBOARD_VENDOR_TIMEOUT": "5",
            "SWITCHBOARD_FAILED_KEYS": "0",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        }
        async with gateway(environ, folder / "switchboard.db", []) as served:
            yield served


@pytest.mark.parametrize("keys", [VENDOR_KEYS, WRONG_KEYS], ids=["accepted", "refused"])
async def test_no_key_is_to_be_seen_anywhere(
    keys: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In no form: zero hits."""
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    run = Run()
    with collecting() as collector:
        async with watched(tmp_path, keys, collector) as served:
            with everything_logged() as logged:
                await _everything(served, run)
            assert (tmp_path / "switchboard.db-wal").exists()
            open_files = _files(tmp_path)
        spans = b"".join(collector.bodies)
    places: dict[str, list[str] | list[bytes]] = {
        "answers": run.answers,
        "metrics": [run.metrics],
        "traces": [spans],
        "logs": [written.getvalue(), *logged.text],
        "files": [*open_files, *_files(tmp_path)],
    }
    found = {name: hits for name, texts in places.items() if (hits := seen(run.canaries, *texts))}
    assert found == {}
    assert [name for name, texts in places.items() if not any(texts)] == []
    assert len(run.answers) > 400


async def _everything(served: Gateway, run: Run) -> None:
    """Writes with and without every fault, reads, attacks, and keys that are made, rotated, revoked and made up."""
    key, ended, first = [await served.new_key("*") for _ in range(3)]
    rotated = await served.with_keys(lambda keys: keys.rotate(id_of(first), 3_600_000))
    await served.with_keys(lambda keys: keys.revoke(id_of(ended)))
    assert rotated is not None
    unknown = wrong_key()
    run.canaries += [each.split("_")[3] for each in (key, ended, first, rotated, unknown)]
    presented = [key, ended, first, rotated, unknown, JWT, SECRET, f"sk_test_{SECRET}"]
    asked: list[tuple[str, Mapping[str, Any], str]] = [
        (query, {}, each) for each in presented for query in ("{ viewer { name } }", "{ nope }")
    ]
    asked += [(query, variables, key) for query, variables in _questions()]
    answered = await asyncio.gather(*(served.ask(query, variables, key=each) for query, variables, each in asked))
    responses = [answer.response for answer in answered]
    for attack in (each for attacks in REQUESTS.values() for each in attacks if len(each.body) < 10_000):
        headers = [*attack.headers, ("x-api-key", key)]
        raw = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers]
        responses.append(
            await served.http.request(attack.method, attack.target, content=attack.body or None, headers=raw)
        )
    run.answers = [f"{response.status_code} {response.headers} {response.text}" for response in responses]
    run.metrics = (await served.http.get("/metrics")).text


def _questions() -> list[tuple[str, Mapping[str, Any]]]:
    writes = [
        (
            document(mutation, "errors { __typename code message retryable } receipt { id state }"),
            {"input": given(fault)},
        )
        for mutation, given in MUTATIONS.items()
        for fault in (*Fault, "no-fault")
    ]
    examples = [(path.read_text("utf-8"), {"id": "x", "by": {"id": "x"}}) for path in QUERIES.glob("*.graphql")]
    attacks = [
        case if isinstance(case, tuple) else (case, {})
        for cases in DOCUMENTS.values()
        for case in cases
        if len(str(case)) < 10_000
    ]
    return [*writes, *((query, {}) for query in SHOWN.values()), *examples, *attacks]


def _files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
