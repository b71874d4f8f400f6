"""Leaves: passed through where they already are what their type would make of them."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from strawberry.execution import optimized_is_awaitable
from strawberry.types.scalar import identity

from app.execution.source import Source

_JSON_CLASSES = frozenset({str, int, float, bool, dict, list})
VALUE_CLASSES = frozenset({dt.datetime, dt.date, dt.time, dt.timedelta, decimal.Decimal, uuid.UUID})
"""What scalars make of text: immutable, and written by themselves."""

_PLAIN_CLASSES = _JSON_CLASSES | VALUE_CLASSES
"""Of which no instance is an exception, or can be awaited."""


_TESTS: dict[GraphQLLeafType, str] = {
    GraphQLString: "type({0}) is str",
    GraphQLID: "type({0}) is str",
    GraphQLBoolean: "type({0}) is bool",
    GraphQLInt: f"type({{0}}) is int and {-(2**31)} <= {{0}} < {2**31}",
    GraphQLFloat: "type({0}) is float and {0} * 0.0 == 0.0",
}
"""Which values of a variable are what they become; a float that is infinite, or none, is not."""


class Declined(Exception):  # no error: the way of graphql-core is taken instead
    """A value that compiled code does not know what to do with."""


def decline(_: object) -> Any:
    """Raises Declined, where only an expression may stand."""
    raise Declined


def leaf_expression(source: Source, type_: GraphQLLeafType, value: str) -> str:
    """What a leaf of this type, held by a variable and not None, becomes; it may raise anything for a value that is wrong."""
    other = f"{source.bind(_checked(type_))}({value})"
    if isinstance(type_, GraphQLEnumType):
        return _enum_expression(source, type_, value) or other
    test = _TESTS.get(type_)
    if test is None and not _is_identity(type_):
        made = f"(r := {source.bind(type_.coerce_output_value)}({value}))"
        plain = f"type({value}) in {source.bind(_PLAIN_CLASSES)}"
        return f"r if {plain} and {made} is not None and r is not {source.bind(Undefined)} else {other}"
    test = test or f"type({{0}}) is str or type({{0}}) in {source.bind(_JSON_CLASSES)}"
    return f"{value} if {test.format(value)} else {other}"


def _enum_expression(source: Source, type_: GraphQLEnumType, value: str) -> str | None:
    members = getattr(type_, "wrapped_cls", None)
    if members is None:
        return None
    names = {member.name: type_.coerce_output_value(member) for member in members}
    other = f"{source.bind(_checked(type_))}({value})"
    return f"{source.bind(names)}[{value}._name_] if type({value}) is {source.bind(members)} else {other}"


def _is_identity(type_: GraphQLLeafType) -> bool:
    """Whether a scalar answers values as they are."""
    return type_.coerce_output_value in (identity, GraphQLScalarType.serialize)


def _checked(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    """What graphql-core makes of a leaf, but for what it would treat as no leaf at all."""
    coerce = type_.coerce_output_value

    def checked(value: Any) -> Any:
        if type(value) not in _PLAIN_CLASSES and (isinstance(value, Exception) or optimized_is_awaitable(value)):
            raise Declined
        coerced = None if value is None else coerce(value)
        if coerced is None or coerced is Undefined:
            raise Declined
        return coerced

    return checked
