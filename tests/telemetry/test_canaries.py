"""Whatever is asked and goes wrong, no key, address, name or payload stands in a log, a metric or a trace."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from app.registry import VENDORS
from app.sandbox.faults import Fault
from app.security.keys import SANDBOX_KEY
from tests.gateway import Gateway, gateway, recorded_sandboxes
from tests.telemetry.collector import collecting
from tests.vendors.watch import everything_logged, seen
from tests.vendors.writes import MUTATIONS, document

WORD = "canary5e0d71c3a9"
PEOPLE = [f"{WORD}@example.com", "+31 6 1001 7919", "+31610017919", "linkedin.com/in/" + WORD]
FAULTS = ("no-fault", Fault.ERROR, Fault.CONFLICT, Fault.HTML, Fault.RESET)


def _writes() -> list[tuple[str, Mapping[str, Any]]]:
    """Every mutation, with the canary in what is written and in the idempotency key."""
    return [
        (
            document(mutation, "errors { __typename message }"),
            {"input": {**given(fault), "idempotencyKey": f"{WORD}-{mutation}-{fault}"}},
        )
        for mutation, given in MUTATIONS.items()
        for fault in (WORD, *FAULTS)
    ]


def _reads() -> list[tuple[str, Mapping[str, Any]]]:
    """Reads by what identifies a person; in a variable, in the document, as a name, and where nothing can be read."""
    email, phone = PEOPLE[0], PEOPLE[2]
    return [
        ("query ($e: EmailAddress!) { profile(by: {emailAddress: $e}) { displayName } }", {"e": email}),
        (f'query {WORD} {{ {WORD}: contact(by: {{emailAddress: "{email}"}}) {{ id }} }}', {}),
        (f'{{ person(by: {{phoneNumber: "{phone}"}}) {{ id }} }}', {}),
        (f'{{ contact(by: {{id: "{WORD}"}}) {{ id }} }}', {}),
        (f'{{ contactMethods(filter: {{clientId: "{WORD}"}}) {{ nodes {{ id }} }} }}', {}),
        (f"{{ {WORD} }}", {}),
        (f'{{ "{WORD}', {}),
        ("query ($e: EmailAddress!) { profile(by: {emailAddress: $e}) { displayName } }", {"e": WORD}),
    ]


async def _ask(served: Gateway, query: str, variables: Mapping[str, Any]) -> int:
    headers = {
        "authorization": f"Bearer {SANDBOX_KEY}",
        "x-vendor-calls": "true",
        "x-request-id": f"{WORD}@example.com",
        "traceparent": f"00-{WORD}",
        "tracestate": f"who={WORD}",
        "baggage": f"who={WORD}",
    }
    answer = await served.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    shown = answer.json().get("extensions", {})
    assert seen([WORD], str(shown), answer.headers["x-request-id"]) == []
    return answer.status_code


async def test_nothing_personal_is_to_be_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of vendors and of the gateway, addresses, what is written: not at level DEBUG, not in a label, not in a span."""
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    with recorded_sandboxes([], demo=True) as environ, collecting() as collector:
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "SWITCHBOARD_LOG_LEVEL": "debug",
            "SWITCHBOARD_VENDOR_TIMEOUT": "5",
        }
        async with gateway({**environ, **settings}, tmp_path / "switchboard.db", []) as served:
            with everything_logged() as logged:
                statuses = await asyncio.gather(*(_ask(served, *each) for each in (*_writes(), *_reads())))
                await served.http.get(f"/{WORD}?{WORD}", headers={"authorization": f"Bearer sk_test_{WORD}"})
                metrics = (await served.http.get("/metrics")).text
    assert set(statuses) == {200}
    keys = [value for name, value in environ.items() if name.endswith("_KEY") and name.startswith("TEST_")]
    assert len(keys) == len(VENDORS)
    forbidden = [WORD, SANDBOX_KEY, *PEOPLE, *keys]
    spans = b"".join(collector.bodies)
    lines = written.getvalue()
    assert [name for name in ("vendor call", '"operation"', "contacts.create") if name not in lines] == []
    assert [name for name in (b"/workspaces/{workspaceId}/contacts", b"mutation") if name not in spans] == []
    assert 'vendor_calls_total{environment="TEST",operation="contacts.create"' in metrics
    assert seen(forbidden, metrics, spans) == []
    assert [line for line in (*lines.splitlines(), *logged.text) if seen(forbidden, line)] == []
    logging.getLogger().handlers.clear()
