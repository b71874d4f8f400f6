"""An operation, compiled as far as it has been asked for."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, cast

from graphql import ExecutionResult, GraphQLObjectType, OperationType
from graphql.execution import Executor
from strawberry.execution import optimized_is_awaitable

from app.execution.answering import Answering
from app.execution.compile import Compiler, RootField
from app.execution.document import Operation
from app.execution.selections import Selections, Uncompilable, conditions
from app.execution.variables import Variables
from schema.context import Context

MOST_PLANS = 16
"""Of one operation, each for other values of its conditions. What is asked beyond them, graphql-core runs."""


_log = logging.getLogger(__name__)


class Plan:
    """An operation whose conditions are decided."""

    def __init__(self, fields: list[RootField], keys: list[str], *, is_serial: bool) -> None:
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
    """Runs an operation by compiled code where it can; `reason` says why it can't.

    `compiled` is told how many fields were compiled.
    """

    def __init__(
        self, compiler: Compiler, operation: Operation, compiled: Callable[[int], None] = lambda _: None
    ) -> None:
        self._compiler = compiler
        self._compiled = compiled
        self._document = operation.document
        self._definition = operation.definition
        self._name = operation.name
        self._core = compiler.schema.core
        self._variables = Variables(self._core, operation.definition)
        self._plans: dict[tuple[Any, ...], Plan | None] = {}
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
        decided = tuple(map(coerced.get, self._conditions))
        plan = self._plans.get(decided) or self._plan(decided)
        if plan is None:
            return None
        return await plan.run(Answering(context, coerced, lambda: self._executor(variables, context)))

    def _plan(self, decided: tuple[Any, ...]) -> Plan | None:
        if decided not in self._plans:
            if len(self._plans) >= MOST_PLANS or not all(isinstance(each, bool) for each in decided):
                return None
            self._plans[decided] = self._compile(dict(zip(self._conditions, decided, strict=True)))
        return self._plans[decided]

    def _compile(self, decided: Mapping[str, Any]) -> Plan | None:
        kind = self._definition.operation
        root = cast(GraphQLObjectType, self._core.get_root_type(kind))  # for the document is valid
        selections = Selections(self._core, self._document, self._definition, decided)
        try:
            fields, count = self._compiler.compile(selections, root)
        except Uncompilable as uncompilable:
            self.reason = str(uncompilable)
            return None
        except Exception:  # noqa: BLE001  # a fault of compiling costs speed, not answers
            _log.exception("an operation could not be compiled")
            self.reason = "a fault"
            return None
        self._compiled(count)
        return Plan(fields, list(selections.root(root)), is_serial=kind is OperationType.MUTATION)

    def _executor(self, variables: Mapping[str, Any], context: Context) -> Executor[None]:
        executor = self._compiler.schema.execution_context_class.build(
            self._core,
            self._document,
            None,
            context,
            dict(variables),
            self._name,
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # Strawberry's says bool, not TypeGuard
            hide_suggestions=True,
        )
        return cast(Executor[None], executor)  # for the variables were right
