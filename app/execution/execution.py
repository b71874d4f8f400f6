"""Prepares each document once, and runs its operations: by compiled code, or by graphql-core what is not compiled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from graphql import ExecutionResult

from app.execution.compile import Compiler
from app.execution.document import Operation, read_operation
from app.execution.program import Program
from app.execution.recent import Recent
from app.execution.run import run
from app.limits import Limits
from schema.build import Schema
from schema.context import Context

MOST_DOCUMENTS = 1_000
MOST_BYTES = 64 * 1024 * 1024
BYTES_PER_CHARACTER = 200
"""What a document takes when it is parsed and compiled, by its length: measured, rounded up."""


class Execution:
    """Documents are remembered, within bounds, for all requests."""

    def __init__(
        self, schema: Schema, limits: Limits, *, most: int = MOST_DOCUMENTS, most_bytes: int = MOST_BYTES
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._compiler = Compiler(schema)
        self._operations: Recent[tuple[str, str | None], Operation] = Recent(most, most_bytes)
        self._programs: WeakKeyDictionary[Operation, Program] = WeakKeyDictionary()

    def prepare(self, text: str, name: str | None, *, suggests: bool = False) -> Operation:
        """The operation of this name, or the only one. Raises Refused; with `suggests` saying which names may be meant."""
        operation = self._operations.get((text, name))
        if operation is None:
            operation = read_operation(self._schema, text, name, self._limits, suggests=suggests)
            self._operations.keep((text, name), operation, len(text) * BYTES_PER_CHARACTER)
        return operation

    async def run(self, operation: Operation, variables: Mapping[str, Any] | None, context: Context) -> ExecutionResult:
        """Data and errors. Without data, and with errors that have no path, it was not begun: the variables were wrong."""
        given = variables or {}
        result = await self._program(operation).run(given, context)
        return result if result is not None else await run(self._schema, operation, given, context)

    def _program(self, operation: Operation) -> Program:
        program = self._programs.get(operation)
        if program is None:
            program = self._programs[operation] = Program(self._compiler, operation)
        return program
