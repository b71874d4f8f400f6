"""A person who settles a write takes no record for it that another may still be answered with.

In a world with time of its own (tests.ledger.world): nothing here waits.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.ledger.settlement import Word, settle
from schema.errors import InvalidInput, Refusal
from schema.types.receipt import Delivery, WriteState
from tests.ledger.test_machine import new_home
from tests.ledger.truth import KINDS, Mood
from tests.ledger.world import World

ACTIVITY = KINDS[3]


@pytest.fixture
def world() -> Iterator[World]:
    """An activity is in doubt, and was not applied. Another that is alike has been, and its answer is still to come."""
    made = World(new_home())
    made.truth.mood = Mood.RESETS
    made.write(ACTIVITY, "a", "lost", Delivery.WAIT)
    made.pass_time(1.0)
    made.truth.mood = Mood.WELL
    made.truth.latency = 1.0
    made.write(ACTIVITY, "a", "alike", Delivery.WAIT)
    made.pass_time(2.2)
    yield made
    made.close()


def refusal(world: World, record: str) -> InvalidInput:
    """Why the write in doubt can't have made it."""
    assert world.process is not None
    word = Word(True, record, "seen", "a person")
    with pytest.raises(Refusal) as refused:
        world.run(settle(world.process.writer, world.rows()[0], word, world.loop.clock()))
    [error] = refused.value.errors
    assert isinstance(error, InvalidInput)
    assert error.path == ["input", "vendorRecordId"]
    return error


def test_nobody_can_say_whose_a_record_is_while_an_answer_is_under_way(world: World) -> None:
    """The person is told to try again, and then that it is the other's; so it is."""
    [effect] = world.truth.effects
    assert [each.state for each in world.rows()] == [WriteState.UNKNOWN, WriteState.SENDING]
    assert "is being sent right now; try again in a moment" in refusal(world, effect.record_id).message
    world.pass_time(3.0)
    assert "This record is what another write has made" in refusal(world, effect.record_id).message
    results = [(each.state, each.result_id) for each in world.rows()]
    assert results == [(WriteState.UNKNOWN, None), (WriteState.SUCCEEDED, effect.record_id)]
    assert world.wrongs() == []


def test_without_a_record_nothing_holds_it_up(world: World) -> None:
    """Whatever is being sent, a write in doubt can be settled as not applied."""
    assert world.process is not None
    word = Word(False, None, "not there", "a person")
    settled = world.run(settle(world.process.writer, world.rows()[0], word, world.loop.clock()))
    assert settled.state is WriteState.FAILED
