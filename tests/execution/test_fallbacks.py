"""What compiled code leaves to graphql-core, all of it."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import DirectiveLocation, ExecutionResult

from app.execution import compile as compiling
from app.execution.compile import Compiler
from app.execution.execution import Execution
from app.execution.program import MOST_PLANS, Program
from app.limits import Limits
from schema.build import Schema, build_schema
from tests.execution.clock import run_at_once
from tests.execution.oracle import operation_of
from tests.execution.small import World

NOT_COMPILED = {
    "subscription { count }": "a subscription",
    "query @marked { version }": "a directive on the operation",
    "{ ...F } fragment F on Query @marked { version }": "a fragment with directives or variables",
    "{ version @marked }": "@marked",
    "{ ... @defer { version } }": "@defer",
    "{ streamed @stream(initialCount: 1) }": "@stream",
    "{ __schema { queryType { name } } }": "introspection",
    '{ version __type(name: "Stone") { name } }': "introspection",
    "{ ...F } fragment F on Query { ... { __schema { queryType { name } } } }": "introspection",
}

COMPILED = (
    "{ __typename version }",
    "query Named($yes: Boolean! = true) { version @skip(if: $yes) @include(if: true) }",
    "mutation { a: add(number: 1) b: add(number: 2) }",
    "{ named { __typename name ... on Person { home { weight } } ... on Robot { battery } } found { ... on Stone { weight } } }",
    '{ either(by: {text: "x"}) secret loud twice told leafy { moment plain } tree(of: {name: "x"}) streamed waiting }',
)


def program_of(schema: Schema, text: str) -> Program:
    return Program(Compiler(schema), operation_of(text))


@pytest.mark.parametrize(("text", "reason"), NOT_COMPILED.items())
async def test_this_is_not_compiled(small: Schema, text: str, reason: str) -> None:
    """Subscriptions, incremental delivery, introspection, and directives that a schema might add."""
    program = program_of(small, text)
    assert (program.reason, await program.run({}, _any(World()))) == (reason, None)


@pytest.mark.parametrize("text", COMPILED)
def test_all_else_is_compiled(small: Schema, text: str) -> None:
    """Not one of these takes the way of graphql-core."""
    program = program_of(small, text)
    assert isinstance(run_at_once(_answer(program)), ExecutionResult)
    assert program.reason is None


def test_no_directive_of_the_gateways_schema_is_unknown_here() -> None:
    """A directive that is added has to be thought of; `@defer` is left out of documents when they are prepared."""
    executable = {DirectiveLocation.FIELD, DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.QUERY}
    directives = build_schema().core.directives
    assert {each.name for each in directives if executable & set(each.locations)} == {"skip", "include", "defer"}


async def test_an_operation_with_too_many_fields_is_not_compiled(small: Schema) -> None:
    """Compiling takes time, and a document is anybody's."""
    fields = " ".join(f"a{n}: text" for n in range(compiling.MOST_FIELDS))
    program = program_of(small, f"{{ leafy {{ {fields} }} }}")
    assert (await program.run({}, _any(World())), program.reason) == (None, "too many fields")


async def test_an_operation_is_compiled_for_so_many_conditions(small: Schema) -> None:
    """Beyond that graphql-core answers, and answers the same."""
    names = [f"b{n}" for n in range(6)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    text = f"query Q({declared}) {{ {' '.join(f'{name}: version @include(if: ${name})' for name in names)} }}"
    execution, compiled = Execution(small, Limits()), program_of(small, text)
    given = [{name: bool(number >> n & 1) for n, name in enumerate(names)} for number in range(2 * MOST_PLANS)]
    answers = [await compiled.run(each, _any(World())) for each in given]
    assert [answer is None for answer in answers] == [False] * MOST_PLANS + [True] * MOST_PLANS
    operation = execution.prepare(text, None)
    for each in given:
        answer = await execution.run(operation, each, _any(World()))
        assert answer.data == {name: "1" for name in names if each[name]}


async def test_a_condition_that_is_null_is_told_as_graphql_core_tells_it(small: Schema) -> None:
    """A variable of type Boolean with a default may be null, and then there is no telling what is asked."""
    text = "query Q($b: Boolean = true) { version @include(if: $b) }"
    execution = Execution(small, Limits())
    answer = await execution.run(execution.prepare(text, None), {"b": None}, _any(World()))
    assert answer.data is None
    assert [error.message for error in answer.errors or ()] == [
        "Argument 'if' has invalid value: Expected variable '$b' provided to non-null type 'Boolean!' not to be None."
    ]


async def _answer(program: Program) -> ExecutionResult | None:
    return await program.run({}, _any(World()))


def _any(world: World) -> Any:
    return world
