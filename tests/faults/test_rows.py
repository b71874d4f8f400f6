"""The rows of the fault matrix that are not about one answer: load, callers, the database, and the machine."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from schema.vendor import Environment
from tests.faults.partner import KEYED, SLACK, VENDOR_OF, FaultyVendor, Partner, Told, Truth, faulty_vendor, gateway

OPERATIONS = tuple(VENDOR_OF)
_PATIENCE = 120.0
Open = Callable[..., AbstractAsyncContextManager[dict[Environment, Partner]]]

pytestmark = pytest.mark.xdist_group("faults of the surroundings")


@pytest.fixture
async def vendor(tmp_path: Path) -> AsyncIterator[FaultyVendor]:
    async with faulty_vendor(tmp_path / "vendor") as running:
        yield running


@pytest.fixture
async def partner(vendor: FaultyVendor, tmp_path: Path) -> AsyncIterator[Partner]:
    """Of a gateway with one place at each vendor."""
    async with gateway(vendor, tmp_path / "gateway", {}, SWITCHBOARD_VENDOR_CONCURRENCY="1") as partners:
        yield partners[Environment.TEST]


async def test_row_6_a_full_bulkhead_refuses_before_anything_is_stored(partner: Partner, vendor: FaultyVendor) -> None:
    """One call holds the only place; who would come too late is told so at once, and leaves no receipt."""

    async def refused(operation: str) -> Told:
        holding = asyncio.create_task(partner.write(operation, _mark("silence", operation), deadline=4))
        await _sent(vendor, _mark("silence", operation))
        for n in range(20):
            told = await partner.write(operation, f"{_mark('healthy', operation)}{n}", deadline=1)
            if told.code == "OVERLOADED":
                assert (await vendor.truth()).sends.get(f"{_mark('healthy', operation)}{n}", 0) == 0
                break
        await holding
        return told

    for told in await asyncio.gather(
        *map(refused, ("createProspectLog", "createContact", "syncContactMethods", "logActivity"))
    ):
        assert (told.state, told.code, told.retryable) == (None, "OVERLOADED", True)
        assert told.wait is not None
        assert told.wait >= 1
        assert told.seconds < SLACK


async def test_row_7_an_open_circuit_refuses_before_anything_is_stored(partner: Partner, vendor: FaultyVendor) -> None:
    """After twenty failures: a clean refusal that says when; what is known is replayed, what may wait is taken, and the
    vendor is not shown as available.
    """

    async def fail(operation: str) -> None:
        known = _mark("healthy", operation)
        assert (await partner.write(operation, known)).state == "SUCCEEDED"
        for n in range(20):
            await partner.write(operation, f"{_mark('500', operation)}{n}")
        told = await partner.write(operation, f"{known}x")
        assert (told.state, told.code, told.retryable) == (None, "CIRCUIT_OPEN", True)
        assert 10 < (told.wait or 0) <= 18
        assert (await partner.write(operation, known)).replayed
        waiting = await partner.write(operation, f"{known}y", delivery="BACKGROUND")
        assert (waiting.state, waiting.code) == ("PENDING", None)

    await asyncio.gather(*map(fail, OPERATIONS))
    shown = (await partner.ask("{ vendors { available } }"))["data"]["vendors"]
    assert shown == [{"available": False}] * 4
    truth = await vendor.truth()
    assert {truth.sends.get(f"{_mark('healthy', each)}x", 0) for each in OPERATIONS} == {0}
    failed = [sum(sent for mark, sent in truth.sends.items() if mark.startswith(_mark("500", e))) for e in OPERATIONS]
    assert max(failed) <= 20


async def test_row_41_a_partner_who_hangs_up_cuts_nothing(partner: Partner, vendor: FaultyVendor) -> None:
    """The write goes on, and a repeat is answered what came of it."""

    async def hang_up(operation: str) -> tuple[str | None, bool | None]:
        mark = _mark("tardy", operation)
        hanging = asyncio.create_task(partner.write(operation, mark))
        await _sent(vendor, mark)
        hanging.cancel()
        await asyncio.wait([hanging])
        told = await partner.write(operation, mark)
        return told.state, told.replayed

    assert await asyncio.gather(*map(hang_up, OPERATIONS)) == [("SUCCEEDED", True)] * 5
    _assert_once(await vendor.truth(), "tardy")


async def test_row_42_fifty_repeats_at_once_are_one_write(partner: Partner, vendor: FaultyVendor) -> None:
    """One send, one effect, and the same record in all answers."""

    async def repeat(operation: str) -> tuple[set[str | None], int]:
        told = await asyncio.gather(
            *(partner.write(operation, _mark("tardy", operation), deadline=30) for _ in range(50))
        )
        return {each.state for each in told}, len({each.record_id for each in told})

    for operation in OPERATIONS:
        assert await repeat(operation) == ({"SUCCEEDED"}, 1)
    _assert_once(await vendor.truth(), "tardy")


async def test_row_43_a_key_that_is_used_for_another_input_is_a_conflict(
    partner: Partner, vendor: FaultyVendor
) -> None:
    """Nothing is sent, and the first write stands."""
    for operation in OPERATIONS:
        mark = _mark("healthy", operation)
        first = await partner.write(operation, mark)
        other = await partner.write(operation, mark, large=True)
        again = await partner.write(operation, mark)
        assert (first.state, other.code, again.record_id) == ("SUCCEEDED", "IDEMPOTENCY_CONFLICT", first.record_id)
    _assert_once(await vendor.truth(), "healthy")


async def test_row_44_a_database_that_is_locked_lets_nothing_be_sent(
    partner: Partner, vendor: FaultyVendor, tmp_path: Path
) -> None:
    """LEDGER_UNAVAILABLE; once it is free again the same keys are good."""
    other = sqlite3.connect(tmp_path / "gateway" / "switchboard.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        writes = [partner.write(each, _mark("healthy", each)) for each in OPERATIONS]
        assert {each.code for each in await asyncio.gather(*writes)} == {"LEDGER_UNAVAILABLE"}
        assert (await vendor.truth()).sends == {}
        other.execute("ROLLBACK")
    finally:
        other.close()
    writes = [partner.write(each, _mark("healthy", each)) for each in OPERATIONS]
    assert {each.state for each in await asyncio.gather(*writes)} == {"SUCCEEDED"}
    _assert_once(await vendor.truth(), "healthy")


@pytest.mark.parametrize("deadline", [10.0, 1.5], ids=["within its deadline", "beyond its deadline"])
async def test_rows_46_and_49_a_gateway_that_stands_still_in_a_call_doubles_nothing(
    deadline: float, partner: Partner, vendor: FaultyVendor
) -> None:
    """Stopped until the vendor has applied the write and the time has passed; then the answer comes at once."""
    loop = asyncio.get_running_loop()
    marks = {
        each: _mark("tardy", each) for each in ("createPersonLog", "createContact", "syncContactMethods", "logActivity")
    }
    began = loop.time()
    writing = [asyncio.create_task(partner.write(each, mark, deadline=deadline)) for each, mark in marks.items()]
    for mark in marks.values():
        await _sent(vendor, mark)
    os.kill(partner.process.process.pid, signal.SIGSTOP)
    await _until(vendor, lambda truth: {mark for mark, _ in truth.effects} == set(marks.values()))
    await asyncio.sleep(max(0.0, began + min(deadline, 2.0) + 0.5 - loop.time()))  # time is what has to pass
    os.kill(partner.process.process.pid, signal.SIGCONT)
    went_on = loop.time()
    told = await asyncio.gather(*writing)
    assert loop.time() - went_on < 0.25 + SLACK
    assert {each.state for each in told} <= ({"SUCCEEDED"} if deadline == 10.0 else {"SUCCEEDED", "UNKNOWN"})
    await partner.settled({mark for operation, mark in marks.items() if operation in KEYED})
    truth = await vendor.truth()
    assert [len(truth.made(mark)) for mark in marks.values()] == [1] * len(marks)
    assert [truth.sends[mark] for operation, mark in marks.items() if operation not in KEYED] == [1] * 3


async def test_row_50_without_file_descriptors_nothing_is_sent(partner: Partner, vendor: FaultyVendor) -> None:
    """Whoever asks is told that nothing was written; with descriptors again the same keys are good."""
    await partner.ask("{ viewer { name } }")  # the partner's own connection stands
    pid = partner.process.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (_descriptors(pid), before[1]))
    for operation in OPERATIONS:
        told = await partner.write(operation, _mark("healthy", operation))
        assert (told.state, told.code) in {("FAILED", "VENDOR_UNAVAILABLE"), (None, "LEDGER_UNAVAILABLE")}
    assert (await vendor.truth()).sends == {}
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    for operation in OPERATIONS:
        assert (await partner.write(operation, _mark("healthy", operation))).state == "SUCCEEDED"
    _assert_once(await vendor.truth(), "healthy")


def _mark(fault: str, operation: str) -> str:
    return f"{fault}-at-{operation.lower()}"


def _descriptors(pid: int) -> int:
    """One more than the highest that is in use."""
    return max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1  # noqa: PTH208  # pathlib has nothing that an async test may call


def _assert_once(truth: Truth, fault: str) -> None:
    """Each operation's write was sent once and applied once, and nothing else was."""
    marks = sorted(_mark(fault, each) for each in OPERATIONS)
    assert sorted(truth.sends.items()) == [(mark, 1) for mark in marks]
    assert sorted(mark for mark, _ in truth.effects) == marks


async def _sent(vendor: FaultyVendor, mark: str) -> None:
    await _until(vendor, lambda truth: truth.sends.get(mark, 0) > 0)


async def _until(vendor: FaultyVendor, holds: Callable[[Truth], Any]) -> None:
    """Another process, which can only be asked."""
    async with asyncio.timeout(_PATIENCE):
        while not holds(await vendor.truth()):  # noqa: ASYNC110  # another process knows of no event
            await asyncio.sleep(0.02)
