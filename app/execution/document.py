"""What is asked for: one operation of a document, once it is certain that it can be run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema.build import Schema

MOST_TOKENS = 10_000
"""In a document: to parse and validate a larger one would hold up all other requests. Large values go in variables."""


_RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)


class Refused(Exception):
    """A document of which nothing is run. Each error's extensions hold its code."""

    def __init__(self, errors: Sequence[GraphQLError]) -> None:
        super().__init__("the document can't be run")
        self.errors = errors


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of a valid document; equal to none but itself."""

    document: DocumentNode
    definition: OperationDefinitionNode

    @property
    def type(self) -> OperationType:
        return self.definition.operation

    @property
    def name(self) -> str | None:
        return self.definition.name.value if self.definition.name else None

    def root_fields(self) -> int:
        """How many fields it has at its root, also within fragments."""
        fragments = {
            each.name.value: each for each in self.document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        count = 0
        waiting, spread = [self.definition.selection_set], set[str]()
        while waiting:
            for each in waiting.pop().selections:
                if isinstance(each, FragmentSpreadNode) and each.name.value not in spread:
                    spread.add(each.name.value)
                    waiting.append(fragments[each.name.value].selection_set)
                elif isinstance(each, InlineFragmentNode):
                    waiting.append(each.selection_set)
                count += isinstance(each, FieldNode)
        return count


def read_operation(schema: Schema, text: str, name: str | None) -> Operation:
    """The operation of this name, or the only one. Raises Refused."""
    try:
        document = parse(text, max_tokens=MOST_TOKENS)
    except GraphQLSyntaxError as error:
        raise Refused([_with_code(error, "GRAPHQL_PARSE_FAILED")]) from None
    definition = _choose(document, name)
    errors = validate(schema.core, document, _RULES, hide_suggestions=True)
    if errors:
        raise Refused([_with_code(error, "GRAPHQL_VALIDATION_FAILED") for error in errors])
    return Operation(document, definition)


def _choose(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    meant = [each for each in operations if name is None or (each.name and each.name.value == name)]
    if len(meant) == 1:
        return meant[0]
    message = (
        "The document holds no operation of this operationName."
        if name is not None
        else "The document must hold one operation, or operationName say which of them is meant."
    )
    raise Refused([GraphQLError(message, extensions={"code": "OPERATION_RESOLUTION_FAILURE"})])


def _with_code(error: GraphQLError, code: str) -> GraphQLError:
    error.extensions = {"code": code, **(error.extensions or {})}
    return error
