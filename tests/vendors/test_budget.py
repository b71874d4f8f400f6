"""The retry budget by itself, with a clock of the test's own."""

from app.budget import AT_FIRST, MOST, RetryBudget
from tests.vendors.clockwork import Clockwork


def repeats(budget: RetryBudget) -> int:
    """How many sends may be made again now; each of them is a send too."""
    count = 0
    while budget.withdraw():
        budget.sent()
        count += 1
    return count


def test_a_tenth_of_what_is_sent_may_be_sent_again() -> None:
    """After a thousand calls that all fail at the same moment, and not one more than at the beginning beside it."""
    budget, sent = RetryBudget(Clockwork()), 0
    for _ in range(1000):
        budget.sent()
        sent += repeats(budget)
    assert sent == 100 + int(AT_FIRST)


def test_one_a_second_may_be_sent_again_where_little_is_sent() -> None:
    """Also where nothing else is."""
    clock = Clockwork()
    budget = RetryBudget(clock)
    repeats(budget)
    made = 0
    for _ in range(60):
        clock.passes(1.0)
        made += repeats(budget)
    assert made == 60


def test_only_so_many_are_saved_up() -> None:
    """A quiet night brings no storm in the morning."""
    clock = Clockwork()
    budget = RetryBudget(clock)
    clock.passes(8 * 3600)
    assert repeats(budget) == MOST
