"""Runs an operation by compiled code and by graphql-core, and compares all that can be seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Protocol

from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationDefinitionNode, execute, parse, validate
from strawberry.execution import optimized_is_awaitable

from app.execution.compile import Compiler
from app.execution.document import _RULES, Operation
from app.execution.program import Program
from schema.build import Schema
from tests.execution.clock import run_at_once
from tests.execution.documents import Document


def operation_of(schema: Schema, text: str) -> Operation | None:
    """The only operation of a document, if it is valid."""
    document = parse(text)
    if validate(schema.core, document, _RULES):
        return None
    [definition] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return Operation(document, definition)


async def by_core(schema: Schema, document: DocumentNode, variables: dict[str, Any], context: Any) -> ExecutionResult:
    result = execute(
        schema.core,
        document,
        variable_values=variables,
        context_value=context,
        executor_class=schema.execution_context_class,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # Strawberry's says bool, not TypeGuard
        hide_suggestions=True,
    )
    return await result if isawaitable(result) else result


def shown(value: Any) -> Any:
    """A part of an answer, so that equal means the same values of the same types, and the same keys in the same order."""
    if isinstance(value, dict):
        return [(name, shown(each)) for name, each in value.items()]
    if isinstance(value, list):
        return ["list", *map(shown, value)]
    return (type(value).__name__, repr(value))


def told(error: GraphQLError) -> tuple[Any, ...]:
    """All that an error says."""
    original = error.original_error
    locations = [(each.line, each.column) for each in error.locations or ()]
    return (error.message, error.path, locations, error.extensions, type(original).__name__, str(original))


@dataclass(frozen=True)
class Outcome:
    """All that can be seen of a run."""

    data: Any
    errors: list[tuple[Any, ...]]
    done: Any


class World(Protocol):
    """Where an operation is run: a context, and what was done in it.

    What was read is not compared: beneath a null, graphql-core reads on in the background, and compiled code does not.
    """

    done: list[Any]

    @property
    def context(self) -> Any: ...


@dataclass
class Comparison:
    """Compares documents over one schema. `compiled` counts those of which compiled code gave the answer."""

    compiler: Compiler
    compiled: int = 0
    with_errors: int = 0

    def compare(self, document: Document, make_world: Callable[[], World]) -> None:
        """Both answers are the same; a document that is not valid, or not compiled, counts for nothing."""
        operation = operation_of(self.compiler.schema, document.text)
        if operation is None:
            return
        program = Program(self.compiler, operation)
        ours = run_at_once(self._outcome(make_world, lambda context: program.run(document.variables, context)))
        if ours is None:
            return
        schema, parsed = self.compiler.schema, operation.document
        core = run_at_once(
            self._outcome(make_world, lambda context: by_core(schema, parsed, document.variables, context))
        )
        assert (document, ours) == (document, core)
        self.compiled += 1
        self.with_errors += bool(ours.errors)

    async def _outcome(
        self, make_world: Callable[[], World], run: Callable[[Any], Awaitable[ExecutionResult | None]]
    ) -> Outcome | None:
        world = make_world()
        result = await run(world.context)
        if result is None:
            return None
        return Outcome(shown(result.data), [told(error) for error in result.errors or ()], repr(world.done))
