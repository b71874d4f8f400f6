"""The points at which a gateway can be made to kill itself do nothing by accident."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping

import pytest

from app.failpoints import POINTS, Failpoint, nowhere, read_failpoint
from app.registry import VENDORS
from app.settings import BadSettings, read_settings
from app.variables import FAILPOINT

ON_LOOPBACK = {"TEST_ARCHITECT_BASE_URL": "http://127.0.0.1:9101", "TEST_ARCHITECT_API_KEY": "a-key"}
REFUSED = f"{FAILPOINT.name} is for tests: it is refused where a vendor that is not on loopback is configured"


def test_without_the_setting_there_is_none() -> None:
    """What the gateway calls then does nothing at any point."""
    assert read_settings({}, VENDORS).failpoint is None
    for point in POINTS:
        nowhere(point)


@pytest.mark.parametrize(("given", "passings"), [("answer_in_hand", 1), ("answer_in_hand:3", 3)])
def test_a_point_is_named_with_the_time_at_which_it_counts(given: str, passings: int) -> None:
    """The first by default."""
    read = read_settings({FAILPOINT.name: given, **ON_LOOPBACK}, VENDORS).failpoint
    assert read == Failpoint("answer_in_hand", passings)


@pytest.mark.parametrize("given", ["nowhere", "answer_in_hand:0", "answer_in_hand:x", ":1", "answer_in_hand:-1"])
def test_what_is_no_point_is_refused(given: str) -> None:
    """At start, by name, with those that there are."""
    with pytest.raises(ValueError, match="no such point"):
        read_failpoint(given)
    with pytest.raises(BadSettings) as refused:
        read_settings({FAILPOINT.name: given, **ON_LOOPBACK}, VENDORS)
    assert refused.value.problems == [f"{FAILPOINT.name} must be one of {', '.join(POINTS)}, with :n for the n-th time"]


@pytest.mark.parametrize(
    "real",
    [
        {"ARCHITECT_API_KEY": "a-key"},
        {"TEST_REEVO_API_KEY": "a-key"},
        {"ARTU_API_KEY": "a-key", "ARTU_BASE_URL": "https://127.0.0.1.example"},
    ],
)
def test_where_a_real_vendor_can_be_called_it_is_refused(real: Mapping[str, str]) -> None:
    """In either environment: a gateway that is of use to anybody can't be made to fall over."""
    with pytest.raises(BadSettings) as refused:
        read_settings({FAILPOINT.name: POINTS[0], **ON_LOOPBACK, **real}, VENDORS)
    assert refused.value.problems == [REFUSED]


def test_at_the_nth_passing_of_its_point_the_process_kills_itself() -> None:
    """Not at another point, not before, and with no chance to tidy up."""
    script = (
        "from app.failpoints import Failpoint; reached = Failpoint('answer_in_hand', 2); reached('before_intent');"
        "reached('answer_in_hand'); print('alive', flush=True); reached('answer_in_hand'); print('never', flush=True)"
    )
    ended = subprocess.run(  # noqa: S603  # our own script
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=dict(os.environ)
    )
    assert (ended.returncode, ended.stdout) == (-signal.SIGKILL, "alive\n")
