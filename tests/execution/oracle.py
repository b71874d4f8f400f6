"""Runs an operation by compiled code and by graphql-core, and compares all that can be seen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from graphql import ExecutionResult, GraphQLError, OperationDefinitionNode, parse, specified_rules, validate

from app.execution.compile import Compiler
from app.execution.cost import Cost
from app.execution.document import Operation
from app.execution.program import Program
from app.execution.run import run
from tests.execution.clock import run_at_once
from tests.execution.documents import Document


def operation_of(text: str) -> Operation:
    """The only operation of a document, valid or not."""
    document = parse(text)
    [definition] = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return Operation(document, definition, Cost({}), introspects=False)


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
    ties: bool
    """Whether a loader answered several questions at once, so that there is no saying which error comes first."""

    def unordered(self) -> Outcome:
        return replace(self, errors=sorted(self.errors, key=repr), ties=True)


class World(Protocol):
    """Where an operation is run: a context, and what was done in it.

    What was read is not compared: beneath a null, graphql-core reads on in the background, and compiled code does not.
    """

    done: list[Any]

    @property
    def ties(self) -> bool: ...

    @property
    def context(self) -> Any: ...


@dataclass
class Comparison:
    """Compares documents over one schema. `compiled` counts those of which compiled code gave the answer."""

    compiler: Compiler
    compiled: int = 0
    with_errors: int = 0

    def compare(self, document: Document, make_world: Callable[[], World]) -> None:
        """Both answers are the same; a document that is not valid, or not compiled, counts for nothing.

        Nor does one of which graphql-core cancels itself: it cancels at once what a null makes superfluous, and with it a
        loader's future for which others wait too.
        """
        operation, schema = operation_of(document.text), self.compiler.schema
        if validate(schema.core, operation.document, specified_rules):
            return
        program = Program(self.compiler, operation)
        ours: Any = run_at_once(self._outcome(make_world, lambda context: program.run(document.variables, context)))
        if ours is None:
            return
        try:
            core: Any = run_at_once(
                self._outcome(make_world, lambda context: run(schema, operation, document.variables, context))
            )
        except asyncio.CancelledError:
            return
        if ours.ties or core.ties:
            ours, core = ours.unordered(), core.unordered()
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
        return Outcome(shown(result.data), [told(error) for error in result.errors or ()], repr(world.done), world.ties)
