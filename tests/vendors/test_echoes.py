"""An answer to another request: what it repeats is compared with what was sent, and where they differ nobody knows."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr

from app.rest import Rest
from app.vendor import VendorSpec
from app.vendors import architect, artu, bird
from schema.errors import MutationError, OutcomeUnknown, Refusal
from schema.ids import Kind
from tests.transport.server import Server, Visit, calling, serving
from tests.vendors.upstream import WORKSPACE, fixture, upstream

PERSON = "prospect_01hzx3v9k2m4n6p8q0r2s4t6v8"
CLIENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
ANOTHER = "5d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f11"
Write = Callable[[Any], Awaitable[Any]]


def log(kind: Kind, **party: str) -> Write:
    """Of a person or prospect, who is given by ID or not."""
    source, type_ = ("crm-sync", "contact-update") if kind is Kind.PERSON else ("crm sync", "webhook")
    body = architect.wire.NewLog(source=source, type=type_, payload={}, idempotency_key="gw1_key", **party)
    return lambda client: client.create_log(kind, body)


WRITES: Mapping[str, tuple[VendorSpec, Write, str]] = {
    "a log of a person": (architect.SPEC, log(Kind.PERSON, person_id=PERSON), "architect/created_person_log"),
    "a log of somebody": (architect.SPEC, log(Kind.PERSON), "architect/created_person_log"),
    "a log of a prospect": (architect.SPEC, log(Kind.PROSPECT, prospect_id=PERSON), "architect/created_prospect_log"),
    "a contact": (
        bird.SPEC,
        lambda client: client.create_contact(bird.wire.NewContact(display_name="Ada"), lambda _: None),
        "bird/contact",
    ),
    "contact methods": (
        artu.SPEC,
        lambda client: client.sync(CLIENT, artu.wire.Sync(items=(), replace_mode=False)),
        "artu/synced",
    ),
}


def synced(client_id: Any) -> dict[str, Any]:
    """An answer of Artu whose last contact method is of this client."""
    [method] = fixture("artu/synced")["updated"]
    return {"created": [method], "updated": [method, method | {"clientId": client_id}]}


ANOTHERS: list[tuple[str, Mapping[str, Any]]] = [
    ("a log of a person", {"personId": "prospect_2"}),
    ("a log of a person", {"source": "crm"}),
    ("a log of somebody", {"type": "webhook"}),
    ("a log of a prospect", {"prospectId": "prospect_2"}),
    ("a log of a prospect", {"source": "crm-sync"}),
    ("a contact", {"workspaceId": ANOTHER}),
    ("contact methods", synced(ANOTHER)),
]
OURS: list[tuple[str, Mapping[str, Any]]] = [
    *((name, {}) for name in WRITES),
    ("a log of a person", {"source": " CRM-Sync\n", "type": None}),
    ("a log of a person", {"source": ["crm"], "type": ""}),
    ("a log of somebody", {"personId": "prospect_2"}),
    ("a contact", {"workspaceId": WORKSPACE.upper(), "computedDisplayName": "Bob", "featuredIdentifiers": []}),
    ("a contact", {"workspaceId": None}),
    ("contact methods", synced(CLIENT.upper())),
    ("contact methods", synced(None)),
]


async def outcome(name: str, change: Mapping[str, Any]) -> Any:
    """What a write comes to whose answer is the documented one but for a change."""
    spec, write, answer = WRITES[name]
    async with upstream(spec) as vendor:
        vendor.answers(201, fixture(answer) | change)
        try:
            return await write(vendor.client)
        except Refusal as refusal:
            return refusal.errors[0]


@pytest.mark.parametrize(("name", "change"), ANOTHERS)
async def test_an_answer_that_repeats_what_was_not_sent_leaves_doubt(name: str, change: Mapping[str, Any]) -> None:
    """Something was done, for somebody; the message says so, and holds nothing of the answer."""
    vendor = WRITES[name][0].vendor
    assert await outcome(name, change) == OutcomeUnknown(
        message=f"{vendor.value.capitalize()} was sent the write and answered what belongs to another request. It may or may "
        "not have been applied: look before you repeat it.",
        vendor=vendor,
    )


@pytest.mark.parametrize(("name", "change"), OURS)
async def test_an_answer_is_ours_as_long_as_nothing_speaks_against_it(name: str, change: Mapping[str, Any]) -> None:
    """What is left out, spelt otherwise, of another type, or the vendor's own to choose."""
    assert not isinstance(await outcome(name, change), MutationError)


async def test_a_connection_that_is_out_of_step_is_not_used_again() -> None:
    """Each answer on it would be the one before: the next write has a new connection, and its own answer."""
    async with _out_of_step() as (server, client):
        for _ in range(2):
            await WRITES["a log of somebody"][1](client)
        with pytest.raises(Refusal):
            await log(Kind.PROSPECT)(client)
        await log(Kind.PROSPECT)(client)
        assert (server.connections, len(server.requests)) == (2, 4)


async def test_answers_to_others_open_the_circuit() -> None:
    """As anything does that a vendor can't be asked with."""
    spec, write, answer = WRITES["a contact"]
    async with upstream(spec) as vendor:
        vendor.answers(201, fixture(answer) | {"workspaceId": ANOTHER})
        codes = []
        for _ in range(30):
            with pytest.raises(Refusal) as refused:
                await write(vendor.client)
            codes.append(refused.value.errors[0].code)
    assert sorted(set(codes)) == ["CIRCUIT_OPEN", "OUTCOME_UNKNOWN"]
    assert len(vendor.requests) <= 20


@asynccontextmanager
async def _out_of_step() -> AsyncIterator[tuple[Server, Any]]:
    """Architect, whose third answer on its first connection is the second once more."""

    async def behave(visit: Visit) -> None:
        while request := await visit.request():
            is_late = (visit.number, len(visit.requests)) == (1, 3)
            kind = "prospect" if b"prospect_logs" in request and not is_late else "person"
            body = json.dumps(fixture(f"architect/created_{kind}_log")).encode()
            await visit.say(b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n" % len(body), body)

    async with serving(behave) as server, calling(server) as http:
        rest = Rest(architect.SPEC.vendor, http, architect.SPEC.complaint, timeout=5)
        yield server, architect.SPEC.client(rest, {"ARCHITECT_API_KEY": SecretStr("")})
