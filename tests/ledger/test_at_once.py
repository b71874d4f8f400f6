"""A write that nothing keeps waiting is stored once before its first byte: that it is there, and that it is being sent.

In a world with time of its own (tests.ledger.world): nothing here waits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import event

from app.gate import Open
from app.ledger import store
from app.ledger.book import PLANNERS, Planner
from app.plan import Intent, Plan
from schema.types.receipt import Delivery, WriteState
from tests.ledger.rows import DAY, a_write
from tests.ledger.test_lanes import applied
from tests.ledger.test_machine import new_home
from tests.ledger.truth import KINDS, Kind, Mood
from tests.ledger.world import DEADLINE, World

LOG, CONTACT, SYNC, ACTIVITY = KINDS
UNSENT = 0.01
"""In seconds: by then the vendor has been called, and no byte has left."""

SENT = 0.07
ALL_STEPS = [(None, "PENDING"), ("PENDING", "SENDING"), ("SENDING", "SUCCEEDED")]


@pytest.fixture
def world() -> Iterator[World]:
    made = World(new_home())
    yield made
    made.close()


@dataclass(frozen=True)
class Crowded(Open):
    """A gate behind which others wait for their turn."""

    def has_room(self) -> bool:
        return False


@dataclass(frozen=True)
class Behind:
    """A planner whose writes go through another gate."""

    planner: Planner
    gate: Open

    def plan(self, draft: Any, intent: Intent) -> Plan[Any]:
        return replace(self.planner.plan(draft, intent), gate=self.gate)


@pytest.mark.parametrize("kind", [LOG, CONTACT, ACTIVITY], ids=lambda kind: kind.operation.value)
def test_it_is_stored_with_its_sending_and_with_its_outcome(world: World, kind: Kind) -> None:
    """Two transactions: one before the first byte, which is all that the ledger needs to know, and one after the answer."""
    commits = _commits(world)
    world.write(kind, "a", None, Delivery.WAIT)
    world.pass_time(UNSENT)
    assert (world.rows(), len(commits)) == ([], 0)
    world.pass_time(SENT - UNSENT)
    assert ([each.state for each in world.rows()], len(commits)) == ([WriteState.SENDING], 1)
    assert _steps(world) == ALL_STEPS[:2]
    world.pass_time(1.0)
    assert (applied(world), len(commits)) == (["a"], 2)
    assert _steps(world) == ALL_STEPS


@pytest.mark.parametrize(
    ("kind", "key"), [(CONTACT, "k"), (SYNC, None)], ids=["a key that another may hold", "a lane in which it may wait"]
)
def test_what_may_have_to_wait_is_stored_first(world: World, kind: Kind, key: str | None) -> None:
    """So that it is found, whatever becomes of this process, and before the vendor is called."""
    world.write(kind, "a", key, Delivery.WAIT)
    world.pass_time(UNSENT)
    assert [each.state for each in world.rows()] == [WriteState.PENDING]
    world.pass_time(1.0)
    assert applied(world) == ["a"]
    assert _steps(world) == ALL_STEPS


def test_where_there_is_no_room_it_is_stored_first(world: World) -> None:
    """It may wait for its turn until its deadline."""
    assert world.process is not None
    name, book = PLANNERS[CONTACT.operation], world.process.book
    crowded = Behind(book.planners[name], Crowded())
    world.process.book = replace(book, planners={**book.planners, name: crowded})
    world.write(CONTACT, "a", None, Delivery.WAIT)
    world.pass_time(UNSENT)
    assert [each.state for each in world.rows()] == [WriteState.PENDING]


def test_what_can_not_be_sent_is_stored_all_the_same(world: World) -> None:
    """With a receipt that says so, and without ever having been sent."""
    world.truth.mood = Mood.REFUSES
    world.write(CONTACT, "a", None, Delivery.WAIT)
    world.pass_time(DEADLINE + 1)
    assert applied(world) == []
    [row] = world.rows()
    assert (row.state, row.attempts) == (WriteState.FAILED, 0)
    [told] = world.told[row.idempotency_key]
    assert (told.receipt and told.receipt.own_id, told.codes) == (row.id, ("VENDOR_UNAVAILABLE",))
    steps = _steps(world)
    assert (steps[0], steps[-1][1]) == ((None, "PENDING"), "FAILED")


def test_what_is_given_up_before_it_was_stored_is_judged_all_the_same(world: World) -> None:
    """The database was slow: the write was stored as being sent only after its delivery had let go of it."""
    assert world.process is not None
    deliveries, write = world.process.deliveries, a_write(gateway_key="partner")
    sending = {"attempts": 1, "owner": deliveries.owner, "lease_ms": write.created_ms + DAY}
    assert world.run(deliveries.writer.run(lambda c: store.add_sending(c, write, write.created_ms, **sending)))
    assert world.run(deliveries.writer.run(lambda c: store.add(c, write)))
    world.run(deliveries.expire(write))
    assert [(each.state, each.attempts) for each in world.rows()] == [(WriteState.FAILED, 1)]
    assert _steps(world) == [*ALL_STEPS[:2], ("SENDING", "FAILED")]


def test_a_process_that_dies_before_the_first_byte_leaves_nothing(world: World) -> None:
    """Nothing is stored, nothing has been sent, and nothing is sent after the next start."""
    world.write(CONTACT, "a", None, Delivery.WAIT)
    world.pass_time(UNSENT)
    world.kill()
    world.start()
    world.come_to_rest()
    assert (applied(world), world.rows()) == ([], [])


def _commits(world: World) -> list[object]:
    """What the process commits from here on."""
    assert world.process is not None
    found: list[object] = []
    event.listen(world.process.writer.engine, "commit", found.append)
    return found


def _steps(world: World) -> list[tuple[str | None, str]]:
    """The history of the one write that there is."""
    assert world.process is not None
    [row] = world.rows()
    found = world.run(world.process.reads.run(lambda c: store.events(c, [row.id])))[row.id]
    return [(each.before.value if each.before else None, each.after.value) for each in found]
