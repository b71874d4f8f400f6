"""A gateway that has more to do than it can: what is new is refused and told when to come back, what is known is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from app.main import create_app
from app.registry import VENDORS
from app.security.keys import SANDBOX_KEY
from app.settings import read_settings
from app.shedding import LoadShedder
from tests.gateway import UpstreamCall, recorded_sandboxes

CREATE = """mutation ($input: CreateContactInput!) { it: createContact(input: $input) {
    receipt { state replayed } errors { __typename code retryable ... on RateLimited { retryAfterSeconds } } } }"""
RECEIPT = '{ it: receipt(by: { idempotencyKey: "known" }) { state } }'
READ = "{ it: contacts(first: 1) { nodes { id } } }"
HEADERS = {"authorization": f"Bearer {SANDBOX_KEY}"}
MEMORY = "{ it: people(first: 1) { nodes { id } } }"


async def ask(http: httpx.AsyncClient, query: str, **given: Any) -> Any:
    """The response."""
    body = {"query": query, "variables": {"input": given} if given else None}
    return await http.post("/graphql", json=body, headers=HEADERS)


async def test_only_new_work_is_refused(tmp_path: Path) -> None:
    """New writes and reads of vendors: OVERLOADED, seconds, and the header; no receipt, and nothing is sent. A repeat of a
    known key, a question after its receipt, what memory knows, and a write for the background are answered as ever.
    """
    calls: list[UpstreamCall] = []
    shedder = LoadShedder(spread=lambda: 0.5)
    with recorded_sandboxes(calls, demo=False) as environ:
        settings = read_settings(environ | {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{tmp_path / 'db'}"}, VENDORS)
        app = create_app(settings, shedder)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://g") as http,
        ):
            done = await ask(http, CREATE, displayName="Known", idempotencyKey="known")
            assert done.json()["data"]["it"] == {"receipt": {"state": "SUCCEEDED", "replayed": False}, "errors": []}
            assert shedder.at_work == 0
            shedder.at_work = 10**6
            new, read = await ask(http, CREATE, displayName="New"), await ask(http, READ)
            plain = await http.post("/operations/contacts", json={}, headers=HEADERS)
            assert len(calls) == 1
            again = await ask(http, CREATE, displayName="Known", idempotencyKey="known")
            receipt, memory = await ask(http, RECEIPT), await ask(http, MEMORY)
            background = await ask(http, CREATE, displayName="Later", delivery="BACKGROUND")
    error = {"__typename": "RateLimited", "code": "OVERLOADED", "retryable": True, "retryAfterSeconds": 1.5}
    assert new.json()["data"]["it"] == {"receipt": None, "errors": [error]}
    assert read.json()["data"] == {"it": None}
    assert read.json()["errors"][0]["extensions"] == {"code": "OVERLOADED", "retryable": True, "retryAfter": 1.7}
    assert [each.headers.get("retry-after") for each in (new, read, receipt, memory)] == ["2", "2", None, None]
    assert (plain.status_code, plain.headers.get_list("retry-after")) == (429, ["2"])
    assert again.json()["data"]["it"] == {"receipt": {"state": "SUCCEEDED", "replayed": True}, "errors": []}
    assert (receipt.json()["data"], memory.json()["data"]) == ({"it": {"state": "SUCCEEDED"}}, {"it": {"nodes": []}})
    assert background.json()["data"]["it"] == {"receipt": {"state": "PENDING", "replayed": False}, "errors": []}
