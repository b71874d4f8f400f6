"""The circuit breaker by itself, with a clock of the test's own."""

from __future__ import annotations

import pytest

from app.breaker import Breaker, Breakers, CircuitOpen
from tests.vendors.clockwork import Clockwork

SLOW = 5.0


@pytest.fixture
def clock() -> Clockwork:
    return Clockwork()


@pytest.fixture
def breaker(clock: Clockwork) -> Breaker:
    """Its circuits stay open for a tenth more than 15 s."""
    return Breaker(SLOW, clock, spread=lambda: 0.5)


def calls(breaker: Breaker, *outcomes: bool | None) -> None:
    """Calls that take no time and end so."""
    for outcome in outcomes:
        breaker.end(breaker.begin(), is_good=outcome)


def opened(breaker: Breaker) -> Breaker:
    calls(breaker, *[False] * 20)
    return breaker


def test_the_twentieth_bad_call_opens_the_circuit(breaker: Breaker) -> None:
    """Not the nineteenth: so few say nothing."""
    calls(breaker, *[False] * 19)
    assert (breaker.wait(), breaker.is_open) == (0.0, False)
    calls(breaker, False)
    assert (breaker.wait(), breaker.is_open) == (16.5, True)


def test_half_of_the_last_twenty_are_enough(breaker: Breaker) -> None:
    """However many good ones were before."""
    calls(breaker, *[True] * 100, *[False] * 9)
    assert not breaker.is_open
    calls(breaker, False)
    assert breaker.is_open


def test_a_call_of_which_nothing_is_known_does_not_count(breaker: Breaker) -> None:
    """Such as one that its caller cut short: nobody can open a circuit for all others by impatience."""
    calls(breaker, *[None] * 100)
    assert not breaker.is_open


def test_what_is_older_than_thirty_seconds_is_forgotten(breaker: Breaker, clock: Clockwork) -> None:
    """A failure now and then opens nothing."""
    for _ in range(100):
        calls(breaker, False)
        clock.passes(1.6)
    assert not breaker.is_open


def test_four_slow_calls_in_five_open_the_circuit(breaker: Breaker, clock: Clockwork) -> None:
    """Though every one of them succeeded."""
    calls(breaker, *[True] * 4)
    trials = [breaker.begin() for _ in range(16)]
    clock.passes(SLOW)
    for trial in trials:
        breaker.end(trial, is_good=True)
    assert breaker.is_open


def test_calls_that_are_swallowed_open_the_circuit_before_they_end(breaker: Breaker, clock: Clockwork) -> None:
    """Twenty under way and none answered in the time of a slow call: the twenty-first is not made."""
    calls(breaker, *[True] * 50)
    for _ in range(20):
        breaker.begin()
    clock.passes(SLOW - 0.001)
    assert not breaker.is_open
    clock.passes(0.001)
    with pytest.raises(CircuitOpen) as shut:
        breaker.begin()
    assert shut.value.seconds == 16.5


def test_one_call_tries_and_then_three_and_then_all(breaker: Breaker, clock: Clockwork) -> None:
    """Once the wait is over; who comes meanwhile is asked to come back soon."""
    opened(breaker)
    clock.passes(16.5)
    assert not breaker.is_open
    for together in (1, 3):
        trials = [breaker.begin() for _ in range(together)]
        assert breaker.wait() == 1.0
        for trial in trials:
            breaker.end(trial, is_good=True)
    for _ in range(50):
        breaker.begin()


@pytest.mark.parametrize("good", [0, 1, 3])
def test_a_bad_trial_opens_the_circuit_again(good: int, breaker: Breaker, clock: Clockwork) -> None:
    """The first, or one of the three; the wait begins anew."""
    opened(breaker)
    clock.passes(16.5)
    calls(breaker, *[True] * good, False)
    assert (breaker.wait(), breaker.is_open) == (16.5, True)


def test_a_slow_trial_opens_the_circuit_again(breaker: Breaker, clock: Clockwork) -> None:
    """Also one that never ended by itself."""
    opened(breaker)
    clock.passes(16.5)
    trial = breaker.begin()
    clock.passes(SLOW)
    breaker.end(trial, is_good=None)
    assert breaker.is_open


def test_a_trial_of_which_nothing_is_known_lets_another_try(breaker: Breaker, clock: Clockwork) -> None:
    """Its place is free again."""
    opened(breaker)
    clock.passes(16.5)
    calls(breaker, None)
    assert breaker.wait() == 0.0


def test_calls_from_before_say_nothing_of_a_circuit_that_opened_since(breaker: Breaker, clock: Clockwork) -> None:
    """Neither do they close it nor prolong it."""
    early, other = breaker.begin(), breaker.begin()
    opened(breaker)
    clock.passes(16.5)
    breaker.end(early, is_good=True)
    breaker.end(other, is_good=False)
    calls(breaker, True)
    for _ in range(3):
        breaker.begin()
    assert breaker.wait() == 1.0


def test_a_dead_vendor_is_tried_once_in_fifteen_seconds(breaker: Breaker, clock: Clockwork) -> None:
    """Of a thousand calls a second over two minutes, twenty find out and eight try."""
    made = 0
    for _ in range(120_000):
        if breaker.wait() == 0.0:
            calls(breaker, False)
            made += 1
        clock.passes(0.001)
    assert made == 20 + 7


def test_an_answer_that_turns_out_to_be_no_record_is_blamed(breaker: Breaker) -> None:
    """Each counts as a good call and a bad one: that is half."""
    for _ in range(10):
        calls(breaker, True)
        breaker.blame()
    assert breaker.is_open


def test_each_operation_has_a_circuit_of_its_own(clock: Clockwork) -> None:
    """One that is open says that not all of the vendor is available."""
    breakers = Breakers(SLOW, clock)
    opened(breakers["contacts.list"])
    assert (breakers["contacts.create"].wait(), breakers.are_closed) == (0.0, False)
