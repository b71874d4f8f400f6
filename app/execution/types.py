"""Which GraphQL type an object is of, where its Python class alone decides that."""

from __future__ import annotations

from collections.abc import Iterator

from graphql import GraphQLAbstractType, GraphQLObjectType, GraphQLSchema
from strawberry.types.base import StrawberryObjectDefinition, get_object_definition
from strawberry.types.cast import TYPE_CAST_ATTRIBUTE
from strawberry.types.union import StrawberryUnion

from app.execution.source import Source


def classes_of(type_: GraphQLObjectType) -> tuple[type, ...]:
    """The classes of which every instance is of this type, unless it is cast to another. Empty where that can't be said."""
    definition = _definition(type_)
    if definition is None or definition.is_type_of is not None:
        return ()
    origins = (definition.origin, definition.concrete_of.origin if definition.concrete_of else definition.origin)
    return tuple(each for each in dict.fromkeys(origins) if _is_ordinary(each))


def mismatch_expression(source: Source, type_: GraphQLObjectType, value: str) -> str:
    """Whether it can't be said that a value is of this type."""
    classes = classes_of(type_)
    tests = [" and ".join(f"type({value}) is not {source.bind(each)}" for each in classes) or "True"]
    if type_.is_type_of is not None:  # not by its __dict__, which Python only makes where somebody looks at it
        tests.append(f"hasattr({value}, {source.bind(TYPE_CAST_ATTRIBUTE)})")
    return " or ".join(tests)


def types_by_class(schema: GraphQLSchema, abstract: GraphQLAbstractType) -> dict[type, GraphQLObjectType]:
    """The object types of an interface or a union, by the classes that decide. Objects of any other have to be asked."""
    return dict(_decided(schema, abstract))


def _decided(schema: GraphQLSchema, abstract: GraphQLAbstractType) -> Iterator[tuple[type, GraphQLObjectType]]:
    interface = abstract.extensions.get("strawberry-definition")
    if isinstance(interface, StrawberryObjectDefinition):
        if interface.resolve_type is not None:
            return
        base = interface.origin
    elif type(interface) is StrawberryUnion:
        base = object
    else:
        return
    for possible in schema.get_possible_types(abstract):
        definition = _definition(possible)
        is_simple = definition is not None and definition.concrete_of is None and definition.name == possible.name
        for each in classes_of(possible) if is_simple else ():
            if issubclass(each, base) and get_object_definition(each) is definition:
                yield each, possible


def _definition(type_: GraphQLObjectType) -> StrawberryObjectDefinition | None:
    definition = type_.extensions.get("strawberry-definition")
    return definition if isinstance(definition, StrawberryObjectDefinition) else None


def _is_ordinary(class_: type) -> bool:
    """Whether its instances are neither raised nor awaited."""
    return not issubclass(class_, BaseException) and not hasattr(class_, "__await__")
