"""Background writes: safely stored at once, delivered as soon as the vendor can be reached, in the order that matters.

The vendors' sandboxes hold their ports from the start, and refuse connections until somebody serves them.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.registry import VENDORS
from app.sandbox.faults import Fault
from app.sandbox.server import serving
from app.serving import sandbox_environ
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from tests.gateway import Gateway, Recorder, UpstreamCall, gateway
from tests.ledger.partner import RESULTS, final, post, receipt, write
from tests.vendors.writes import MUTATIONS, document


class Vendors:
    """The four sandboxes, not yet served."""

    def __init__(self, home: Path) -> None:
        self._sockets = {spec.vendor.value: _held_port() for spec in VENDORS}
        self._database = home / "switchboard.db"
        self.calls: list[UpstreamCall] = []

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Serves them, once."""
        apps = {spec.vendor.value: Recorder(spec.vendor.value, spec.sandbox(None), self.calls) for spec in VENDORS}
        with serving(apps, self._sockets):
            yield

    def gateway(self, **settings: str) -> AbstractAsyncContextManager[Gateway]:
        """A gateway over them; all have the same database."""
        environ = sandbox_environ(VENDORS, self._sockets, "127.0.0.1")
        return gateway({**environ, "SWITCHBOARD_VENDOR_TIMEOUT": "2", **settings}, self._database, self.calls)

    def close(self) -> None:
        for sock in self._sockets.values():
            sock.close()


@pytest.fixture
def vendors(tmp_path: Path) -> Iterator[Vendors]:
    asleep = Vendors(tmp_path)
    yield asleep
    asleep.close()


def _held_port() -> socket.socket:
    """Bound and not listening: who connects is refused, and nobody else takes the port."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def _background(mutation: str, word: str = "word", key: str = "order-1") -> dict[str, Any]:
    return {**MUTATIONS[mutation](word), "idempotencyKey": key, "delivery": "BACKGROUND"}


def _steps(found: Mapping[str, Any]) -> list[str]:
    return [event["to"] for event in found["events"]]


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_background_write_is_answered_when_stored_and_delivered_later(empty: Gateway, mutation: str) -> None:
    """PENDING, without a result and without errors; later its receipt and every repeat tell the outcome."""
    stored = await write(empty, mutation, _background(mutation))
    assert (stored["receipt"]["state"], stored["receipt"]["attempts"], stored["errors"]) == ("PENDING", 0, [])
    assert stored["receipt"]["completedAt"] is None
    delivered = await final(empty, "order-1")
    assert (delivered["id"], delivered["state"]) == (stored["receipt"]["id"], "SUCCEEDED")
    assert _steps(delivered) == ["PENDING", "SENDING", "SUCCEEDED"]
    for delivery in ("BACKGROUND", "WAIT"):
        repeated = await write(empty, mutation, {**_background(mutation), "delivery": delivery})
        assert (repeated["receipt"]["state"], repeated["receipt"]["replayed"]) == ("SUCCEEDED", True)
        assert repeated["errors"] == []
        assert "word" in json.dumps(repeated)
    assert len(empty.upstream) == 1


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_refusal_of_a_background_write_is_in_its_receipt(empty: Gateway, mutation: str) -> None:
    """It is final, it is not sent again, and a repeat is answered with it."""
    await write(empty, mutation, _background(mutation, Fault.CONFLICT))
    refused = await final(empty, "order-1")
    assert (refused["state"], refused["error"]) == ("FAILED", {"code": "VENDOR_REJECTED", "retryable": False})
    repeated = await write(empty, mutation, _background(mutation, Fault.CONFLICT))
    assert [error["code"] for error in repeated["errors"]] == ["VENDOR_REJECTED"]
    assert len(empty.upstream) == 1


async def test_a_vendor_that_is_down_costs_nothing_but_time(vendors: Vendors) -> None:
    """All five stay PENDING, tried and never sent, and are delivered once each when it is back; a repeat meanwhile is
    answered with the receipt as it is.
    """
    async with vendors.gateway() as served:
        for mutation in MUTATIONS:
            await write(served, mutation, _background(mutation, key=mutation))
        for mutation in MUTATIONS:
            tried = await _tried(served, mutation)
            assert (tried["state"], tried["attempts"]) == ("PENDING", 0)
            repeated = await write(served, mutation, _background(mutation, key=mutation))
            assert (repeated["receipt"]["state"], repeated["receipt"]["replayed"]) == ("PENDING", True)
            assert repeated["errors"] == []
        with vendors.awake():
            for mutation in MUTATIONS:
                delivered = await final(served, mutation)
                assert (delivered["state"], delivered["attempts"]) == ("SUCCEEDED", 1)
    assert len(vendors.calls) == len(MUTATIONS)


async def test_a_write_that_was_waited_for_may_be_repeated_when_the_vendor_is_back(vendors: Vendors) -> None:
    """With the same key: what was provably not sent doesn't hold it."""
    given = {**MUTATIONS["createContact"]("word"), "idempotencyKey": "order-1"}
    async with vendors.gateway() as served:
        failed = await write(served, "createContact", given)
        assert [(error["code"], error["retryable"]) for error in failed["errors"]] == [("VENDOR_UNAVAILABLE", True)]
        assert (failed["receipt"]["state"], failed["receipt"]["attempts"]) == ("FAILED", 0)
        with vendors.awake():
            repeated = await write(served, "createContact", given)
            assert (repeated["receipt"]["state"], repeated["receipt"]["replayed"]) == ("SUCCEEDED", False)
            again = await write(served, "createContact", given)
    assert again == {**repeated, "receipt": {**repeated["receipt"], "replayed": True}}
    assert len(vendors.calls) == 1


async def test_contact_methods_of_one_client_are_delivered_in_order(vendors: Vendors) -> None:
    """Of ten changes of the same contact method the last one stands, whatever was tried in between."""
    asked = document("syncContactMethods", RESULTS["syncContactMethods"] + " receipt { state } errors { code }")
    labels = [f"label {number}" for number in range(10)]
    async with vendors.gateway() as served:
        for label in labels:
            item = {"type": "OTHER", "value": "x", "externalId": "one", "label": label}
            given = {"client": {"clientId": FIRST_CLIENT_ID}, "items": [item], "delivery": "BACKGROUND"}
            stored = await post(served, asked, {"input": {**given, "idempotencyKey": label}})
            assert stored["data"]["it"]["receipt"] == {"state": "PENDING"}
        await _tried(served, labels[0])
        with vendors.awake():
            assert {(await final(served, label))["state"] for label in labels} == {"SUCCEEDED"}
    assert [call.body["items"][0]["label"] for call in vendors.calls] == labels


async def test_a_background_write_outlives_the_gateway(vendors: Vendors) -> None:
    """Stored by one gateway, delivered by the next one on the same database, under the same receipt, once."""
    async with vendors.gateway() as first:
        stored = [await write(first, mutation, _background(mutation, key=mutation)) for mutation in MUTATIONS]
        await _tried(first, "createContact")
    assert vendors.calls == []
    with vendors.awake():
        async with vendors.gateway() as second:
            delivered = [await final(second, mutation) for mutation in MUTATIONS]
    assert [each["id"] for each in delivered] == [each["receipt"]["id"] for each in stored]
    assert [(each["state"], each["attempts"]) for each in delivered] == [("SUCCEEDED", 1)] * len(MUTATIONS)
    assert len(vendors.calls) == len(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_background_write_is_given_up_when_its_time_is_over(vendors: Vendors, mutation: str) -> None:
    """It was provably never sent: it has failed, and may be repeated."""
    async with vendors.gateway(SWITCHBOARD_DELIVERY_MAX_AGE="1") as served:
        await write(served, mutation, _background(mutation))
        given_up = await final(served, "order-1")
        assert (given_up["state"], given_up["attempts"]) == ("FAILED", 0)
        assert given_up["error"] == {"code": "VENDOR_UNAVAILABLE", "retryable": True}
        assert set(_steps(given_up)) == {"PENDING", "FAILED"}
        repeated = await write(served, mutation, _background(mutation))
    assert (repeated["receipt"]["state"], repeated["receipt"]["replayed"]) == ("PENDING", False)
    assert repeated["receipt"]["id"] != given_up["id"]
    assert vendors.calls == []


async def _tried(gateway: Gateway, key: str) -> Any:
    """The receipt once its delivery was tried in vain."""
    async with asyncio.timeout(120):
        while True:
            found = await receipt(gateway, key)
            if len(found["events"]) > 1:
                return found
            await asyncio.sleep(0.05)
