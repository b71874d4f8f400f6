"""Input values: from JSON, as graphql-core coerces them, and from there to what Strawberry's resolvers take.

Only what is right is made here. For anything else Unfit is raised, and graphql-core finds the words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING
from typing import Any, TypeAlias, cast

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
    get_nullable_type,
    is_required_input_field,
)
from graphql.utilities.coerce_input_value import coerce_default_value
from strawberry.relay.types import GlobalID
from strawberry.scalars import is_scalar
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    StrawberryType,
    get_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType
from strawberry.types.unset import UNSET

from schema.build import Schema

Coerce: TypeAlias = Callable[[Any], Any]


class Unfit(Exception):  # no error: graphql-core is asked instead
    """A value that is wrong, or of a kind that is not compiled."""


_EXACT: dict[GraphQLInputType, type] = {GraphQLString: str, GraphQLID: str, GraphQLBoolean: bool}
"""Of which an instance is what it is coerced to."""


def coercer(type_: GraphQLInputType, within: tuple[GraphQLInputType, ...] = ()) -> Coerce:
    """Coerces JSON values to an input type. Raises Unfit for a type that holds itself, which can be nested too deeply."""
    is_non_null = isinstance(type_, GraphQLNonNull)
    nullable: Any = get_nullable_type(type_)
    if nullable in within:
        raise Unfit
    if isinstance(nullable, GraphQLList):
        return _list_coercer(nullable.of_type, within, is_non_null)
    if isinstance(nullable, GraphQLInputObjectType):
        return _object_coercer(nullable, (*within, nullable), is_non_null)
    return _leaf_coercer(nullable, is_non_null)


def _null(is_non_null: bool) -> None:
    """What null is coerced to."""
    if is_non_null:
        raise Unfit


def _leaf_coercer(type_: GraphQLScalarType | GraphQLEnumType, is_non_null: bool) -> Coerce:
    coerce = type_.coerce_input_value
    exact = _EXACT.get(type_)

    def coerce_leaf(value: Any) -> Any:
        if type(value) is exact:
            return value
        if value is None:
            return _null(is_non_null)
        coerced = coerce(value)
        if coerced is Undefined:
            raise Unfit
        return coerced

    return coerce_leaf


def _list_coercer(item_type: GraphQLInputType, within: tuple[GraphQLInputType, ...], is_non_null: bool) -> Coerce:
    coerce = coercer(item_type, within)

    def coerce_list(value: Any) -> Any:
        if value is None:
            return _null(is_non_null)
        items = value if type(value) is list else [value] if type(value) in _SINGLE else None
        if items is None:
            raise Unfit
        return list(map(coerce, items))

    return coerce_list


_SINGLE = frozenset({str, int, float, bool, dict})


def _object_coercer(type_: GraphQLInputObjectType, within: tuple[GraphQLInputType, ...], is_non_null: bool) -> Coerce:
    if type_.is_one_of:
        raise Unfit
    fields = [(name, *_input_field(field, within)) for name, field in type_.fields.items()]
    names = frozenset(type_.fields)
    finish = None if type_.out_type is GraphQLInputObjectType.out_type else type_.out_type

    def coerce_object(value: Any) -> Any:
        if value is None:
            return _null(is_non_null)
        if type(value) is not dict or not names.issuperset(value):
            raise Unfit
        coerced = {}
        for name, coerce, default in fields:
            if name in value:
                coerced[name] = coerce(value[name])
            elif default is Unfit:
                raise Unfit
            elif default is not Undefined:
                coerced[name] = default
        return coerced if finish is None else finish(coerced)

    return coerce_object


def _input_field(field: GraphQLInputField, within: tuple[GraphQLInputType, ...]) -> tuple[Coerce, Any]:
    """How a field is coerced, and what stands for it if it is left out: Unfit if nothing may."""
    if field.out_name is not None:
        raise Unfit
    default = Unfit if is_required_input_field(field) else coerce_default_value(field)
    return coercer(field.type, within), default


def converter(
    schema: Schema, type_: StrawberryType | type, within: tuple[StrawberryType | type, ...] = ()
) -> Coerce | None:
    """Makes of a coerced value what Strawberry would; None if that is the value itself.

    Raises Unfit where only Strawberry can, and for a type that holds itself.
    """
    if isinstance(type_, StrawberryMaybe) or type_ is GlobalID or type_ in within:
        raise Unfit
    if isinstance(type_, StrawberryOptional):
        return converter(schema, type_.of_type, within)
    if isinstance(type_, LazyType):
        return converter(schema, type_.resolve_type(), within)
    if isinstance(type_, StrawberryList):
        return _list_converter(converter(schema, type_.of_type, within))
    if is_scalar(type_, schema.schema_converter.scalar_registry):
        return None
    if isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
        return None
    definition = get_object_definition(type_)
    if definition is None or definition.from_input is not None or not definition.is_input:
        raise Unfit
    return _object_converter(schema, cast(type, type_), definition, (*within, type_))


def _list_converter(item: Coerce | None) -> Coerce:
    def convert_list(value: Any) -> Any:
        if value is None or value is UNSET:
            return value
        return list(value) if item is None else [item(each) for each in value]

    return convert_list


def _object_converter(
    schema: Schema, type_: type, definition: StrawberryObjectDefinition, within: tuple[StrawberryType | type, ...]
) -> Coerce:
    names: NameConverter = schema.config.name_converter
    absent = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is MISSING and field.default_factory is MISSING
    }
    fields = {
        names.from_field(field): (
            field.python_name,
            converter(schema, field.resolve_type(type_definition=definition), within),
        )
        for field in definition.fields
    }

    def convert_object(value: Any) -> Any:
        if value is None or value is UNSET:
            return value
        given: dict[str, Any] = {**absent}
        for name, each in value.items():
            python_name, convert = fields[name]
            given[python_name] = each if convert is None else convert(each)
        return type_(**given)

    return convert_object
