"""How operations are counted: by type, trusted name and outcome, and by nothing that a caller chooses."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLError

from app.telemetry import Operation, Telemetry
from app.telemetry.names import operation_names
from tests.telemetry.scrape import of, series, value

PLACED = GraphQLError("x", path=["a"])
UNPLACED = GraphQLError("x")


def _telemetry() -> Telemetry:
    return Telemetry(names={"contacts", "create_contact"})


def _counted(telemetry: Telemetry) -> Mapping[tuple[str, ...], float]:
    """By operation, outcome and type."""
    return series(of(telemetry.metrics.registry), "graphql_operations_total")


@pytest.mark.parametrize(
    ("data", "errors", "outcome"),
    [
        ({"a": 1}, None, "success"),
        ({"a": None}, [], "success"),
        ({"a": None, "b": 1}, [PLACED], "partial"),
        ({"a": None}, [PLACED], "failure"),
        (None, [PLACED], "failure"),
        (None, [UNPLACED, PLACED], "failure"),
        (None, [UNPLACED], "refused"),
    ],
)
def test_an_operation_counts_by_its_outcome(
    data: Mapping[str, Any] | None, errors: Sequence[GraphQLError] | None, outcome: str
) -> None:
    """Partial: there is something. Failure: there is nothing of it. Refused: nothing was run."""
    telemetry = _telemetry()
    with telemetry.operation() as watched:
        watched.asks("query", "contacts")
        watched.runs()
        watched.answers(data, errors)
    assert _counted(telemetry) == {("contacts", outcome, "query"): 1}


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(RuntimeError(), "failure"), (asyncio.CancelledError(), "cancelled")],
    ids=["error", "hang-up"],
)
def test_an_operation_that_is_cut_off_counts_too(error: BaseException, outcome: str) -> None:
    """By a fault of the gateway's, or by a caller who hung up."""
    telemetry = _telemetry()
    with suppress(type(error)), telemetry.operation() as watched:
        watched.asks("mutation", "create_contact")
        watched.runs()
        raise error
    assert _counted(telemetry) == {("create_contact", outcome, "mutation"): 1}


def test_what_is_refused_after_it_was_read_counts_by_its_name() -> None:
    """It was too costly, perhaps: that is no failure."""
    telemetry = _telemetry()
    with suppress(ValueError), telemetry.operation() as watched:
        watched.asks("query", "contacts")
        raise ValueError
    assert _counted(telemetry) == {("contacts", "refused", "query"): 1}


def test_a_document_that_can_not_be_read_counts_as_refused() -> None:
    """Of it nothing else is known."""
    telemetry = _telemetry()
    with telemetry.operation():
        pass
    assert _counted(telemetry) == {("other", "refused", "unknown"): 1}


@pytest.mark.parametrize(
    "name", ["Contacts", "contacts ", "", "other", "anonymous", "\n", "ada@example.com", "x" * 10_000, None]
)
def test_only_names_on_the_list_are_shown(name: str | None) -> None:
    """All others are one, and those without a name another."""
    telemetry = _telemetry()
    with telemetry.operation() as watched:
        watched.asks("query", name)
        watched.runs()
        watched.answers({}, None)
    assert _counted(telemetry) == {("other" if name is not None else "anonymous", "success", "query"): 1}


def test_the_seconds_of_every_operation_are_measured() -> None:
    """Each in one bucket of its type and name."""
    telemetry = _telemetry()
    for _ in range(3):
        _run(telemetry.operation())
    found = of(telemetry.metrics.registry)
    labels = {"type": "query", "operation": "contacts"}
    assert value(found, "graphql_operation_seconds_count", **labels) == 3
    assert value(found, "graphql_operation_seconds_bucket", le="+Inf", **labels) == 3


def test_the_trusted_names_are_those_of_the_documents(tmp_path: Path) -> None:
    """Every operation in queries/ is one of them."""
    assert {"contacts", "create_contact", "settle_receipt"} <= operation_names()
    (tmp_path / "a.graphql").write_text(
        "# query no\nquery yes($a: ID) { a }\n\n mutation also { b }\nfragment f on T { c }"
    )
    assert operation_names(tmp_path) == {"yes", "also"}
    assert operation_names(tmp_path / "none") == frozenset()


def _run(operation: Operation) -> None:
    with operation as watched:
        watched.asks("query", "contacts")
        watched.runs()
        watched.answers({}, None)
