"""Runs an operation."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import isawaitable
from typing import Any, cast

from graphql import ExecutionResult, experimental_execute_incrementally
from strawberry.execution import optimized_is_awaitable

from app.execution.document import Operation
from schema.build import Schema
from schema.context import Context


async def run(
    schema: Schema, operation: Operation, variables: Mapping[str, Any] | None, context: Context
) -> ExecutionResult:
    """Data and errors. Without data, and with errors that have no path, it was not begun: the variables were wrong."""
    result = experimental_execute_incrementally(  # the one that knows a schema with @defer; nothing is deferred here
        schema.core,
        operation.document,
        variable_values=dict(variables or {}),
        context_value=context,
        operation_name=operation.name,
        executor_class=schema.execution_context_class,
        is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # Strawberry's says bool, not TypeGuard
        hide_suggestions=True,
    )
    return cast(ExecutionResult, await result if isawaitable(result) else result)
