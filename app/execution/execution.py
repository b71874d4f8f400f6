"""Prepares each document once, and runs its operations: by compiled code, or by graphql-core what is not compiled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from graphql import ExecutionResult, Executor, GraphQLError

from app.execution.compile import Compiler
from app.execution.document import Operation, read_operation
from app.execution.program import Program
from app.execution.recent import Recent
from app.execution.run import run
from app.limits import Limits
from schema.build import Schema
from schema.context import Context

_Key: TypeAlias = tuple[str, str | None]
MOST_DOCUMENTS = 1_000
MOST_BYTES = 32 * 1024 * 1024
BYTES_PER_CHARACTER = 250
"""What a parsed document takes, by its length, and `BYTES_PER_FIELD` what compiling adds: measured, rounded up."""

BYTES_PER_FIELD = 4_000


@dataclass(frozen=True, eq=False)
class _Prepared(Operation):
    """An operation with its program."""

    program: Program


class Execution:
    """Documents are remembered, within bounds, for all requests."""

    def __init__(
        self, schema: Schema, limits: Limits, *, most: int = MOST_DOCUMENTS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._compiler = Compiler(schema)
        self._operations: Recent[_Key, _Prepared] = Recent(most, most_bytes)

    def prepare(self, text: str, name: str | None, *, suggests: bool = False) -> Operation:
        """The operation of this name, or the only one. Raises Refused; with `suggests` saying which names may be meant."""
        key = (text, name)
        operation = self._operations.get(key)
        if operation is None:
            read = read_operation(self._schema, text, name, self._limits, suggests=suggests)
            program = Program(self._compiler, read, partial(self._grow, key))
            operation = _Prepared(read.document, read.definition, read.cost, read.introspects, program)
            self._operations.keep(key, operation, len(text) * BYTES_PER_CHARACTER)
        return operation

    async def run(self, operation: Operation, variables: Mapping[str, Any] | None, context: Context) -> ExecutionResult:
        """Data and errors. Without data, and with errors that have no path, it was not begun: the variables were wrong."""
        given = variables or {}
        result = await operation.program.run(given, context) if isinstance(operation, _Prepared) else None
        return result if result is not None else await run(self._schema, operation, given, context)

    def subscribe(
        self, operation: Operation, variables: Mapping[str, Any] | None
    ) -> Executor[Any] | list[GraphQLError]:
        """What runs each event of a subscription, on graphql-core, once it is given a context; the variables' errors if any."""
        return self._schema.execution_context_class.build(
            self._schema.core,
            operation.document,
            raw_variable_values=dict(variables or {}),
            operation_name=operation.name,
            hide_suggestions=True,
        )

    def _grow(self, key: _Key, fields: int) -> None:
        self._operations.grow(key, fields * BYTES_PER_FIELD)
