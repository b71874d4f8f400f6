"""What is counted later is counted all the same."""

from __future__ import annotations

from prometheus_client import Counter

from app.telemetry import Telemetry
from app.telemetry.backlog import MOST, Backlog
from tests.telemetry.scrape import of, series, value


def test_whoever_reads_finds_all_of_it() -> None:
    """Each count once."""
    registry = Backlog()
    counted = Counter("x_total", "x", ("a",), registry=registry)
    for _ in range(3):
        registry.add(lambda name: counted.labels(name).inc(), "p")
    for _ in range(2):
        assert series(of(registry), "x_total") == {("p",): 3}


def test_nothing_is_kept_for_longer_than_it_takes_to_be_much() -> None:
    """A process that nobody asks, and that has no time to look, does not grow."""
    registry, told = Backlog(), list[int]()
    for number in range(MOST):
        registry.add(told.append, number)
    assert told == list(range(MOST))


async def test_what_is_left_at_the_end_is_counted() -> None:
    """A worker that stops leaves its counts to the others."""
    telemetry = Telemetry()
    told = list[int]()
    async with telemetry.running():
        telemetry.metrics.registry.add(told.append, 1)
    assert told == [1]


def test_an_operation_is_counted_with_its_seconds() -> None:
    """Where the metrics are read, not before."""
    telemetry = Telemetry()
    with telemetry.operation() as watched:
        watched.asks("query", None)
        watched.answers({}, None)
    found = of(telemetry.metrics.registry)
    assert value(found, "graphql_operation_seconds_count", type="query", operation="anonymous") == 1
