"""The sandboxes' magic values: each provokes its documented outcome in each of the five mutations."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from app.ledger.delivery import MOST_REPEATS
from app.sandbox.faults import Fault
from app.vendors.architect.sandbox import SANDBOX_KEY
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.vendors.writes import MUTATIONS, SHOWN, document


class Outcome(NamedTuple):
    """The error's type (None is a success), the vendor's status, whether it may be sent again, whether it is there."""

    error: str | None
    status: int | None
    retryable: bool
    applied: bool


def unknown(*, applied: bool) -> Outcome:
    return Outcome("OutcomeUnknown", None, retryable=False, applied=applied)


def rejected(status: int) -> Outcome:
    return Outcome("VendorRejected", status, retryable=False, applied=False)


OUTCOMES: Mapping[Fault, Outcome] = {
    Fault.UNAUTHORIZED: rejected(401),
    Fault.NOT_FOUND: Outcome("NotFound", None, retryable=False, applied=False),
    Fault.CONFLICT: rejected(409),
    Fault.MISDIRECTED: Outcome("VendorUnavailable", None, retryable=True, applied=False),
    Fault.RATE_LIMITED: Outcome("RateLimited", None, retryable=True, applied=False),
    Fault.ERROR: unknown(applied=False),
    Fault.ERROR_APPLIED: unknown(applied=True),
    Fault.OVERLOADED: unknown(applied=False),
    Fault.TIMEOUT: unknown(applied=False),
    Fault.TIMEOUT_APPLIED: unknown(applied=True),
    Fault.RESET: unknown(applied=False),
    Fault.RESET_APPLIED: unknown(applied=True),
    Fault.TRUNCATED_APPLIED: unknown(applied=True),
    Fault.HTML: unknown(applied=False),
    Fault.EMPTY_APPLIED: unknown(applied=True),
    Fault.NO_ID_APPLIED: unknown(applied=True),
    Fault.ODD_FORMATS: Outcome(None, None, retryable=False, applied=True),
    Fault.REDIRECT: rejected(307),
}

REPEATED = {Fault.MISDIRECTED, Fault.RATE_LIMITED}
"""What is sent again within the time of a write that is waited for."""


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[tuple[Gateway, str]]:
    """A gateway with half a second of patience over empty sandboxes, and where Architect's is."""
    calls: list[UpstreamCall] = []
    with recorded_sandboxes(calls, demo=False) as environ:
        patience = {"SWITCHBOARD_VENDOR_TIMEOUT": "1.5"}
        async with gateway({**environ, **patience}, tmp_path / "switchboard.db", calls) as running:
            yield running, environ["TEST_ARCHITECT_BASE_URL"]


def test_the_table_is_complete() -> None:
    """A new value needs a documented outcome."""
    assert set(OUTCOMES) == set(Fault)


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_every_magic_value_has_its_outcome(mutation: str, served: tuple[Gateway, str]) -> None:
    """The answer is what the table says, the record is there if the value says so, and only what was provably
    not applied was sent again.
    """
    running, architect = served
    answers, sent = await _write_all(running, mutation)
    counts = {fault: sum(f'"{fault.value}"' in json.dumps(call.body) for call in sent) for fault in Fault}
    assert {fault for fault, count in counts.items() if count != 1} <= REPEATED
    assert all(1 <= counts[fault] <= 1 + MOST_REPEATS for fault in REPEATED)
    kept = await (_kept_by_architect(architect, sent) if mutation not in SHOWN else _shown(running, SHOWN[mutation]))
    found = {fault: Outcome(*answer, applied=fault.value in kept) for fault, answer in zip(Fault, answers, strict=True)}
    assert found == OUTCOMES


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("fault", sorted(REPEATED))
async def test_what_was_not_applied_is_sent_three_times(fault: Fault, mutation: str, empty: Gateway) -> None:
    """With time enough: the first time and two repeats, under one receipt."""
    query = document(mutation, "receipt { state attempts } errors { retryable }")
    answer = await empty.ask(query, {"input": MUTATIONS[mutation](fault)})
    receipt = {"state": "FAILED", "attempts": 3}
    assert answer.data == {"it": {"receipt": receipt, "errors": [{"retryable": True}]}}
    assert len(empty.upstream) == 1 + MOST_REPEATS


async def test_a_rate_limit_says_how_long(served: tuple[Gateway, str]) -> None:
    """Every sandbox asks for one second."""
    running, _ = served
    query = "errors { ... on RateLimited { retryAfterSeconds } }"
    for mutation in MUTATIONS:
        answer = await running.ask(document(mutation, query), {"input": MUTATIONS[mutation](Fault.RATE_LIMITED)})
        assert answer.data == {"it": {"errors": [{"retryAfterSeconds": 1.0}]}}


async def test_odd_formats_are_kept_as_given_or_null(served: tuple[Gateway, str]) -> None:
    """An ID in another form is the record's ID; a date that is none is null; the rest stands."""
    running, _ = served
    query = "contact { displayName createdAt updatedAt vendorRecord { id } } errors { message }"
    answer = await running.ask(document("createContact", query), {"input": {"displayName": Fault.ODD_FORMATS.value}})
    own_id = answer.data["it"]["contact"].pop("vendorRecord")["id"]
    expected = {"displayName": Fault.ODD_FORMATS.value, "createdAt": None, "updatedAt": None}
    assert answer.data == {"it": {"contact": expected, "errors": []}}
    assert own_id.startswith("odd.")


async def _write_all(
    running: Gateway, mutation: str
) -> tuple[list[tuple[str | None, int | None, bool]], list[UpstreamCall]]:
    """All values at once, but for syncs: those of one client keep their order, so that one that hangs holds up the rest."""
    if mutation != "syncContactMethods":
        answers = await asyncio.gather(*(_write(running, mutation, fault) for fault in Fault))
        return answers, list(running.upstream)
    told, sent = [], []
    for fault in Fault:
        told.append(await _write(running, mutation, fault))
        sent += running.upstream
        await _write(running, mutation, "all is well")  # or the circuit would open: too many of the values are failures
    return told, sent


async def _write(running: Gateway, mutation: str, fault: str) -> tuple[str | None, int | None, bool]:
    """Type, status and retryable of the answer's one error; of a success, nothing."""
    query = document(mutation, "errors { __typename retryable ... on VendorRejected { status } }")
    answer = await running.ask(query, {"input": MUTATIONS[mutation](fault)})
    assert answer.errors == []
    errors = answer.data["it"]["errors"]
    assert len(errors) <= 1
    return (errors[0]["__typename"], errors[0].get("status"), errors[0]["retryable"]) if errors else (None, None, False)


async def _shown(running: Gateway, query: str) -> set[str]:
    """The names of all records that the sandbox has now."""
    answer = await running.ask(query)
    assert answer.errors == []
    return {node["name"] for node in answer.data["it"]["nodes"]}


async def _kept_by_architect(url: str, sent: list[UpstreamCall]) -> set[str]:
    """Architect lists no logs, but a key that it knows brings back the log that was written with it."""
    kept = set()
    async with httpx.AsyncClient(base_url=url, headers={"x-api-key": SANDBOX_KEY}) as http:
        for call in sent:
            body = {**call.body, "source": "another"}
            answer = (await http.post(call.path, json=body)).raise_for_status().json()
            kept |= {answer["source"]} - {"another"}
    return kept
