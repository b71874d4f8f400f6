"""Compiled code answers as graphql-core does: data, the order of keys, nulls, errors, their order, and what resolvers saw.

Delays differ for all that happens at the same time, so even the order of errors is the same in both, but where a loader
answers several questions at once.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import hypothesis
import pytest
from graphql import OperationType, specified_rules, validate
from hypothesis import given
from hypothesis import strategies as st
from hypothesis_graphql import from_schema, nodes

from app.execution.compile import Compiler
from app.execution.program import Program
from schema.build import build_schema
from tests.execution import small, world
from tests.execution.clock import run_at_once
from tests.execution.documents import Document, MakeLeaf, Maker
from tests.execution.oracle import Comparison, operation_of

BATCH = 25
FAULTS = (0.0, 0.02, 0.05, 0.2)
SMALL_LEAVES: dict[str, MakeLeaf] = {
    "Even": lambda random: random.choice([2, 4, 3]),
    "Plain": lambda random: random.choice([1, "p", {"a": [1]}, [None]]),
    "DateTime": lambda _: "2026-01-02T03:04:05+00:00",
    "Date": lambda _: "2026-01-02",
    "Shout": lambda _: "x",
}


# graphql-core cancels what it did not yet begin to await, and Python warns of that, if only when it collects garbage.
# If that is amid the making of a named tuple, whose frame has no builtins, the warning itself fails.
_ORPHANS = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited:RuntimeWarning",
    "ignore:Exception ignored in. <coroutine object:pytest.PytestUnraisableExceptionWarning",
)


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()


def _compare(comparison: Comparison, seeds: range, make: Callable[[Random], Maker], worlds: Callable[..., Any]) -> None:
    for seed in seeds:
        random = Random(seed)  # noqa: S311  # not for secrets
        kind = OperationType.MUTATION if seed % 8 == 0 else OperationType.QUERY
        document = make(random).document(kind)
        faults = random.choice(FAULTS)
        comparison.compare(document, lambda faults=faults: worlds(faults))  # type: ignore[misc]  # its default is its type
    assert comparison.compiled > 0.8 * len(seeds)


def _compare_small(seeds: range) -> Comparison:
    comparison = Comparison(Compiler(small.small_schema()))
    core = comparison.compiler.schema.core
    _compare(comparison, seeds, lambda random: Maker(core, random, SMALL_LEAVES), small.World)
    return comparison


def _compare_gateway(seeds: range) -> Comparison:
    comparison = Comparison(Compiler(build_schema()))
    core = comparison.compiler.schema.core
    _compare(comparison, seeds, lambda random: Maker(core, random, world.LEAVES, depth=3), world.World)
    return comparison


@_ORPHANS
@pytest.mark.parametrize("batch", range(10))
def test_a_schema_with_every_feature_is_answered_the_same(batch: int) -> None:
    """Documents at random, over objects and resolvers that are wrong now and then."""
    _compare_small(range(batch * BATCH, (batch + 1) * BATCH))


@_ORPHANS
@pytest.mark.parametrize("batch", range(8))
def test_the_gateways_schema_is_answered_the_same(batch: int) -> None:
    """Documents at random, over ports that refuse, fail, or answer what is wrong."""
    _compare_gateway(range(batch * BATCH, (batch + 1) * BATCH))


def test_compiled_code_leaves_nothing_unawaited() -> None:
    """However much fails: the same documents without graphql-core beside it, and any warning is an error."""
    schema = small.small_schema()
    compiler = Compiler(schema)
    for seed in range(2 * BATCH):
        document = Maker(schema.core, Random(seed), SMALL_LEAVES).document()  # noqa: S311  # not for secrets
        operation = operation_of(document.text)
        if not validate(schema.core, operation.document, specified_rules):
            run_at_once(_run(Program(compiler, operation), document.variables))


async def _run(program: Program, variables: dict[str, Any]) -> None:
    world: Any = small.World(faults=0.3)
    await program.run(variables, world)


@_ORPHANS
@pytest.mark.big
@pytest.mark.parametrize("batch", range(20))
def test_thousands_of_documents_over_every_feature_are_answered_the_same(batch: int) -> None:
    """More of the same."""
    assert _compare_small(range(10_000 + batch * 200, 10_000 + (batch + 1) * 200)).with_errors > 50


@_ORPHANS
@pytest.mark.big
@pytest.mark.parametrize("batch", range(20))
def test_thousands_of_documents_over_the_gateways_schema_are_answered_the_same(batch: int) -> None:
    """More of the same."""
    assert _compare_gateway(range(10_000 + batch * 150, 10_000 + (batch + 1) * 150)).with_errors > 50


def _scalars() -> dict[str, st.SearchStrategy[Any]]:
    texts = {
        "EmailAddress": "ada@example.com",
        "PhoneNumber": "+31612345678",
        "URL": "https://example.com",
        "DateTime": "2026-01-02T03:04:05Z",
    }
    scalars = {name: st.just(nodes.String(value)) for name, value in texts.items()}
    return {**scalars, "JSON": st.sampled_from([nodes.String("text"), nodes.Int(5)])}


def _generated(examples: int) -> Callable[[], None]:
    schema = build_schema()
    comparison = Comparison(Compiler(schema))

    @hypothesis.settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @given(from_schema(schema.as_str(), custom_scalars=_scalars()), st.sampled_from(FAULTS))
    def compare(text: str, faults: float) -> None:
        comparison.compare(Document(text, {}), lambda: world.World(faults))

    return compare


@_ORPHANS
def test_what_hypothesis_graphql_makes_is_answered_the_same() -> None:
    """Documents by another hand than ours."""
    _generated(60)()


@_ORPHANS
@pytest.mark.big
def test_much_that_hypothesis_graphql_makes_is_answered_the_same() -> None:
    """More of the same."""
    _generated(1_500)()
