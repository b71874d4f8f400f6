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

from app.execution.source import Source

INT32 = 2**31

_JSON_CLASSES = frozenset({str, int, float, bool, dict, list})
_PLAIN_CLASSES = _JSON_CLASSES | {
    dt.datetime,
    dt.date,
    dt.time,
    dt.timedelta,
    decimal.Decimal,
    uuid.UUID,
}
"""Of which no instance is an exception, or can be awaited."""


class Declined(Exception):  # no error: the way of graphql-core is taken instead
    """A value that compiled code does not know what to do with."""


def decline(_: object) -> Any:
    """Raises Declined, where only an expression may stand."""
    raise Declined


def leaf_expression(source: Source, type_: GraphQLLeafType, value: str) -> str:
    """What a leaf of this type, held by a variable and not None, becomes; it may raise anything for a value that is wrong."""
    other = f"{source.bind(_checked(type_))}({value})"
    if type_ in (GraphQLString, GraphQLID):
        return f"{value} if type({value}) is str else {other}"
    if type_ is GraphQLBoolean:
        return f"{value} if type({value}) is bool else {other}"
    if type_ is GraphQLInt:
        return f"{value} if type({value}) is int and {-INT32} <= {value} < {INT32} else {other}"
    if type_ is GraphQLFloat:
        return f"{value} if type({value}) is float and {value} * 0.0 == 0.0 else {other}"
    if isinstance(type_, GraphQLEnumType):
        return _enum_expression(source, type_, value) or other
    if _is_identity(type_):
        return f"{value} if type({value}) is str or type({value}) in {source.bind(_JSON_CLASSES)} else {other}"
    return other


def _enum_expression(source: Source, type_: GraphQLEnumType, value: str) -> str | None:
    members = getattr(type_, "wrapped_cls", None)
    if members is None:
        return None
    names = {member.name: type_.coerce_output_value(member) for member in members}
    other = f"{source.bind(_checked(type_))}({value})"
    return f"{source.bind(names)}[{value}._name_] if type({value}) is {source.bind(members)} else {other}"


def _is_identity(type_: GraphQLLeafType) -> bool:
    """Whether a scalar answers values as they are."""
    if not isinstance(type_, GraphQLScalarType):
        return False
    serialize = type_.coerce_output_value
    probe = object()
    try:
        return serialize(probe) is probe
    except Exception:  # noqa: BLE001  # a scalar of anybody's
        return False


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
