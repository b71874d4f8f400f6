"""A write that was applied is a success to the caller, however oddly the vendor puts it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.canaries.keys import canary
from tests.gateway import Gateway, gateway
from tests.vendors.faults import Connection, faulty, head
from tests.vendors.upstream import WORKSPACE, fixture

LOG = {"payload": {}, "emailAddress": "ada@example.com"}
WRITES: Mapping[str, tuple[dict[str, Any], str]] = {
    "create_person_log": (LOG | {"source": "crm-sync", "type": "contact-update"}, "architect/created_person_log"),
    "create_prospect_log": (LOG | {"source": "crm sync"}, "architect/created_prospect_log"),
    "create_contact": ({"displayName": "Ada"}, "bird/contact"),
    "sync_contact_methods": (
        {"client": {"clientId": fixture("artu/synced")["updated"][0]["clientId"]}, "items": []},
        "artu/synced",
    ),
    "log_activity": ({"subject": "Call"}, "reevo/activity"),
}
IDS = {"id", "personId", "personLogId", "prospectId", "prospectLogId"}
ECHOES = {"source", "type", "clientId", "workspaceId"}
"""What is the request's own: with another value the answer is another's (tests/vendors/test_echoes.py)."""

ODD: Mapping[str, bytes] = {
    "half a surrogate pair": b'"\\ud800 x"',
    "broken UTF-8": b'"\xff\xfe x"',
    "NUL": b'"\\u0000"',
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "out of range": b"1e999",
    "a huge integer": b"1" + b"0" * 40,
    "a fraction": b"0.1",
    "a boolean": b"true",
    "null": b"null",
    "an empty list": b"[]",
    "a list": b'[[{"value": [1]}]]',
    "an object": b'{"value": {"value": 1}, "kind": "meeting", "participants": [{"name": []}, 7], "start_date": "now"}',
    "an empty object": b"{}",
    "a word": b'"word"',
    "a long word": b'"' + b"x" * 100_000 + b'"',
    "deep": b"[" * 150 + b"]" * 150,
    "a date of another calendar": b'"9999-12-31T23:59:59-12:00"',
}
ODD_IDS = {
    "a number": b"7",
    "a fraction": b"7.5",
    "emoji": '"🐦"'.encode(),
    "half a surrogate pair": b'"\\udc00"',
    "a path": b'"../a/b?c#d:e%2f"',
    "long": b'"' + b"x" * 5000 + b'"',
}
_PLACE = "b6d1a5f2-the-place-of-something-odd"


def rewritten(value: Any, *, is_id: bool) -> Any:
    """The record with a place to fill in each of its IDs, or in each of its fields that is none and no echo."""
    if isinstance(value, list):
        return [rewritten(item, is_id=is_id) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: (_PLACE if (name in IDS) == is_id and name not in ECHOES else each)
        if not isinstance(each, list | dict) or (not is_id and name not in {"data", "created", "updated"})
        else rewritten(each, is_id=is_id)
        for name, each in value.items()
    }


async def refused(operation: str, folder: Path, odd: Mapping[str, bytes], *, is_id: bool) -> list[str]:
    """Of the odd things, those that cost the mutation its success; every field of its payload is asked for."""
    given, name = WRITES[operation]
    record = json.dumps(rewritten(fixture(name), is_id=is_id)).encode()
    assert _PLACE.encode() in record
    body = b""

    async def fault(connection: Connection) -> None:
        is_read = connection.request.startswith(b"GET")  # a contact whose count is odd has its identifiers read
        shown = json.dumps(fixture("bird/identifiers")).encode() if is_read else body
        await connection.send(head(201, len(shown)), shown)

    found = []
    async with _gateway(folder, fault) as served:
        for what, value in odd.items():
            body = record.replace(f'"{_PLACE}"'.encode(), value)
            [payload] = (await served.run(operation, {"input": given})).values()
            is_success = payload.pop("errors") == [] and any(payload.values())
            found += [] if is_success else [what]
    return found


@pytest.mark.parametrize("operation", WRITES)
async def test_an_odd_field_leaves_a_success(operation: str, tmp_path: Path) -> None:
    """In every field of the record but its ID at once: no error in the payload, none in the answer."""
    assert await refused(operation, tmp_path, ODD, is_id=False) == []


@pytest.mark.parametrize("operation", WRITES)
async def test_an_odd_id_leaves_a_success(operation: str, tmp_path: Path) -> None:
    """IDs are the vendor's own business, and this API's ID is made from any of them."""
    assert await refused(operation, tmp_path, ODD_IDS, is_id=True) == []


@pytest.mark.parametrize("operation", WRITES)
async def test_no_id_leaves_doubt(operation: str, tmp_path: Path) -> None:
    """Null, empty or no text at all: the write is not said to have succeeded."""
    nothing = {"null": b"null", "empty": b'""', "a list": b"[]", "a boolean": b"true"}
    assert await refused(operation, tmp_path, nothing, is_id=True) == list(nothing)


@asynccontextmanager
async def _gateway(folder: Path, fault: Callable[[Connection], Any]) -> AsyncIterator[Gateway]:
    async with faulty(fault) as vendor:
        environ = {"SWITCHBOARD_SANDBOX_KEY": "on", "TEST_BIRD_WORKSPACE_ID": WORKSPACE}
        for name in ("ARCHITECT_API_KEY", "BIRD_ACCESS_KEY", "ARTU_API_KEY", "REEVO_API_KEY"):
            whose = name.split("_")[0]
            environ |= {f"TEST_{name}": canary(whose.lower()), f"TEST_{whose}_BASE_URL": vendor.url}
        async with gateway(environ, folder / "switchboard.db", []) as served:
            yield served
