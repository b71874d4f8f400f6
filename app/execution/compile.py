"""Compiles an operation: one function per selection set, specialised for the values of its `@skip` and `@include`.

Compiled code does what is ordinary. An object of which only attributes are asked becomes a function that reads them and
returns a dict, or raises for anything out of the ordinary: then graphql-core completes the value from the start, which does
no harm, for reading attributes has no effect. A field that is resolved, or that has such a field beneath it, becomes a
closure that knows its position.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from graphql import (
    GraphQLField,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    TypeNameMetaFieldDef,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet

from app.execution.answering import Answering, Complete
from app.execution.calls import Call, Resolver, is_attribute_field, plain_resolver, resolver_call, slow_call
from app.execution.completion import (
    RunField,
    complete_abstract,
    complete_list,
    complete_nullable,
    complete_slowly,
    run_field,
)
from app.execution.leaves import Declined, decline, leaf_expression
from app.execution.positions import Place, Position
from app.execution.selections import Selections, Uncompilable
from app.execution.source import Source, is_attribute
from app.execution.types import classes_of, mismatch_expression, types_by_class
from app.execution.written import Pages, may_be_kept
from schema.build import Schema

RootField: TypeAlias = RunField | tuple[str, str]
"""A field that runs, or a key with its constant value."""

MOST_FIELDS = 1_000
"""That are compiled for one operation, counted once for every type that they are selected of."""


@dataclass(frozen=True)
class _Object:
    """The function of an object type's selection set. One that `reads` takes the object, and has no effect.

    Another takes the object, the Answering and the position.
    """

    name: str
    reads: bool


@dataclass
class _Parts:
    """An object's function while it is written: lines that read, the items of the dict, and the names of what runs."""

    reads: list[str]
    items: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)


class Compiler:
    """Compiles operations of one schema."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.pages = Pages()
        self._resolvers: dict[tuple[str, str], Resolver | None] = {}

    def compile(self, selections: Selections, root: GraphQLObjectType) -> tuple[list[RootField], int]:
        """The root fields, and how many fields were compiled in all. Raises Uncompilable."""
        compilation = _Compilation(self, selections)
        return compilation.root(root), compilation.fields

    def call(self, source: Source, place: Place) -> tuple[Call, bool]:
        """How a field is resolved, and whether that must always be awaited."""
        node, definition = place.details[0].node, place.definition
        key = (place.parent.name, node.name.value)
        if key not in self._resolvers:
            self._resolvers[key] = plain_resolver(self.schema, definition)
        resolver = self._resolvers[key]
        if resolver is None:
            return slow_call(definition, node), False
        return resolver_call(self.schema, resolver, definition, node, source), resolver.is_coroutine


class _Compilation:
    """Compiles one operation."""

    def __init__(self, compiler: Compiler, selections: Selections) -> None:
        self._compiler = compiler
        self._schema = compiler.schema
        self._selections = selections
        self._source = Source()
        self._objects: dict[tuple[str, tuple[int, ...]], _Object | None] = {}
        self.fields = 0

    def root(self, type_: GraphQLObjectType) -> list[RootField]:
        places = [_place(type_, *each) for each in self._counted(self._selections.root(type_)).items()]
        return [
            (str(each.key), type_.name) if each.definition is TypeNameMetaFieldDef else self._run_field(each)
            for each in places
        ]

    def _counted(self, fields: GroupedFieldSet) -> GroupedFieldSet:
        self.fields += len(fields)
        if self.fields > MOST_FIELDS:
            raise Uncompilable("too many fields")
        return fields

    def _run_field(self, place: Place) -> RunField:
        complete = self._complete(place)
        if is_attribute_field(self._schema, place.definition):
            return run_field(place, _read_attribute(place.definition), complete, is_awaited=False)
        call, is_awaited = self._compiler.call(self._source, place)
        return run_field(place, call, complete, is_awaited=is_awaited)

    def _complete(self, place: Place) -> Complete:
        """Completes a value of any type."""
        nullable = place.type.of_type if isinstance(place.type, GraphQLNonNull) else place.type
        expression = self._read_expression(place.type, place.details, "o", 0)
        otherwise: Complete = complete_slowly
        if isinstance(nullable, GraphQLList):
            item = place.item(nullable.of_type)
            otherwise = complete_list(item, self._complete(item))
        elif expression is None:
            otherwise = self._complete_object(nullable, place.details)
        if expression is None:
            return complete_nullable(otherwise) if place.is_nullable else otherwise
        return self._complete_read(expression, otherwise)

    def _complete_object(self, type_: Any, details: FieldDetailsList) -> Complete:
        if is_abstract_type(type_):
            types = types_by_class(self._schema.core, type_).items()
            return complete_abstract({each: self._complete_object(possible, details) for each, possible in types})
        compiled = self._object(type_, details)
        if compiled is None:
            return complete_slowly
        if compiled.reads:
            return self._complete_read(f"{compiled.name}(o)", complete_slowly)
        return self._source[compiled.name]

    def _complete_read(self, expression: str, otherwise: Complete) -> Complete:
        """Completes by an expression that has no effect, but raises for what it does not know."""
        lines = (
            f"try: return {expression}",
            "except Exception: pass",  # whatever it was, it is met again
            f"return {self._source.bind(otherwise)}(o, a, p)",
        )
        return self._source[self._source.function("o, a, p", lines)]

    def _read_expression(
        self, type_: GraphQLOutputType, details: FieldDetailsList, value: str, depth: int
    ) -> str | None:
        """What a value is answered as, if that takes no more than reading attributes; else None."""
        if not isinstance(type_, GraphQLNonNull):
            expression = self._read_non_null(type_, details, value, depth)
            return expression and f"None if {value} is None else {expression}"
        return self._read_non_null(type_.of_type, details, value, depth)

    def _read_non_null(self, type_: Any, details: FieldDetailsList, value: str, depth: int) -> str | None:
        if is_leaf_type(type_):
            leaf: GraphQLLeafType = type_
            return leaf_expression(self._source, leaf, value)
        if isinstance(type_, GraphQLList):
            item = self._read_expression(type_.of_type, details, f"i{depth}", depth + 1)
            listed = f"[{item} for i{depth} in {value}] if type({value}) is list or type({value}) is tuple"
            return item and f"{listed} else {self._source.bind(decline)}({value})"
        if isinstance(type_, GraphQLObjectType):
            compiled = self._object(type_, details)
            return f"{compiled.name}({value})" if compiled is not None and compiled.reads else None
        return self._read_abstract(type_, details, value)

    def _read_abstract(self, type_: Any, details: FieldDetailsList, value: str) -> str | None:
        by_class = {}
        for each, possible in types_by_class(self._schema.core, type_).items():
            compiled = self._object(possible, details)
            if compiled is None or not compiled.reads:
                return None
            by_class[each] = self._source[compiled.name]
        return f"{self._source.bind(by_class)}[type({value})]({value})"

    def _object(self, type_: GraphQLObjectType, details: FieldDetailsList) -> _Object | None:
        """The function of what is selected of an object type; None if only graphql-core can tell its objects."""
        key = (type_.name, tuple(id(each.node) for each in details))
        if key not in self._objects:
            self._objects[key] = self._new_object(type_, details) if classes_of(type_) else None
        return self._objects[key]

    def _new_object(self, type_: GraphQLObjectType, details: FieldDetailsList) -> _Object:
        parts = _Parts([f"if {mismatch_expression(self._source, type_, 'o')}: raise {self._source.bind(Declined)}"])
        for key, selected in self._counted(self._selections.beneath(details, type_)).items():
            item = self._item(_place(type_, key, selected), f"v{len(parts.items)}", parts)
            parts.items.append(f"{self._source.bind(key)}: {item}")
        answer = "{" + ", ".join(parts.items) + "}"
        if not parts.running:
            return _Object(self._source.function("o", [*parts.reads, f"return {answer}"]), reads=True)
        return _Object(self._source.function("o, a, p", _running_lines(parts, answer)), reads=False)

    def _item(self, place: Place, value: str, parts: _Parts) -> str:
        """What stands for a field where its object is written; None for one that runs afterwards."""
        if place.definition is TypeNameMetaFieldDef:
            return self._source.bind(place.parent.name)
        attribute = self._attribute(place.definition)
        expression = attribute and self._read_expression(place.type, place.details, value, 0)
        if expression is None:
            parts.running.append(self._source.bind(self._run_field(place)))
            return "None"
        if is_list_type(get_nullable_type(place.type)) and may_be_kept(place.parent):
            read = self._source.function("o", [f"{value} = o.{attribute}", f"return {expression}"])
            return f"{self._source.bind(self._compiler.pages.written_once(self._source[read]))}(o)"
        parts.reads.append(f"{value} = o.{attribute}")
        return expression

    def _attribute(self, definition: GraphQLField) -> str | None:
        if not is_attribute_field(self._schema, definition):
            return None
        name: str = definition.extensions["strawberry-definition"].python_name
        return name if is_attribute(name) else None


def _running_lines(parts: _Parts, answer: str) -> list[str]:
    """The body of a function that reads what can be read, and then runs what has to be run."""
    return [
        "try:",
        *(f" {each}" for each in parts.reads),
        f" d = {answer}",
        "except Exception: d = None",
        "if d is None: return a.complete(o, p)",
        *(f"{each}(o, a, p, d)" for each in parts.running),
        "return d",
    ]


def _place(parent: GraphQLObjectType, key: str, details: FieldDetailsList) -> Place:
    name = details[0].node.name.value
    definition = TypeNameMetaFieldDef if name == "__typename" else parent.fields[name]
    return Place(parent, definition, details, definition.type, key)


def _read_attribute(definition: GraphQLField) -> Call:
    name: str = definition.extensions["strawberry-definition"].python_name

    def read(source: Any, answering: Answering, position: Position) -> Any:  # noqa: ARG001  # a Call
        return getattr(source, name)

    return read
