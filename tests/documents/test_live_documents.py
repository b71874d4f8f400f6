"""Trusted documents over the other two transports: WebSocket and server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from app.trusted import own_documents
from tests.documents.conftest import KEY
from tests.gateway import UpstreamCall, recorded_sandboxes
from tests.live.served import Served, served

pytestmark = pytest.mark.asyncio(loop_scope="module")

VIEWER = {"data": {"viewer": {"keyId": "sandbox", "name": "Sandbox", "environment": "TEST", "scopes": ["*"]}}}
FREE = "subscription Free($by: ReceiptRef!) { receiptChanged(by: $by) { state } }"
BY = {"by": {"idempotencyKey": "none"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def closed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    """A gateway on which only trusted documents run, on a real socket."""
    upstream: list[UpstreamCall] = []
    database: Path = tmp_path_factory.mktemp("gateway") / "switchboard.db"
    with recorded_sandboxes(upstream, demo=False) as environ:
        only = {**environ, "SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY": "on"}
        async with served(only, database, upstream) as gateway:
            yield gateway


async def test_free_text_is_refused_over_websocket(closed: Served) -> None:
    """What is closed over HTTP is closed there too."""
    async with closed.socket() as socket:
        await socket.subscribe("1", "query Free { viewer { name } }")
        message = await socket.next()
        assert (message["type"], message["id"]) == ("error", "1")
        assert message["payload"][0]["extensions"]["code"] == "DOCUMENT_NOT_TRUSTED"


async def test_a_document_is_meant_by_its_id_over_websocket(closed: Served) -> None:
    """By name and by hash, as in any other request."""
    viewer = next(each for each in own_documents() if each.id == "viewer")
    async with closed.socket() as socket:
        for document_id in ("viewer", f"sha256:{viewer.sha256}"):
            await socket.send("subscribe", id="1", payload={"documentId": document_id})
            assert await socket.next() == {"type": "next", "id": "1", "payload": VIEWER}
            assert await socket.next() == {"type": "complete", "id": "1"}


async def test_free_text_is_refused_as_a_stream(closed: Served) -> None:
    """With the same code."""
    headers = {**KEY, "accept": "text/event-stream"}
    answer = await closed.http.post("/graphql", json={"query": FREE, "variables": BY}, headers=headers)
    assert "DOCUMENT_NOT_TRUSTED" in answer.text


async def test_a_subscription_is_not_run_by_plain_post(closed: Served) -> None:
    """One answer is all that a plain POST can give."""
    answer = await closed.http.post("/operations/receipt_changed", json=BY, headers=KEY)
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")
