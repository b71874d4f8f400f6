"""An operation, compiled as far as it has been asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionResult, OperationType
from graphql.execution import Executor
from strawberry.execution import optimized_is_awaitable

from app.execution.answering import Answering
from app.execution.compile import Compiler
from app.execution.completion import RunField
from app.execution.document import Operation
from app.execution.selections import Selections, Uncompilable, conditions
from app.execution.variables import Variables
from schema.context import Context

MOST_PLANS = 16
"""Of one operation, each for other values of its conditions. What is asked beyond them, graphql-core runs."""


class Plan:
    """An operation whose conditions are decided."""

    def __init__(self, fields: list[RunField | tuple[str, str]], keys: list[str], *, is_serial: bool) -> None:
        self._fields = fields
        self._keys = keys
        self._is_serial = is_serial

    async def run(self, answering: Answering) -> ExecutionResult:
        answering.data = out = dict.fromkeys(self._keys)
        try:
            for field in self._fields:
                if isinstance(field, tuple):
                    out[field[0]] = field[1]
                else:
                    field(None, answering, None, out)
                if self._is_serial and answering.fresh:
                    await answering.settle()
                if answering.data is None:
                    break
        except Exception as error:  # noqa: BLE001  # what leaves a null in place of all data
            answering.fail_root(error)
        if answering.fresh:
            await answering.settle()
        return ExecutionResult(answering.data, answering.collected.errors or None)


class Program:
    """Runs an operation by compiled code where it can; `reason` says why it can't."""

    def __init__(self, compiler: Compiler, operation: Operation) -> None:
        self._compiler = compiler
        self._operation = operation
        self._core = compiler.schema.core
        self._variables = Variables(self._core, operation.definition)
        self._plans: dict[tuple[bool, ...], Plan | None] = {}
        self.reason: str | None = None
        try:
            self._conditions = conditions(operation.document, operation.definition)
        except Uncompilable as uncompilable:
            self.reason = str(uncompilable)

    async def run(self, variables: Mapping[str, Any], context: Context) -> ExecutionResult | None:
        """The answer; None if graphql-core has to give it."""
        if self.reason is not None:
            return None
        coerced = self._variables.read(variables)
        if isinstance(coerced, list):
            return ExecutionResult(None, coerced)
        plan = self._plan(coerced)
        if plan is None:
            return None
        return await plan.run(Answering(context, coerced, lambda: self._executor(variables, context)))

    def _plan(self, variables: Mapping[str, Any]) -> Plan | None:
        decided = tuple(variables.get(name) for name in self._conditions)
        if decided not in self._plans:
            if len(self._plans) >= MOST_PLANS or not all(isinstance(each, bool) for each in decided):
                return None
            self._plans[decided] = self._compile(dict(zip(self._conditions, decided, strict=True)))
        return self._plans[decided]

    def _compile(self, decided: Mapping[str, bool]) -> Plan | None:
        definition = self._operation.definition
        root = self._core.get_root_type(definition.operation)
        assert root is not None
        selections = Selections(self._core, self._operation.document, definition, decided)
        try:
            fields = self._compiler.compile(selections, root)
        except (Uncompilable, RecursionError) as uncompilable:
            self.reason = str(uncompilable)
            return None
        return Plan(fields, list(selections.root(root)), is_serial=definition.operation is OperationType.MUTATION)

    def _executor(self, variables: Mapping[str, Any], context: Context) -> Executor[None]:
        executor = self._compiler.schema.execution_context_class.build(
            self._core,
            self._operation.document,
            None,
            context,
            dict(variables),
            self._operation.name,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # Strawberry's says bool, not TypeGuard
            hide_suggestions=True,
        )
        assert isinstance(executor, Executor)
        return executor
