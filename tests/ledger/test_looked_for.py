"""What is looked for at the vendor and found may be the record of another write that is alike: each record is told to one.

In a world with time of its own (tests.ledger.world): nothing here waits.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from schema import ids
from schema.types.receipt import Delivery, WriteState
from tests.ledger.test_machine import new_home
from tests.ledger.truth import KINDS, Mood
from tests.ledger.world import DEADLINE, World

CONTACT, ACTIVITY = KINDS[1], KINDS[3]
NOT_APPLIED, APPLIED = (WriteState.UNKNOWN, None), (WriteState.SUCCEEDED, ids.encode(ids.Kind.CONTACT, "r0"))


@pytest.fixture
def world() -> Iterator[World]:
    """A contact was sent, is in doubt, and was not applied; it is looked for from now on."""
    made = World(new_home())
    made.truth.mood = Mood.ERROR
    made.write(CONTACT, "a", "lost", Delivery.WAIT)
    made.pass_time(6.0)
    yield made
    made.close()


def outcomes(world: World) -> dict[str, tuple[WriteState, str | None]]:
    """What became of each write, by its key."""
    assert world.wrongs() == []
    return {each.idempotency_key: (each.state, each.result_id) for each in world.rows()}


def is_found_while_sent(world: World, mood: Mood) -> None:
    """Another that is alike is applied, and found before its own answer is there."""
    world.truth.mood = mood
    world.write(CONTACT, "a", "alike", Delivery.WAIT)
    world.pass_time(0.06)
    world.look()
    world.pass_time(0.051)
    assert len(world.truth.effects) == 1
    assert outcomes(world) == {"lost": NOT_APPLIED, "alike": (WriteState.SENDING, None)}


def test_a_record_whose_answer_is_still_to_come_is_not_taken_for_another(world: World) -> None:
    """It is the one of the write that is answered with it; the other stays in doubt, until a person is asked for."""
    is_found_while_sent(world, Mood.WELL)
    world.come_to_rest()
    assert outcomes(world) == {"lost": NOT_APPLIED, "alike": APPLIED}
    assert [each.needs_attention for each in world.rows()] == [True, False]


def test_where_no_answer_comes_the_record_is_told_to_one_of_them(world: World) -> None:
    """Nobody can say whose it is: one of the two has it, and the other is in doubt."""
    is_found_while_sent(world, Mood.RESETS_APPLIED)
    world.come_to_rest()
    assert sorted(outcomes(world).values(), key=str) == sorted([NOT_APPLIED, APPLIED], key=str)


def test_what_nobody_has_answered_in_time_is_looked_for_again(world: World) -> None:
    """The other's process is on another host, and dead: until its lease has run out nobody knows that no answer comes."""
    world.truth.mood = Mood.WELL
    world.start("elsewhere")
    world.write(CONTACT, "a", "alike", Delivery.WAIT)
    world.pass_time(0.06)
    world.kill()
    world.start()
    world.look()
    world.pass_time(DEADLINE + 1)
    assert len(world.truth.effects) == 1
    assert outcomes(world) == {"lost": NOT_APPLIED, "alike": (WriteState.SENDING, None)}
    world.come_to_rest()
    assert sorted(outcomes(world).values(), key=str) == sorted([NOT_APPLIED, APPLIED], key=str)


def test_what_could_not_have_made_it_holds_nothing_up(world: World) -> None:
    """Of another kind, or sent only after it was found: however much is written, a write in doubt is settled."""
    world.truth.applies("lost", CONTACT.operation, "a", None)
    world.truth.mood = Mood.SLOW
    world.write(ACTIVITY, "a", "of another kind", Delivery.WAIT)
    world.pass_time(0.06)
    world.truth.mood = Mood.WELL
    world.write(CONTACT, "b", "before", Delivery.WAIT)
    world.pass_time(0.06)
    world.look()
    world.pass_time(0.06)
    for number in range(10):
        world.write(CONTACT, "b", f"after {number}", Delivery.WAIT)
        world.pass_time(0.06)
    assert outcomes(world)["lost"] == APPLIED
