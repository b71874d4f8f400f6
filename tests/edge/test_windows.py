"""Windows of time: what is spent in them, and what is left of them."""

from __future__ import annotations

from app.security.windows import FEW, Standing, Windows


def test_a_window_begins_with_the_first_that_is_spent_and_ends_for_all_of_it() -> None:
    """What is too much is not counted; whoever comes after its end finds all of it again."""
    now = [100.0]
    opened = Windows(10, 60, lambda: now[0])
    assert opened.spend("a", 4) == Standing(True, 6, 60)
    now[0] = 130.5
    assert opened.spend("a", 7) == Standing(False, 6, 30)
    assert opened.spend("a", 6) == Standing(True, 0, 30)
    assert (opened.stands("a"), opened.stands("b")) == (Standing(False, 0, 30), Standing(True, 10, 60))
    now[0] = 160.0
    assert opened.spend("a", 1) == Standing(True, 9, 60)


def test_windows_that_are_over_are_not_kept() -> None:
    """A name that is never seen again takes no memory for ever."""
    now = [0.0]
    opened = Windows(1, 60, lambda: now[0])
    for number in range(10 * FEW):
        now[0] += 1
        opened.spend(str(number), 1)
    assert len(opened) <= FEW
