"""An answer that comes after others have given its write up, and what a receipt says of a write in doubt meanwhile.

In a world with time of its own (tests.ledger.world): nothing here waits.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schema.errors import OutcomeUnknown
from schema.types.receipt import Delivery, Receipt, WriteState
from tests.ledger.test_machine import new_home
from tests.ledger.truth import KINDS, Kind, Mood
from tests.ledger.world import World

FAST = 20_000
"""In milliseconds: by how much the other process's clock is fast."""


@pytest.fixture
def world() -> Iterator[World]:
    made = World(new_home())
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.operation.value)
def test_an_answer_ends_the_doubt_that_another_process_had(world: World, kind: Kind) -> None:
    """Its clock is fast, so that it takes the lease for run out: the caller is told the outcome, and the ledger has it."""
    own = world.process
    assert own is not None
    world.truth.latency = 2.0
    world.write(kind, "a", "k", Delivery.WAIT)
    world.pass_time(4.5)
    world.start("another-host")
    other = world.process
    assert other is not None
    other.reconciler.clock = lambda: world.loop.clock() + FAST
    world.run(other.reconciler.look())
    assert [each.state for each in world.rows()] == [WriteState.UNKNOWN]
    world.pass_time(3.0)
    [made] = world.truth.applied("k")
    assert [(each.state, each.result_id) for each in world.rows()] == [(WriteState.SUCCEEDED, made.record_id)]
    [told] = world.told["k"]
    assert (told.codes, told.receipt and told.receipt.state) == ((), WriteState.SUCCEEDED)
    assert world.wrongs() == []
    other.deliveries.writer.engine.dispose()
    other.reads.engine.dispose()
    world.process = own


@pytest.mark.parametrize("mood", [Mood.PATIENCE, Mood.REFUSES, Mood.NO])
def test_a_receipt_in_doubt_does_not_say_that_it_may_be_repeated(world: World, mood: Mood) -> None:
    """Whatever the attempt ended in that followed the one which may have been applied."""
    world.truth.mood = Mood.RESETS_APPLIED
    world.write(KINDS[0], "a", "k", Delivery.WAIT)
    world.pass_time(1.0)
    world.truth.mood = mood
    world.pass_time(5.0)
    world.look()
    world.pass_time(2.0)
    [write] = world.rows()
    assert write.state is WriteState.UNKNOWN
    assert write.error is not None
    assert write.error["type"] != OutcomeUnknown.__name__
    assert isinstance(_receipt(world, "k").error, OutcomeUnknown)


def _receipt(world: World, key: str) -> Receipt:
    assert world.process is not None
    found = world.run(world.process.book.get(None, key))
    assert found is not None
    return found
