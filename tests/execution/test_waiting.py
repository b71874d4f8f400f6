"""What is waited for: together where it can be, in order where it must be, and no longer than for the answer."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import strawberry
from aiodataloader import DataLoader
from graphql import GraphQLError

from app.execution.execution import Execution
from app.execution.run import run
from app.limits import Limits
from schema.build import Schema
from tests.execution.clock import run_at_once
from tests.execution.small import World


@strawberry.type
class Leaf:
    number: int

    @strawberry.field
    async def loaded(self, info: strawberry.Info[Any, None]) -> int:
        loaded: int = await info.context.load(self.number)
        return loaded

    @strawberry.field
    def direct(self, info: strawberry.Info[Any, None]) -> int:
        future: int = info.context.load(self.number)
        return future

    @strawberry.field
    async def deeper(self, info: strawberry.Info[Any, None]) -> list[Leaf]:
        await info.context.load(self.number + 10_000)
        return [Leaf(number=self.number * 10 + n) for n in range(2)]

    @strawberry.field
    async def forever(self, info: strawberry.Info[Any, None]) -> int:
        stayed: int = await info.context.stay()
        return stayed

    @strawberry.field
    async def must(self) -> int:
        await asyncio.sleep(0)
        raise ValueError("no")


class Lookalike(Leaf):
    """A leaf of a class that compiled code does not know, so that graphql-core completes it."""


@strawberry.type
class Query:
    @strawberry.field
    async def leaves(self) -> list[Leaf] | None:
        return [Leaf(number=n) for n in (1, 2, 3)]

    @strawberry.field
    async def forever(self, info: strawberry.Info[Any, None]) -> int | None:
        stayed: int = await info.context.stay()
        return stayed

    @strawberry.field
    async def odds(self) -> list[Leaf] | None:
        return [Lookalike(number=1)]

    @strawberry.field
    def odd(self) -> int | None:
        return Odd()  # type: ignore[return-value]  # on purpose

    @strawberry.field
    def foreign(self) -> int | None:
        loop = asyncio.new_event_loop()
        loop.close()
        return loop.create_future()  # type: ignore[return-value]  # on purpose

    @strawberry.field
    def failing(self) -> int:
        raise ValueError("no")


class Odd:
    """Claims that it can be awaited."""

    __await__ = None


class Context:
    def __init__(self, *, turns: int = 0) -> None:
        self.turns = turns
        self.batches: list[list[int]] = []
        self.begun = 0
        self.ended = 0
        self.load = DataLoader(self._load).load

    async def stay(self) -> int:
        self.begun += 1
        try:
            return int(await asyncio.get_running_loop().create_future())
        finally:
            self.ended += 1

    async def _load(self, keys: list[int]) -> list[int]:
        self.batches.append(keys)
        for _ in range(self.turns):
            await asyncio.sleep(0)
        return keys


@pytest.fixture
def execution() -> Execution:
    return Execution(Schema(query=Query), Limits())


async def _run(execution: Execution, text: str, context: Any) -> Any:
    return await execution.run(execution.prepare(text, None), {}, context)


@pytest.mark.parametrize("text", ["{ leaves { loaded } }", "{ leaves { direct } }", "{ leaves { direct loaded } }"])
async def test_all_of_a_level_is_loaded_at_once(execution: Execution, text: str) -> None:
    """Whether a resolver awaits a loader or returns what it gave."""
    context = Context()
    answer = await _run(execution, text, context)
    assert answer.errors is None
    assert context.batches == [[1, 2, 3]]


async def test_every_level_is_loaded_at_once(execution: Execution) -> None:
    """Also where the objects of a level became known one by one."""
    context = Context()
    await _run(execution, "{ leaves { deeper { deeper { loaded } } } }", context)
    assert [len(batch) for batch in context.batches] == [3, 6, 12]


async def test_a_single_awaitable_takes_no_task(execution: Execution) -> None:
    """It is awaited in the request's own."""
    tasks: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_task_factory(lambda *arguments, **named: tasks.append(1) or asyncio.Task(*arguments, **named))  # type: ignore[func-returns-value]  # counts
    await _run(execution, "{ leaves { number } }", Context())
    loop.set_task_factory(None)
    assert tasks == []


@pytest.mark.parametrize("text", ["{ forever }", "{ a: forever b: forever }", "{ leaves { forever } b: forever }"])
async def test_a_cancelled_operation_leaves_nothing_behind(execution: Execution, text: str) -> None:
    """All that it began has ended when it has."""
    context = Context()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await _run(execution, text, context)
    assert context.begun > 0
    assert context.ended == context.begun
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_what_stands_beneath_a_null_is_not_waited_for(execution: Execution) -> None:
    """The answer comes without it, and it has ended by then."""
    context = Context()
    answer = await _run(execution, "{ leaves { forever must } }", context)
    assert answer.data == {"leaves": None}
    assert [error.path for error in answer.errors] == [["leaves", 0, "must"]]
    assert (context.begun, context.ended) == (3, 3)


async def test_what_cannot_be_awaited_is_an_error_of_its_field(execution: Execution) -> None:
    """Alone, or beside another."""
    for text in ("{ odd }", "{ odd foreign other: odd }"):
        operation = execution.prepare(text, None)
        ours = await execution.run(operation, {}, Context())  # type: ignore[arg-type]  # of another schema
        core = await run(Schema(query=Query), operation, {}, Context())  # type: ignore[arg-type]  # of another schema
        assert ours.data == core.data == dict.fromkeys(ours.data or ())
        assert sorted(map(_kind, ours.errors or ())) == sorted(map(_kind, core.errors or ()))


def _kind(error: GraphQLError) -> tuple[str, str]:
    return str(error.path), type(error.original_error).__name__


async def test_what_was_not_begun_is_closed(execution: Execution) -> None:
    """A field that fails at once, beside one that was still to be awaited: nobody warns of that."""
    context = Context()
    answer = await _run(execution, "{ forever failing }", context)
    assert (answer.data, context.begun) == (None, 0)
    assert [error.message for error in answer.errors] == ["no"]


def test_root_fields_of_a_mutation_run_one_after_the_other(small: Schema) -> None:
    """Each ends before the next begins."""
    answer, world = run_at_once(_mutate(small, "mutation { a: add(number: 1) b: add(number: 2) }", 0.0))
    assert answer.data == {"a": 1, "b": 2}
    assert world.done == [("begin", 1), ("end", 1), ("begin", 2), ("end", 2)]


def test_a_mutation_ends_where_its_data_are_gone(small: Schema) -> None:
    """What stands after a root field that may not be null, and is, does not run."""
    answer, world = run_at_once(_mutate(small, "mutation { must { name } add(number: 1) }", 1.0))
    assert (answer.data, world.done) == (None, ["must"])


async def _mutate(schema: Schema, text: str, faults: float) -> tuple[Any, World]:
    world = World(faults=faults)
    return await _run(Execution(schema, Limits()), text, world), world


async def test_what_a_null_makes_superfluous_takes_nothing_from_others(execution: Execution) -> None:
    """A loader's future for which two fields wait outlives the one that is given up, whoever completes it."""
    context = Context(turns=20)
    answer = await _run(execution, "{ odds { number must loaded } leaves { loaded } }", context)
    assert answer.data == {"odds": None, "leaves": [{"loaded": number} for number in (1, 2, 3)]}
    assert [(error.path, error.message) for error in answer.errors] == [(["odds", 0, "must"], "no")]
