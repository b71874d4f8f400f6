"""JSON Schema (2020-12) of what goes into an operation and of what comes out of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as made_of
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    is_abstract_type,
    is_required_input_field,
    value_from_ast_untyped,
)

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"
_SCALARS: Mapping[str, Schema] = {
    "Int": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1},
    "Float": {"type": "number"},
    "Boolean": {"type": "boolean"},
    "DateTime": {"type": "string", "format": "date-time"},
    "JSON": {"not": {"type": "null"}},
}
_CONDITIONS = frozenset({"skip", "include", "defer"})


class InputSchemas:
    """Schemas of input types of a schema that was read from its text; those of input objects are gathered in `components`."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, type_: GraphQLType) -> Schema:
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type)
        return nullable(self._present(type_))

    @staticmethod
    def is_required(type_: GraphQLType) -> bool:
        return isinstance(type_, GraphQLNonNull)

    def _present(self, type_: GraphQLType) -> Schema:
        if isinstance(type_, GraphQLList):
            return {"type": "array", "items": self.of(type_.of_type)}
        if isinstance(type_, GraphQLInputObjectType):
            if type_.name not in self.components:
                self.components[type_.name] = {}  # before its fields, which may lead back to it
                self.components[type_.name] = self._object(type_)
            return {"$ref": REFERENCE + type_.name}
        return leaf(type_)

    def _object(self, type_: GraphQLInputObjectType) -> Schema:
        is_one_of = bool(type_.is_one_of)
        fields = {name: self._field(each, is_one_of=is_one_of) for name, each in type_.fields.items()}
        required = [name for name, each in type_.fields.items() if is_required_input_field(each)]
        counted = {"minProperties": 1, "maxProperties": 1} if is_one_of else {}
        return {
            "type": "object",
            **_described(type_.description),
            "properties": fields,
            **({"required": required} if required else {}),
            **counted,
            "additionalProperties": False,
        }

    def _field(self, given: GraphQLInputField, *, is_one_of: bool) -> Schema:
        found = self._present(given.type) if is_one_of else self.of(given.type)
        if given.ast_node is not None and given.ast_node.default_value is not None:
            found = with_default(found, value_from_ast_untyped(given.ast_node.default_value))
        return found | _described(given.description)


def answer_schema(
    schema: GraphQLSchema, root: GraphQLObjectType, document: DocumentNode, operation: OperationDefinitionNode
) -> Schema:
    """The schema of `data` for one operation."""
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    return _Answers(schema, fragments).of_object(root, [operation.selection_set])


def nullable(schema: Schema) -> Schema:
    if "not" in schema:
        return {name: each for name, each in schema.items() if name != "not"}  # anything, null among it
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return schema | {"type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def with_default(schema: Schema, default: Any) -> Schema:
    """What is taken for a value that is left out."""
    return schema | {"default": default}


def leaf(type_: GraphQLType) -> Schema:
    """The schema of a scalar or an enum; any other type raises TypeError."""
    if isinstance(type_, GraphQLEnumType):
        return {"type": "string", "enum": list(type_.values), **_described(type_.description)}
    if not isinstance(type_, GraphQLScalarType):
        raise TypeError(f"{type_} is no leaf")
    known = _SCALARS.get(type_.name, {"type": "string"})
    is_own = type_.name not in {"Int", "Float", "Boolean", "String", "ID"}
    return {**known, **(_described(type_.description) if is_own else {})}


@dataclass
class _Selected:
    """One key of an answer: the fields that fill it, and whether it is there in any case."""

    field: FieldNode
    selections: list[SelectionSetNode] = made_of(default_factory=list)
    certain: bool = False


@dataclass(frozen=True)
class _Answers:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]

    def of_object(self, type_: GraphQLObjectType, selections: Iterable[SelectionSetNode]) -> Schema:
        keys: dict[str, _Selected] = {}
        for selection in selections:
            self._collect(type_, selection, keys, certain=True)
        return {
            "type": "object",
            "properties": {key: self._value(type_, each) for key, each in keys.items()},
            "required": [key for key, each in keys.items() if each.certain],
            "additionalProperties": False,
        }

    def _value(self, parent: GraphQLObjectType, selected: _Selected) -> Schema:
        name = selected.field.name.value
        if name == "__typename":
            return {"const": parent.name}
        found = parent.fields[name]
        return self._of(found.type, selected.selections) | _described(found.description)

    def _of(self, type_: GraphQLOutputType, selections: list[SelectionSetNode]) -> Schema:
        if isinstance(type_, GraphQLNonNull):
            return self._present(type_.of_type, selections)
        return nullable(self._present(type_, selections))

    def _present(self, type_: GraphQLOutputType, selections: list[SelectionSetNode]) -> Schema:
        if isinstance(type_, GraphQLList):
            return {"type": "array", "items": self._of(type_.of_type, selections)}
        if isinstance(type_, GraphQLObjectType):
            return self.of_object(type_, selections)
        if is_abstract_type(type_):
            possible = self.schema.get_possible_types(cast(Any, type_))
            return {"anyOf": list(_distinct(self.of_object(each, selections) for each in possible))}
        return leaf(type_)

    def _collect(
        self, type_: GraphQLObjectType, selection: SelectionSetNode, keys: dict[str, _Selected], *, certain: bool
    ) -> None:
        for each in selection.selections:
            sure = certain and _CONDITIONS.isdisjoint(it.name.value for it in each.directives or ())
            if isinstance(each, FieldNode):
                key = each.alias.value if each.alias else each.name.value
                found = keys.setdefault(key, _Selected(each))
                found.certain = found.certain or sure
                found.selections += [each.selection_set] if each.selection_set else []
            elif isinstance(each, FragmentSpreadNode):
                fragment = self.fragments[each.name.value]
                if self._applies(fragment.type_condition.name.value, type_):
                    self._collect(type_, fragment.selection_set, keys, certain=sure)
            elif isinstance(each, InlineFragmentNode):
                condition = each.type_condition
                if condition is None or self._applies(condition.name.value, type_):
                    self._collect(type_, each.selection_set, keys, certain=sure)

    def _applies(self, condition: str, type_: GraphQLObjectType) -> bool:
        on = self.schema.type_map[condition]
        return on is type_ or (is_abstract_type(on) and self.schema.is_sub_type(cast(Any, on), type_))


def _described(text: str | None) -> Schema:
    return {"description": text} if text else {}


def _distinct(schemas: Iterable[Schema]) -> Iterator[Schema]:
    seen: list[Schema] = []
    for each in schemas:
        if each not in seen:
            seen.append(each)
            yield each
