"""The whole ledger against a vendor that keeps the truth, in time of its own, with a process that dies anywhere.

Hypothesis draws what callers ask, what the vendor does to it, how much time passes and where the process dies, and after every
step nothing may be wrong. `make test` always draws the same examples; `make test-all` draws more, and new ones: it prints the
failing steps, which can be pasted into a test, and `@reproduce_failure`; with `--hypothesis-seed=N` a whole run is repeated.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from app.ledger.states import FINAL
from schema.types.receipt import Delivery, WriteState
from tests.ledger.truth import KINDS, Kind, Mood
from tests.ledger.world import World, make_tables

MEMORY = Path("/dev/shm")  # noqa: S108  # what lies there is no secret, and is removed
STEADY = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True)
MOODS = (*Mood, Mood.RESETS_APPLIED, Mood.RESETS_APPLIED, Mood.ERROR_APPLIED)
"""Those that leave a doubt about what was applied more often than the others: that is where it could go wrong."""

KEYS = (None, None, "k1", "k2", "k3", "k4", "k5", "k6")


class Ledger(RuleBasedStateMachine):
    """What may happen to a gateway, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(new_home())

    @rule(
        kind=st.sampled_from(KINDS),
        mark=st.sampled_from(["a", "a", "b"]),
        key=st.sampled_from(KEYS),
        delivery=st.sampled_from(Delivery),
        mood=st.sampled_from(MOODS),
        seconds=st.sampled_from([0.0, 0.06, 0.3, 11.0]),
    )
    def somebody_writes(
        self, kind: Kind, mark: str, key: str | None, delivery: Delivery, mood: Mood, seconds: float
    ) -> None:
        """Or repeats what was written before, to a vendor in some mood."""
        self.world.truth.mood = mood
        self.world.write(kind, mark, key, delivery)
        self.world.pass_time(seconds)
        if delivery is Delivery.BACKGROUND:
            self.world.look()

    @rule(mood=st.sampled_from(Mood), seconds=st.sampled_from([0.06, 6.0, 16.0, 61.0]))
    def the_reconciler_looks(self, mood: Mood, seconds: float) -> None:
        """A little later, at a vendor in some mood."""
        self.world.pass_time(seconds)
        self.world.truth.mood = mood
        self.world.look()

    @rule(number=st.integers(1, 12))
    def tasks_go_on(self, number: int) -> None:
        self.world.loop.steps(number)

    @rule(seconds=st.sampled_from([0.06, 1.0, 11.0, 45.0, 400.0, 4000.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.pass_time(seconds)

    @rule(seconds=st.sampled_from([0.0, 0.03, 0.06, 0.11, 0.16]), number=st.integers(0, 12))
    def the_process_is_killed(self, seconds: float, number: int) -> None:
        """Soon, in the middle of something."""
        self.world.pass_time(seconds)
        self.world.loop.steps(number)
        self.world.kill()
        self.world.start()

    @rule()
    def the_process_is_stopped(self) -> None:
        self.world.stop()
        self.world.start()

    @rule()
    def a_person_settles(self) -> None:
        self.world.settle()

    @invariant()
    def nothing_is_wrong(self) -> None:
        assert self.world.wrongs() == []

    def teardown(self) -> None:
        """In the end every write is applied once, refused, or listed for a person; a repeat is told the same."""
        try:
            self.world.truth.mood = Mood.WELL
            self.world.come_to_rest()
            assert self.world.wrongs() == []
            left = [each for each in self.world.rows() if each.state not in FINAL]
            assert [each for each in left if not (each.state is WriteState.UNKNOWN and each.needs_attention)] == []
        finally:
            self.world.close()


def test_a_ledger_keeps_its_promises_whatever_happens() -> None:
    """Always the same examples: what passes once passes again."""
    run_state_machine_as_test(
        Ledger, settings=settings(STEADY, derandomize=True, max_examples=80, stateful_step_count=30)
    )


@pytest.mark.big
def test_a_ledger_keeps_its_promises_whatever_else_happens() -> None:
    """New examples every time, and many more of them."""
    run_state_machine_as_test(Ledger, settings=settings(STEADY, max_examples=2000, stateful_step_count=50))


def new_home() -> Path:
    """A folder with a database of its own; whoever takes it removes it."""
    home = Path(tempfile.mkdtemp(prefix="ledger-", dir=_folder()))
    for file in Path(_template().name).iterdir():
        shutil.copy(file, home)
    return home


@cache
def _template() -> tempfile.TemporaryDirectory[str]:
    """A database with all tables, to be copied, for to make one takes longer than an example; gone with the process."""
    home = tempfile.TemporaryDirectory(prefix="ledger-", dir=_folder(), ignore_cleanup_errors=True)
    atexit.register(home.cleanup)
    asyncio.run(make_tables(Path(home.name) / "switchboard.db"))
    return home


def _folder() -> Path | None:
    return MEMORY if MEMORY.is_dir() else None
