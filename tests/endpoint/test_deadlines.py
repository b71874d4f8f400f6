"""The header X-Request-Timeout-Ms: by when a caller wants an answer."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.bad_request import BadRequest
from app.deadline import MOST_SECONDS, read_seconds
from app.head import Head
from app.sandbox.world import build_world
from app.security.keys import SANDBOX_KEY
from schema.ids import Kind, encode
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

ADA = build_world().humans[0]
SLOW = {"displayName": "sandbox-timeout"}
CREATE = """mutation ($input: CreateContactInput!) { createContact(input: $input) {
    receipt { state } errors { code } } }"""


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway whose requests may take five minutes."""
    calls: list[UpstreamCall] = []
    with recorded_sandboxes(calls, demo=False) as environ:
        settings = {**environ, "SWITCHBOARD_VENDOR_TIMEOUT": "300"}
        async with gateway(settings, tmp_path / "switchboard.db", calls) as running:
            yield running


async def ask(served: Gateway, milliseconds: str, query: str = "{ viewer { name } }", given: Any = None) -> Any:
    headers = {"authorization": f"Bearer {SANDBOX_KEY}", "x-request-timeout-ms": milliseconds}
    body = {"query": query, "variables": {"input": given}}
    return await served.http.post("/graphql", json=body, headers=headers)


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("1", 0.001), ("1500", 1.5), ("030000", 30.0), ("30001", MOST_SECONDS), ("9" * 5000, MOST_SECONDS)],
)
def test_it_is_a_number_of_milliseconds(given: str, seconds: float) -> None:
    """More than half a minute is half a minute."""
    assert read_seconds(_head(given), 10) == seconds


def test_without_it_the_setting_holds() -> None:
    """Ten seconds, if nothing else is set."""
    assert read_seconds(_head(None), 10) == 10


@pytest.mark.parametrize("given", ["", "0", "000", "-1", "1.5", "1e3", "10 s", "٣", "soon", "+5", "0x10"])
def test_anything_else_is_refused(given: str) -> None:
    """Not guessed at."""
    with pytest.raises(BadRequest):
        read_seconds(_head(given), 10)


async def test_a_bad_one_is_a_bad_request_that_says_what_to_send(served: Gateway) -> None:
    """Before anything is done."""
    response = await ask(served, "soon")
    message = "Send X-Request-Timeout-Ms as a whole number of milliseconds from 1 to 30000."
    assert response.status_code == 400
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "BAD_REQUEST"}}]}


async def test_a_write_is_answered_within_it(served: Gateway) -> None:
    """The vendor never answers; the caller is told in time that nobody knows, and the receipt says so too."""
    async with asyncio.timeout(120):
        response = await ask(served, "3000", CREATE, SLOW)
    assert response.json()["data"] == {
        "createContact": {"receipt": {"state": "UNKNOWN"}, "errors": [{"code": "OUTCOME_UNKNOWN"}]}
    }


async def test_a_read_is_answered_within_it_and_in_full_while_another_process_writes(demo: Gateway) -> None:
    """Nothing of what vendors say can be stored: no vendor is blamed for that, and nothing they said is missing."""
    body = {"documentId": "contact_linked", "variables": {"id": encode(Kind.CONTACT, ADA.uuid("bird/contact"))}}
    headers = {"authorization": f"Bearer {SANDBOX_KEY}", "x-request-timeout-ms": "4500"}
    with closing(sqlite3.connect(demo.settings.database_url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        meanwhile = (await demo.http.post("/graphql", json=body, headers=headers)).json()
    assert "errors" not in meanwhile
    assert meanwhile["data"]["contact"]["activities"]["nodes"]
    assert meanwhile["data"]["contact"]["contactMethods"]["nodes"]
    assert meanwhile == (await demo.http.post("/graphql", json=body, headers=headers)).json()


async def test_callers_in_a_hurry_open_no_circuit(served: Gateway) -> None:
    """However many give up: the vendor was given no time to fail."""
    await asyncio.gather(*(ask(served, "60", CREATE, SLOW) for _ in range(25)))
    vendors = (await served.ask("{ vendors { vendor available } }")).data["vendors"]
    assert {each["vendor"]: each["available"] for each in vendors}["BIRD"] is True


def _head(given: str | None) -> Head:
    headers = [] if given is None else [(b"x-request-timeout-ms", given.encode())]
    return Head({"type": "http", "method": "POST", "headers": headers})
