"""What is asked for: one operation of a document, once it is certain that it can be run."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from app.execution.cost import Cost, price
from app.execution.limits import check_document, check_source
from app.execution.refused import Refused
from app.limits import Limits
from schema.build import DEFER, Schema

_INTROSPECTION = frozenset({"__schema", "__type"})
_MORE_RULES = (MaybeNullValidationRule, OneOfInputValidationRule)


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of a valid document; equal to none but itself."""

    document: DocumentNode
    definition: OperationDefinitionNode
    cost: Cost
    introspects: bool
    """Whether it asks for the schema itself."""

    @cached_property
    def type(self) -> OperationType:
        return self.definition.operation

    @cached_property
    def kind(self) -> str:
        """The type's name: query, mutation or subscription."""
        return self.type.value

    @cached_property
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


def read_operation(schema: Schema, text: str, name: str | None, limits: Limits, *, suggests: bool = False) -> Operation:
    """The operation of this name, or the only one. Raises Refused; with `suggests` saying which names may be meant.

    What is too large is refused before it is parsed, or before it is validated. `@defer` is taken and left out: the
    specification allows to answer whole (GraphQL, Incremental Delivery).
    """
    check_source(text, limits)
    try:
        document = parse(text, max_tokens=limits.tokens)
    except GraphQLSyntaxError as error:
        raise Refused([_with_code(error, "GRAPHQL_PARSE_FAILED")]) from None
    check_document(document, limits)
    definition = _choose(document, name)
    errors = validate(schema.core, document, specified_rules, hide_suggestions=not suggests)
    errors = errors or validate(schema.core, document, _MORE_RULES)  # these trust in what the others have checked
    if errors:
        raise Refused([_with_code(error, "GRAPHQL_VALIDATION_FAILED") for error in errors], suggests=suggests)
    if DEFER.name in text:
        document = visit(document, _Whole())
        definition = _choose(document, name)
    return Operation(document, definition, price(schema.core, document, definition), _introspects(document, text))


class _Whole(Visitor):
    """Leaves out `@defer`."""

    def enter_directive(self, node: DirectiveNode, *_: object) -> object:
        return REMOVE if node.name.value == DEFER.name else None


def _introspects(document: DocumentNode, text: str) -> bool:
    """Whether any operation or fragment does; only a root type has these fields, so the names are enough."""
    if not any(name in text for name in _INTROSPECTION):
        return False
    found = _Introspection()
    visit(document, found)
    return found.is_there


class _Introspection(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.is_there = False

    def enter_field(self, node: FieldNode, *_: object) -> None:
        self.is_there |= node.name.value in _INTROSPECTION


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
