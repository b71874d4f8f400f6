"""Telemetry of the served gateway, over its sandboxes: what one request leaves in metrics, traces, logs and its answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy.engine import URL

from app.registry import VENDORS
from app.sandbox.server import serving
from app.security.keys import SANDBOX_KEY, Keys
from app.serving import loopback_sockets, sandbox_environ
from app.settings import read_settings
from app.transactions import Transactions
from schema.vendor import Environment
from tests.canaries.keys import canary
from tests.databases import open_engine
from tests.gateway import QUERIES, Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.telemetry.collector import Collector, attributes, collecting
from tests.telemetry.scrape import Samples, samples, series, value

EMAIL = "bjorn.andersen@bluebell-clinics.example"
PROFILE = (QUERIES / "profile.graphql").read_text("utf-8")
BY_EMAIL = {"emailAddress": EMAIL}
CREATE = "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } receipt { state } } }"
SERVER_KIND, CLIENT_KIND = 2, 3
"""Of spans, as OTLP numbers them."""


async def _post(served: Gateway, query: str, variables: Mapping[str, Any], **headers: str) -> httpx.Response:
    authorized = {
        "authorization": f"Bearer {SANDBOX_KEY}",
        **{name.replace("_", "-"): text for name, text in headers.items()},
    }
    return await served.http.post("/graphql", json={"query": query, "variables": variables}, headers=authorized)


async def _scraped(served: Gateway) -> Samples:
    return samples((await served.http.get("/metrics")).text)


@asynccontextmanager
async def _traced(
    folder: Path, upstream: list[UpstreamCall], **settings: str
) -> AsyncIterator[tuple[Gateway, Collector]]:
    """A gateway that sends its traces to a collector; they are all there when the gateway has ended."""
    with recorded_sandboxes(upstream, demo=True) as sandboxed, collecting() as collector:
        environ = {**sandboxed, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, **settings}
        async with gateway(environ, folder / "switchboard.db", upstream) as served:
            yield served, collector


async def test_a_request_with_many_calls_is_counted_and_listed(demo: Gateway) -> None:
    """The answer lists as many calls as reached the vendors, and as the metrics count; each with vendor and operation."""
    answer = await _post(demo, PROFILE, BY_EMAIL, x_vendor_calls="true")
    calls = answer.json()["extensions"]["vendorCalls"]
    assert {(call["vendor"], call["operation"], call["outcome"]) for call in calls} >= {
        ("BIRD", "contacts.search", "200"),
        ("ARTU", "contact-methods.list", "200"),
        ("REEVO", "contacts.query", "200"),
    }
    assert all(set(call) == {"vendor", "operation", "milliseconds", "outcome"} for call in calls)
    assert len(calls) == len(demo.upstream)
    found = await _scraped(demo)
    assert sum(series(found, "vendor_calls_total").values()) == len(calls)
    assert sum(series(found, "vendor_call_seconds_count").values()) == len(calls)
    assert series(found, "graphql_operations_total") == {("profile", "success", "query"): 1}


async def test_reads_that_were_shared_are_counted(demo: Gateway) -> None:
    """Two requests at once for the same: the calls of one, and a count of what the other was spared."""
    await asyncio.gather(*(_post(demo, PROFILE, BY_EMAIL) for _ in range(2)))
    found = await _scraped(demo)
    assert sum(series(found, "vendor_calls_total").values()) == len(demo.upstream)
    assert sum(series(found, "vendor_reads_shared_total").values()) > 0


@pytest.mark.parametrize("header", [None, "false", "TRUE"])
async def test_who_does_not_ask_is_not_told(demo: Gateway, header: str | None) -> None:
    """The answer is as it would be without telemetry."""
    answer = await _post(demo, PROFILE, BY_EMAIL, **({"x_vendor_calls": header} if header else {}))
    assert list(answer.json()) == ["data"]


async def test_in_live_only_a_key_with_the_scope_is_told(tmp_path: Path) -> None:
    """How long vendors take is the operator's to know."""
    sockets = loopback_sockets(VENDORS)
    database = tmp_path / "switchboard.db"
    apps = {spec.vendor.value: spec.sandbox(None) for spec in VENDORS}
    with serving(apps, sockets):
        test = sandbox_environ(VENDORS, sockets, "127.0.0.1")
        live = {name.removeprefix("TEST_"): value for name, value in test.items() if name.startswith("TEST_")}
        async with gateway(live, database, []) as served:
            told = [
                await _live_answer(served, database, live, scopes)
                for scopes in (["read"], ["read", "telemetry:read"], ["*"])
            ]
    assert told == [["data"], ["data", "extensions"], ["data", "extensions"]]


async def _live_answer(served: Gateway, database: Path, environ: Mapping[str, str], scopes: list[str]) -> list[str]:
    from app.main import open_signer  # noqa: PLC0415

    settings = read_settings({"SWITCHBOARD_DATABASE_URL": f"sqlite:///{database}", **environ}, VENDORS)
    engine = open_engine(settings.database_url)
    key = await Keys(Transactions(engine), open_signer(settings)).create("x", Environment.LIVE, scopes)
    await engine.dispose()
    headers = {"authorization": f"Bearer {key}", "x-vendor-calls": "true"}
    answer = await served.http.post("/graphql", json={"query": "{ contacts { nodes { id } } }"}, headers=headers)
    assert answer.json()["data"] == {"contacts": {"nodes": []}}
    return list(answer.json())


async def test_a_write_is_followed_through_its_states(database: URL, tmp_path: Path) -> None:
    """Also where the vendor's answer leaves it in doubt; in SQLite's thread and over asyncpg."""
    settings = {"SWITCHBOARD_DATABASE_URL": database.render_as_string(), "SWITCHBOARD_SECRET": canary("secret")}
    with recorded_sandboxes([], demo=False) as environ:
        async with gateway({**environ, **settings}, tmp_path / "unused.db", []) as served:
            for name in ("Ada", "sandbox-500"):
                await _post(served, CREATE, {"input": {"displayName": name, "emailAddresses": [f"{name}@example.com"]}})
            found = await _scraped(served)
    assert series(found, "ledger_transitions_total") == {
        ("NONE", "PENDING"): 2,
        ("PENDING", "SENDING"): 2,
        ("SENDING", "SUCCEEDED"): 1,
        ("SENDING", "UNKNOWN"): 1,
    }
    assert series(found, "ledger_writes") == {("PENDING",): 0, ("SENDING",): 0, ("UNKNOWN",): 1}
    labels = {"vendor": "BIRD", "environment": "TEST", "operation": "contacts.create"}
    assert [value(found, "vendor_calls_total", outcome=each, **labels) for each in ("2xx", "5xx")] == [1, 1]


async def test_a_trace_is_one_operation_and_the_calls_below_it(tmp_path: Path) -> None:
    """By OTLP over HTTP, to the standard path; of the caller's trace, which the vendors hear nothing of."""
    upstream: list[UpstreamCall] = []
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with _traced(tmp_path, upstream) as (served, collector):
        await _post(served, PROFILE, BY_EMAIL, traceparent=parent)
        paths = [call.path.partition("?")[0] for call in upstream]
        sent = [
            name for call in upstream for name in call.headers if name.startswith(("trace", "x-request-id", "baggage"))
        ]
    assert sent == []
    assert (set(collector.paths), collector.service()) == ({"/v1/traces"}, "switchboard")
    operation, *calls = collector.spans()
    assert (operation.name, operation.kind, operation.parent_span_id.hex()) == (
        "query",
        SERVER_KIND,
        parent.split("-")[2],
    )
    assert {span.trace_id.hex() for span in collector.spans()} == {parent.split("-")[1]}
    assert {(span.kind, span.parent_span_id) for span in calls} == {(CLIENT_KIND, operation.span_id)}
    templates = [str(attributes(span)["url.template"]) for span in calls]
    assert len(templates) == len(paths)
    assert [path for path in paths if not any(_fits(template, path) for template in templates)] == []


async def test_a_setting_keeps_the_callers_trace_out(tmp_path: Path) -> None:
    """Where callers are strangers, they should not choose what is sampled."""
    async with _traced(tmp_path, [], SWITCHBOARD_TRACEPARENT="ignore") as (served, collector):
        await _post(
            served, "{ viewer { name } }", {}, traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        )
    [span] = collector.spans()
    assert (span.name, span.parent_span_id) == ("query", b"")


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), path) is not None
