"""What an operation costs: known before it runs, from the sizes of the pages that it asks for.

A field costs 1 and each call to a vendor that it may make 10, as the schema tells of it (schema.costs). What lies below a list
is counted for each of its records: `first` of them in a page, 10 where there is no page. Where a variable says how many, the
cost is a sum of products; it is worked out for each request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    value_from_ast_untyped,
)

from schema.costs import PER, VENDOR_CALLS
from schema.pages import LARGEST_PAGE

FIELD = 1
VENDOR_CALL = 10
UNPAGED = 10
"""How many records a list is taken to have where nothing says how many."""

_PAGE = "first"
_STRAWBERRY = "strawberry-definition"


@dataclass(frozen=True)
class Sized:
    """A variable that says how many, as a number or by a list: how many where it is not given, and where it is null."""

    name: str
    absent: int
    null: int

    def of(self, variables: Mapping[str, Any]) -> int:
        if self.name not in variables:
            return self.absent
        given = variables[self.name]
        return self.null if given is None else _size(given)


@dataclass(frozen=True)
class Cost:
    """A sum of products: `terms` maps what is multiplied to how often it stands."""

    terms: Mapping[tuple[Sized, ...], int]

    @cached_property
    def _fixed(self) -> int | None:
        """What it is whatever the variables are, if so."""
        return self.terms.get((), 0) if len(self.terms) <= 1 and not any(self.terms) else None

    def of(self, variables: Mapping[str, Any] | None) -> int:
        if self._fixed is not None:
            return self._fixed
        given = variables or {}
        return sum(times * prod(each.of(given) for each in sizes) for sizes, times in self.terms.items())


def price(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Cost:
    """The cost of an operation of a valid document whose size was checked: the walk goes through its expansion."""
    root = schema.get_root_type(operation.operation)
    walk = _Walk(schema, document, operation)
    if root is not None:
        walk.selections(operation.selection_set, root, (), 1, UNPAGED)
    return Cost(walk.terms)


class _Walk:
    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self.terms: dict[tuple[Sized, ...], int] = {}
        self._schema = schema
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._defaults = {
            each.variable.name.value: value_from_ast_untyped(each.default_value) if each.default_value else None
            for each in operation.variable_definitions or ()
        }

    def selections(
        self,
        selected: SelectionSetNode,
        parent: GraphQLNamedType,
        sizes: tuple[Sized, ...],
        times: int,
        page: int | Sized,
    ) -> None:
        """Adds what a selection set costs, `times` and `sizes` times; lists in it have `page` records each."""
        for each in selected.selections:
            if isinstance(each, FieldNode):
                self._field(each, parent, sizes, times, page)
            elif isinstance(each, InlineFragmentNode):
                self._fragment(each, parent, sizes, times, page)
            elif isinstance(each, FragmentSpreadNode):
                self._fragment(self._fragments[each.name.value], parent, sizes, times, page)

    def _fragment(
        self,
        fragment: FragmentDefinitionNode | InlineFragmentNode,
        parent: GraphQLNamedType,
        sizes: tuple[Sized, ...],
        times: int,
        page: int | Sized,
    ) -> None:
        condition = fragment.type_condition
        on = self._schema.get_type(condition.name.value) if condition else None
        self.selections(fragment.selection_set, on or parent, sizes, times, page)

    def _field(
        self,
        node: FieldNode,
        parent: GraphQLNamedType,
        sizes: tuple[Sized, ...],
        times: int,
        page: int | Sized,
    ) -> None:
        field: GraphQLField | None = getattr(parent, "fields", {}).get(node.name.value)
        if field is None:  # __typename, or introspection: from memory
            self._add(sizes, times * FIELD)
            return
        calls, per = _told(field)
        if per is not None:
            sizes, times = _times(sizes, times, self._argument(node, field, per))
        self._add(sizes, times * (FIELD + VENDOR_CALL * calls))
        if node.selection_set:
            below = self._argument(node, field, _PAGE) if _PAGE in field.args else UNPAGED
            if _is_list(field) and per is None:
                sizes, times = _times(sizes, times, page)
            self.selections(node.selection_set, get_named_type(field.type), sizes, times, below)

    def _argument(self, node: FieldNode, field: GraphQLField, name: str) -> int | Sized:
        given = next((each.value for each in node.arguments or () if each.name.value == name), None)
        default = field.args[name].default_value
        return self._size_of(given, field.args[name].type, None if default is Undefined else default)

    def _size_of(self, given: ValueNode | None, kind: GraphQLInputType, default: Any) -> int | Sized:
        if isinstance(given, VariableNode):
            name = given.name.value
            declared = self._defaults.get(name)
            return Sized(name, _size(default if declared is None else declared), _size(default))
        if isinstance(given, IntValueNode):
            return 1 if is_list_type(get_nullable_type(kind)) else _size(int(given.value))
        return max(1, min(len(given.values), LARGEST_PAGE)) if isinstance(given, ListValueNode) else _size(default)

    def _add(self, sizes: tuple[Sized, ...], cost: int) -> None:
        self.terms[sizes] = self.terms.get(sizes, 0) + cost


def _times(sizes: tuple[Sized, ...], times: int, by: int | Sized) -> tuple[tuple[Sized, ...], int]:
    return ((*sizes, by), times) if isinstance(by, Sized) else (sizes, times * by)


def _size(value: Any) -> int:
    """How many are meant: no more than are ever answered, and no fewer than one. What is no size is refused elsewhere; 100.0 is one
    (GraphQL specification, section 3.5.1).
    """
    many = len(value) if isinstance(value, list | tuple) else value if isinstance(value, int | float) else 1
    return int(max(1, min(many, LARGEST_PAGE)))


def _told(field: GraphQLField) -> tuple[int, str | None]:
    """What the schema tells of a field: its calls to vendors, and the argument that multiplies them."""
    told = getattr(field.extensions.get(_STRAWBERRY), "metadata", None) or {}
    return told.get(VENDOR_CALLS, 0), told.get(PER)


def _is_list(field: GraphQLField) -> bool:
    return is_list_type(get_nullable_type(field.type))
