"""Argument values as a document writes them: constants are coerced once, what holds variables is compiled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import NoneType
from typing import Any, TypeAlias

from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    is_required_argument,
    is_required_input_field,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from app.execution.inputs import Unfit
from app.execution.leaves import VALUE_CLASSES

Read: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""Coerced variables to a coerced value; Undefined for one that is left out. Raises Unfit, or what an input type raises."""


class Constant:
    """Reads a value that requests may share: nobody can change it for the next."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, _: Mapping[str, Any]) -> Any:
        return self.value


_IMMUTABLE = VALUE_CLASSES | {NoneType, str, int, float, bool, type(Undefined)}


def argument_reader(argument: GraphQLArgument, value: ValueNode | None) -> Read:
    """Reads an argument; `value` is None where the document does not give it."""
    default = Unfit if is_required_argument(argument) else coerce_default_value(argument)
    return _reader(argument, value, default)


def _reader(expected: GraphQLArgument | GraphQLInputField, value: ValueNode | None, default: Any) -> Read:
    """Reads an argument or a field; `default` is Unfit for one that must be given."""
    if value is None:
        return _default(default)
    if not isinstance(value, VariableNode):
        return literal_reader(value, expected.type)
    name, is_non_null = value.name.value, isinstance(expected.type, GraphQLNonNull)

    def read_variable(variables: Mapping[str, Any]) -> Any:
        given = variables.get(name, default)
        if given is Unfit or (given is None and is_non_null):
            raise Unfit
        return given

    return read_variable


def literal_reader(node: ValueNode, type_: GraphQLInputType) -> Read:
    """Reads a literal, which may hold variables, but is none."""
    if not _holds_variables(node):
        return _constant_literal(node, type_)
    named = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if isinstance(named, GraphQLList):
        return _list_reader(node, named.of_type)
    if isinstance(named, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
        return _object_reader(node, named)
    raise Unfit


def _default(value: Any) -> Read:
    if value is Unfit:
        raise Unfit
    return Constant(value) if _is_immutable(value) else lambda _: value


def _constant_literal(node: ValueNode, type_: GraphQLInputType) -> Read:
    value = coerce_input_literal(node, type_)
    if value is Undefined:
        raise Unfit
    return Constant(value) if _is_immutable(value) else lambda _: coerce_input_literal(node, type_)


def _list_reader(node: ValueNode, item_type: GraphQLInputType) -> Read:
    is_non_null = isinstance(item_type, GraphQLNonNull)
    nodes = node.values if isinstance(node, ListValueNode) else (node,)
    items = [_item_reader(each, item_type, is_non_null) for each in nodes]
    return lambda variables: [read(variables) for read in items]


def _item_reader(node: ValueNode, item_type: GraphQLInputType, is_non_null: bool) -> Read:
    if not isinstance(node, VariableNode):
        return literal_reader(node, item_type)
    name = node.name.value

    def read_item(variables: Mapping[str, Any]) -> Any:
        given = variables.get(name)  # a variable that is left out is null in a list
        if given is None and is_non_null:
            raise Unfit
        return given

    return read_item


def _object_reader(node: ObjectValueNode, type_: GraphQLInputObjectType) -> Read:
    given = {field.name.value: field.value for field in node.fields}
    if type_.is_one_of or not type_.fields.keys() >= given.keys():
        raise Unfit
    readers = {name: _field_reader(field, given.get(name)) for name, field in type_.fields.items()}
    constants = {name: read.value for name, read in readers.items() if isinstance(read, Constant)}
    present = {name: value for name, value in constants.items() if value is not Undefined}
    varying = [(name, read) for name, read in readers.items() if name not in constants]
    finish = type_.out_type

    def read_object(variables: Mapping[str, Any]) -> Any:
        values = present.copy()
        for name, read in varying:
            value = read(variables)
            if value is not Undefined:
                values[name] = value
        return finish(values)

    return read_object


def _field_reader(field: GraphQLInputField, value: ValueNode | None) -> Read:
    if field.out_name is not None:
        raise Unfit
    return _reader(field, value, Unfit if is_required_input_field(field) else coerce_default_value(field))


def _holds_variables(node: ValueNode) -> bool:
    if isinstance(node, ListValueNode):
        return any(map(_holds_variables, node.values))
    if isinstance(node, ObjectValueNode):
        return any(_holds_variables(field.value) for field in node.fields)
    return isinstance(node, VariableNode)


def _is_immutable(value: Any) -> bool:
    """Whether requests may share a value: nobody can change it for the next."""
    return isinstance(value, Enum) or type(value) in _IMMUTABLE
