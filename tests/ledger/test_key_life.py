"""A vendor that takes a key forgets it one day: by then nothing is sent again, and a person is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from schema.types.receipt import Delivery, WriteState
from tests.ledger.test_machine import new_home
from tests.ledger.truth import KEY_LIFE, KINDS, Mood
from tests.ledger.world import World

KEYED = KINDS[0]
MINUTES_10 = 600.0


@pytest.fixture
def world() -> Iterator[World]:
    made = World(new_home())
    yield made
    made.close()


def test_a_write_in_doubt_is_sent_again_only_as_long_as_the_vendor_knows_its_key(world: World) -> None:
    """Applied at once, never answered: two days later it has one effect, is listed for a person, and a repeat is told so."""
    world.truth.mood = Mood.ERROR_APPLIED
    _write(world)
    attempts = [_after(world, KEY_LIFE)]
    world.truth.mood = Mood.WELL  # and would take it for a new one
    attempts.append(_after(world, KEY_LIFE))
    [row] = world.rows()
    assert (row.state, row.needs_attention, len(world.truth.effects)) == (WriteState.UNKNOWN, True, 1)
    assert attempts[0] == attempts[1] > 20
    _write(world)
    assert [told.codes for told in world.told["k1"]] == [("OUTCOME_UNKNOWN",)] * 2
    assert world.wrongs() == []


def test_a_write_that_was_to_be_sent_again_is_not_once_its_key_is_forgotten(world: World) -> None:
    """The process dies just before it would be sent, and the next one comes only when the vendor knows nothing of it."""
    world.truth.mood = Mood.RESETS_APPLIED
    _write(world)
    world.pass_time(6)
    world.look()
    while world.rows()[0].state is not WriteState.PENDING:
        world.loop.steps(1)
    world.kill()
    world.pass_time(KEY_LIFE.total_seconds())
    world.start()
    world.truth.mood = Mood.WELL
    assert _after(world, timedelta(hours=1)) == 1
    [row] = world.rows()
    assert (row.state, row.needs_attention, len(world.truth.effects)) == (WriteState.UNKNOWN, True, 1)
    assert world.wrongs() == []


def _write(world: World) -> None:
    world.write(KEYED, "a", "k1", Delivery.WAIT)
    world.pass_time(1)


def _after(world: World, span: timedelta) -> int:
    """How often the write has been sent, some time later."""
    for _ in range(round(span.total_seconds() / MINUTES_10)):
        world.pass_time(MINUTES_10)
        world.look()
        world.pass_time(1)
    return world.rows()[0].attempts
