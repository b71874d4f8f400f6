"""Runs an operation by compiled code and by graphql-core, and compares all that can be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

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
    data: Any
    errors: list[tuple[Any, ...]]
    done: Any


def outcome(result: ExecutionResult, done: Any) -> Outcome:
    return Outcome(shown(result.data), [told(error) for error in result.errors or ()], repr(done))


def both(
    compiler: Compiler, document: Document, make_context: Callable[[], Any]
) -> tuple[Outcome, Outcome, Any] | None:
    """What compiled code and graphql-core answer, and why it was not compiled; None for a document that is not valid."""
    operation = operation_of(compiler.schema, document.text)
    if operation is None:
        return None
    ours, core = make_context(), make_context()
    program = Program(compiler, operation)
    result = run_at_once(program.run(document.variables, ours))
    expected = run_at_once(by_core(compiler.schema, operation.document, document.variables, core))
    if result is None:
        return outcome(expected, core.done), outcome(expected, core.done), program.reason or "conditions"
    return outcome(result, ours.done), outcome(expected, core.done), None
