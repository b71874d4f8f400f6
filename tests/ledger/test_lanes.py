"""Writes of one lane keep their order, whoever waits for them; and what a process leaves when it ends is taken up as promised.

In a world with time of its own (tests.ledger.world): nothing here waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from app.current import begin
from app.failpoints import nowhere
from app.ledger.states import EXAMINED_AFTER
from schema.errors import LedgerUnavailable
from schema.types.receipt import Delivery, WriteOperation, WriteState
from tests.ledger.test_machine import new_home
from tests.ledger.truth import KINDS, Mood
from tests.ledger.world import DEADLINE, World

LOG, CONTACT, SYNC, ACTIVITY = KINDS
WAIT, BACKGROUND = Delivery.WAIT, Delivery.BACKGROUND


@pytest.fixture
def world() -> Iterator[World]:
    made = World(new_home())
    yield made
    made.close()


def applied(world: World) -> list[str]:
    """What the vendor has applied, in its order, by what it is."""
    assert world.wrongs() == []
    return [each.mark for each in world.truth.effects]


def told(world: World, key: str) -> list[tuple[WriteState | None, tuple[str, ...]]]:
    """What was told of a write, one after the other: its state, and the codes of its errors."""
    return [(each.receipt.state if each.receipt else None, each.codes) for each in world.told.get(key, [])]


def history(world: World, key: str) -> list[tuple[WriteState, int]]:
    """The states of the newest write of a key with how often it was sent."""
    return [(each.state, each.attempts) for each in world.rows() if each.idempotency_key == key]


def test_writes_that_are_waited_for_are_sent_one_after_the_other(world: World) -> None:
    """Asked for together, they are applied in the order in which they were asked for, and both in time."""
    for mark in "abc":
        world.write(SYNC, mark, f"key {mark}", WAIT)
    world.pass_time(DEADLINE)
    assert applied(world) == ["a", "b", "c"]
    assert [told(world, f"key {mark}") for mark in "abc"] == [[(WriteState.SUCCEEDED, ())]] * 3


def test_a_write_that_is_waited_for_does_not_overtake_an_older_one(world: World) -> None:
    """One that waits in the background is delivered first, and then the one that is waited for."""
    world.write(SYNC, "older", "k1", BACKGROUND)
    world.write(SYNC, "newer", "k2", WAIT)
    world.pass_time(1.0)
    assert applied(world) == []
    world.look()
    world.pass_time(2.0)
    assert applied(world) == ["older", "newer"]
    assert told(world, "k2") == [(WriteState.SUCCEEDED, ())]


def test_a_write_whose_turn_never_comes_was_provably_not_sent(world: World) -> None:
    """It fails at its deadline in a way that may be repeated; the repeat comes after the older one, too."""
    world.truth.mood = Mood.REFUSES
    world.write(SYNC, "older", "k1", BACKGROUND)
    world.look()
    world.write(SYNC, "newer", "k2", WAIT)
    world.pass_time(DEADLINE + 1)
    assert told(world, "k2") == [(WriteState.FAILED, ("VENDOR_UNAVAILABLE",))]
    assert history(world, "k2") == [(WriteState.FAILED, 0)]
    world.truth.mood = Mood.WELL
    world.write(SYNC, "newer", "k2", WAIT)
    for _ in range(8):
        world.pass_time(1.0)
        world.look()
    assert applied(world) == ["older", "newer"]
    assert told(world, "k2")[1:] == [(WriteState.SUCCEEDED, ())]


def test_the_next_in_the_background_need_not_wait_for_its_turn_to_be_noticed(world: World) -> None:
    """Once the one before is out of the way, it is due at once."""
    for mark in "abc":
        world.write(SYNC, mark, f"key {mark}", BACKGROUND)
    world.look()
    for _ in range(2):
        world.pass_time(0.5)
        world.look()
    world.pass_time(0.5)
    assert applied(world) == ["a", "b", "c"]


def test_a_lane_is_kept_between_processes(world: World) -> None:
    """What one process sends, another waits for."""
    world.write(SYNC, "a", "k1", WAIT)
    world.start()
    world.write(SYNC, "b", "k2", WAIT)
    world.pass_time(0.07)
    assert [each.state for each in world.rows()] == [WriteState.SENDING, WriteState.PENDING]
    world.pass_time(3.0)
    assert applied(world) == ["a", "b"]


def test_what_was_stored_and_not_sent_is_sent_after_a_restart_in_time(world: World) -> None:
    """Its caller's process is dead, and its deadline is still ahead: a repeat with the same key is answered with it."""
    world.write(CONTACT, "a", "k", WAIT)
    world.pass_time(0.01)
    world.kill()
    world.start()
    world.write(CONTACT, "a", "k", WAIT)
    world.look()
    world.pass_time(2.0)
    assert applied(world) == ["a"]
    assert history(world, "k") == [(WriteState.SUCCEEDED, 1)]
    assert [each.receipt.replayed for each in world.told["k"] if each.receipt] == [True]


def test_what_was_stored_and_not_sent_fails_after_its_deadline(world: World) -> None:
    """Nobody waits for it any more: it is not sent behind anybody's back, and a repeat is a new write."""
    world.write(CONTACT, "a", "k", WAIT)
    world.pass_time(0.01)
    world.kill()
    world.pass_time(DEADLINE)
    world.start()
    world.look()
    world.pass_time(1.0)
    assert history(world, "k") == [(WriteState.FAILED, 0)]
    assert applied(world) == []
    world.write(CONTACT, "a", "k", WAIT)
    world.pass_time(1.0)
    assert applied(world) == ["a"]
    assert told(world, "k") == [(WriteState.SUCCEEDED, ())]


@pytest.mark.parametrize("ends", [World.kill, World.stop])
def test_what_was_claimed_and_not_begun_is_free_once_its_process_ends(world: World, ends: object) -> None:
    """Whoever comes next need not wait until the claim runs out."""
    assert callable(ends)
    world.truth.mood = Mood.REFUSES
    world.write(ACTIVITY, "a", "k", BACKGROUND)
    world.look()
    ends(world)
    world.truth.mood = Mood.WELL
    world.start()
    world.look()
    world.pass_time(1.0)
    world.look()
    world.pass_time(1.0)
    assert applied(world) == ["a"]


@pytest.mark.parametrize("kind", [LOG, CONTACT], ids=lambda kind: kind.operation.name.lower())
def test_what_was_being_sent_is_looked_at_after_a_quiet_period(world: World, kind: object) -> None:
    """The vendor may still be at it: not at once, and then as often as the rules say."""
    [found] = [each for each in KINDS if each is kind]
    world.write(found, "a", "k", WAIT)
    world.pass_time(0.12)
    assert history(world, "k") == [(WriteState.SENDING, 1)]
    world.kill()
    world.start()
    world.look()
    first = EXAMINED_AFTER[0].total_seconds()
    world.pass_time(first - 0.5)
    world.look()
    assert history(world, "k") == [(WriteState.UNKNOWN, 1)]
    world.pass_time(1.0)
    world.look()
    world.pass_time(1.0)
    assert history(world, "k") == [(WriteState.SUCCEEDED, 2 if found.has_key else 1)]
    assert applied(world) == ["a"]


def test_a_write_that_was_put_off_stays_with_who_waits_for_it(world: World) -> None:
    """A process on another host that looks when it is due leaves it alone: its caller is told what came of it."""
    world.start("elsewhere")
    world.truth.mood = Mood.REFUSES
    world.write(CONTACT, "a", "k", WAIT)
    world.pass_time(0.1)
    assert history(world, "k") == [(WriteState.PENDING, 0)]
    world.start()
    world.truth.mood, world.truth.latency = Mood.WELL, 0.3
    world.pass_time(0.4)
    world.truth.latency = 0.05
    world.look()
    world.pass_time(1.0)
    assert [each.owner for each in world.rows()] == [None]
    assert told(world, "k") == [(WriteState.SUCCEEDED, ())]
    assert applied(world) == ["a"]


def test_what_was_said_not_to_be_sent_is_not_sent_afterwards(world: World) -> None:
    """Where the ledger does not answer while a write is put off, its caller is told so, and may write it anew."""
    assert world.process is not None
    world.truth.mood = Mood.REFUSES
    world.write(SYNC, "a", None, WAIT)
    world.pass_time(0.1)
    world.process.threads.is_dead = True
    world.pass_time(0.5)
    world.process.threads.is_dead = False
    world.truth.mood = Mood.WELL
    for _ in range(8):
        world.look()
        world.pass_time(DEADLINE / 4)
    assert told(world, "") == [(None, ("LEDGER_UNAVAILABLE",))]
    assert applied(world) == []
    assert [each.state for each in world.rows()] == [WriteState.FAILED]


def test_a_ledger_that_is_away_before_the_first_byte_leaves_no_doubt(world: World) -> None:
    """The write is stored, and that it is sent can't be: the caller is told that nothing was sent, and nothing is."""
    assert world.process is not None
    threads = world.process.threads
    world.process.deliveries.reached = lambda point: setattr(threads, "is_dead", point == "intent_committed")
    world.write(CONTACT, "a", "k", WAIT)
    world.pass_time(DEADLINE)
    threads.is_dead = False
    for _ in range(8):
        world.look()
        world.pass_time(DEADLINE)
    assert told(world, "k") == [(None, ("LEDGER_UNAVAILABLE",))]
    assert applied(world) == []
    assert [each.state for each in world.rows()] == [WriteState.FAILED]


def test_a_write_whose_storing_nobody_heard_of_is_stored_again(world: World) -> None:
    """It is the same one: its caller is told of it, and it is sent once."""
    assert world.process is not None
    threads = world.process.threads
    world.process.deliveries.reached = lambda point: setattr(threads, "goes_unheard", point == "before_intent")
    world.write(CONTACT, "a", None, BACKGROUND)
    world.pass_time(DEADLINE)
    world.look()
    world.pass_time(DEADLINE)
    assert [(each.state, each.attempts) for each in world.rows()] == [(WriteState.SUCCEEDED, 1)]
    assert told(world, world.rows()[0].idempotency_key) == [(WriteState.PENDING, ())]
    assert applied(world) == ["a"]


@pytest.mark.parametrize(
    ("key", "what_next"),
    [("k", "Ask with the same idempotency key again"), (None, "Look at the receipts before you repeat it")],
)
def test_of_a_background_write_that_may_be_stored_nobody_is_told_that_it_is_not_sent(
    world: World, key: str | None, what_next: str
) -> None:
    """Where the ledger is away from then on: it is sent once it is back, and a repeat of the key is the same write."""
    process = world.process
    assert process is not None
    process.deliveries.reached = lambda point: setattr(process.threads, "goes_unheard", point == "before_intent")

    async def write() -> None:
        begin("caller", DEADLINE)
        asyncio.get_running_loop().call_later(0.1, setattr, process.threads, "is_dead", True)
        await process.book.write(CONTACT.operation, CONTACT.draft("a"), key, BACKGROUND, None)

    with pytest.raises(LedgerUnavailable, match=what_next) as raised:
        world.run(write())
    assert "nothing was sent" not in str(raised.value)
    process.threads.is_dead, process.deliveries.reached = False, nowhere
    if key is not None:
        world.write(CONTACT, "a", key, BACKGROUND)
    world.look()
    world.pass_time(DEADLINE)
    assert applied(world) == ["a"]


def test_two_writes_that_are_alike_never_share_one_record(world: World) -> None:
    """Both in doubt, one applied, both looked for at the same moment: the record is one's outcome, the other stays in doubt."""
    for key, mood in (("k1", Mood.RESETS_APPLIED), ("k2", Mood.RESETS)):
        world.truth.mood = mood
        world.write(CONTACT, "a", key, WAIT)
        world.pass_time(1.0)
    world.truth.mood = Mood.WELL
    world.pass_time(EXAMINED_AFTER[0].total_seconds())
    world.look()
    world.pass_time(1.0)
    assert applied(world) == ["a"]
    assert sorted(each.state.value for each in world.rows()) == ["SUCCEEDED", "UNKNOWN"]


def test_every_kind_of_write_is_in_this_world() -> None:
    """With a key, found again, in a lane, and with nothing of these."""
    assert [kind.operation for kind in KINDS] == [
        WriteOperation.CREATE_PERSON_LOG,
        WriteOperation.CREATE_CONTACT,
        WriteOperation.SYNC_CONTACT_METHODS,
        WriteOperation.LOG_ACTIVITY,
    ]
