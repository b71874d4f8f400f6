"""The variables of an operation: coerced by compiled code, and by graphql-core where something is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    Undefined,
    VariableDefinitionNode,
    get_variable_values,
    type_from_ast,
)

from app.execution.inputs import coercer
from app.execution.literals import Read, literal_reader

MOST_ERRORS = 50
"""After so many, graphql-core looks no further."""


@dataclass(frozen=True)
class _Variable:
    name: str
    coerce: Callable[[Any], Any]
    default: Read | None
    is_required: bool


class Variables:
    """Reads what is given for an operation's variables."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._definitions = operation.variable_definitions or ()
        self._compiled = self._compile()

    def read(self, given: Mapping[str, Any]) -> dict[str, Any] | list[GraphQLError]:
        """The coerced values, without those that are left out; or every reason why not."""
        if self._compiled is None:
            return self._read_slowly(given)
        coerced = {}
        try:
            for variable in self._compiled:
                value = given.get(variable.name, Undefined)
                if value is not Undefined:
                    coerced[variable.name] = variable.coerce(value)
                elif variable.default is not None:
                    coerced[variable.name] = variable.default({})
                elif variable.is_required:
                    return self._read_slowly(given)
        except Exception:  # noqa: BLE001  # whatever it is, graphql-core says it better
            return self._read_slowly(given)
        return coerced

    def _read_slowly(self, given: Mapping[str, Any]) -> dict[str, Any] | list[GraphQLError]:
        values = get_variable_values(
            self._schema, self._definitions, dict(given), max_errors=MOST_ERRORS, hide_suggestions=True
        )
        return values if isinstance(values, list) else values.coerced

    def _compile(self) -> list[_Variable] | None:
        try:
            return [_variable(self._schema, definition) for definition in self._definitions]
        except Exception:  # noqa: BLE001  # what can't be compiled, graphql-core coerces
            return None


def _variable(schema: GraphQLSchema, definition: VariableDefinitionNode) -> _Variable:
    type_: Any = type_from_ast(schema, definition.type)
    literal = definition.default_value
    default = literal_reader(literal, type_) if literal is not None else None
    is_required = default is None and isinstance(type_, GraphQLNonNull)
    return _Variable(definition.variable.name.value, coercer(type_), default, is_required)
