"""What an operation selects, and whether it can be compiled at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    VariableNode,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

_CONDITIONS = frozenset({"skip", "include"})


class Uncompilable(Exception):  # no error: graphql-core runs the operation
    """An operation that graphql-core runs; the message says why."""


def conditions(document: DocumentNode, operation: OperationDefinitionNode) -> tuple[str, ...]:
    """The variables that decide what is selected. Raises Uncompilable."""
    if operation.operation is OperationType.SUBSCRIPTION:
        raise Uncompilable("a subscription")
    if operation.directives:
        raise Uncompilable("a directive on the operation")
    fragments = _fragments(document)
    if any(each.directives or each.variable_definitions for each in fragments.values()):
        raise Uncompilable("a fragment with directives or variables")
    names: dict[str, None] = {}
    for node in _walk(operation.selection_set.selections, fragments, set()):
        if isinstance(node, FieldNode) and node.name.value.startswith("__") and node.name.value != "__typename":
            raise Uncompilable("introspection")
        for directive in node.directives or ():
            names.update(dict.fromkeys(_variables(directive)))
    return tuple(names)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def _walk(
    selections: tuple[SelectionNode, ...], fragments: Mapping[str, FragmentDefinitionNode], seen: set[str]
) -> Iterator[SelectionNode]:
    """All selections of an operation, each once."""
    waiting = [selections]
    while waiting:
        for node in waiting.pop():
            yield node
            if isinstance(node, FragmentSpreadNode):
                if node.name.value not in seen:
                    seen.add(node.name.value)
                    waiting.append(fragments[node.name.value].selection_set.selections)
            elif isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                waiting.append(node.selection_set.selections)


def _variables(directive: DirectiveNode) -> Iterator[str]:
    if directive.name.value not in _CONDITIONS:
        raise Uncompilable(f"@{directive.name.value}")
    for argument in directive.arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value


class Selections:
    """The fields of an operation as graphql-core collects them, for given values of its conditions."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        decided: Mapping[str, bool],
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = {name: FragmentDetails(each) for name, each in _fragments(document).items()}
        self._values = VariableValues({}, dict(decided))

    def root(self, type_: GraphQLObjectType) -> GroupedFieldSet:
        """What the operation selects of its root type."""
        return collect_fields(self._schema, self._fragments, self._values, type_, self._operation).grouped_field_set

    def beneath(self, details: FieldDetailsList, type_: GraphQLObjectType) -> GroupedFieldSet:
        """What a field selects of an object type."""
        return collect_subfields(
            self._schema, self._fragments, self._values, self._operation, type_, details
        ).grouped_field_set
