"""What is counted later is counted all the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis.strategies import floats, lists
from prometheus_client import CollectorRegistry, Counter, Histogram

from app.telemetry import Telemetry
from app.telemetry.backlog import MOST, Backlog
from app.telemetry.metrics import SECONDS
from app.telemetry.series import Durations, measuring
from tests.telemetry.scrape import of, series, value


def test_whoever_reads_finds_all_of_it() -> None:
    """Each count once."""
    registry = Backlog()
    counted = Counter("x_total", "x", ("a",), registry=registry)
    took = Durations("x_seconds", "x", buckets=(0.1, 1.0), registry=registry)
    measure = measuring(counted.labels("p"), took)
    for seconds in (0.05, 0.1, 0.2, 7.0):
        registry.add(measure, seconds)
    for _ in range(2):
        assert series(of(registry), "x_total") == {("p",): 4}
        assert series(of(registry), "x_seconds_bucket") == {("0.1",): 2, ("1.0",): 3, ("+Inf",): 4}
        assert value(of(registry), "x_seconds_sum") == pytest.approx(7.35)


@given(lists(floats(0, 40, allow_nan=False)))
def test_many_durations_at_once_come_to_what_each_by_itself_comes_to(seconds: list[float]) -> None:
    """The library's own way is the measure."""
    registry = CollectorRegistry()
    ours = Durations("ours", "x", buckets=SECONDS, registry=registry)
    theirs = Histogram("theirs", "x", buckets=SECONDS, registry=registry)
    ours.observe_all(seconds)
    for each in seconds:
        theirs.observe(each)
    found = of(registry)
    assert series(found, "ours_bucket") == series(found, "theirs_bucket")
    assert value(found, "ours_sum") == pytest.approx(value(found, "theirs_sum"))


def test_nothing_is_kept_for_longer_than_it_takes_to_be_much() -> None:
    """A process that nobody asks, and that has no time to look, does not grow."""
    registry, told = Backlog(), list[float]()
    for number in range(MOST):
        registry.add(told.extend, number)
    assert told == list(range(MOST))


async def test_what_is_left_at_the_end_is_counted() -> None:
    """A worker that stops leaves its counts to the others."""
    telemetry = Telemetry()
    told = list[float]()
    async with telemetry.running():
        telemetry.metrics.registry.add(told.extend, 1)
    assert told == [1]


def test_an_operation_is_counted_with_its_seconds() -> None:
    """Where the metrics are read, not before."""
    telemetry = Telemetry()
    with telemetry.operation() as watched:
        watched.asks("query", None)
        watched.answers({}, None)
    found = of(telemetry.metrics.registry)
    assert value(found, "graphql_operation_seconds_count", type="query", operation="anonymous") == 1
