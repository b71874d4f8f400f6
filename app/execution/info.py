"""What a resolver is told, worked out only when it asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import strawberry
from graphql import FieldNode, GraphQLObjectType, GraphQLOutputType, GraphQLSchema, OperationDefinitionNode
from graphql.language import FragmentDefinitionNode
from graphql.pyutils import Path
from strawberry.execution import optimized_is_awaitable
from strawberry.types.field import StrawberryField

from app.execution.positions import Position, path_of

if TYPE_CHECKING:
    from app.execution.answering import Answering


class Info(strawberry.Info[Any, None]):
    """Strawberry's own, with the context at hand: nearly all resolvers ask for nothing else."""

    __slots__ = ("_answering", "_field", "_position", "context")

    context: Any

    def __init__(self, answering: Answering, position: Position, field: StrawberryField) -> None:
        self.context = answering.context
        self._answering = answering
        self._position = position
        self._field = field

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def _raw_info(self) -> ResolveInfo:  # type: ignore[override]  # stands in
        return ResolveInfo(self._answering, self._position)


class ResolveInfo:
    """Stands in for graphql-core's GraphQLResolveInfo, as Strawberry fills it."""

    __slots__ = ("_answering", "_position", "context")

    is_awaitable = staticmethod(optimized_is_awaitable)
    abort_signal = None
    operation_extensions = None

    def __init__(self, answering: Answering, position: Position) -> None:
        self.context = answering.context
        self._answering = answering
        self._position = position

    @property
    def field_name(self) -> str:
        return self._position[3].details[0].node.name.value

    @property
    def field_nodes(self) -> list[FieldNode]:
        return self._position[3].nodes

    @property
    def return_type(self) -> GraphQLOutputType:
        return self._position[3].definition.type

    @property
    def parent_type(self) -> GraphQLObjectType:
        return self._position[3].parent

    @property
    def path(self) -> Path:
        return path_of(self._position)

    @property
    def schema(self) -> GraphQLSchema:
        return self._answering.executor.schema

    @property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        return self._answering.executor.fragment_definitions

    @property
    def root_value(self) -> Any:
        return None

    @property
    def operation(self) -> OperationDefinitionNode:
        return self._answering.executor.operation

    @property
    def variable_values(self) -> dict[str, Any]:
        return self._answering.variables

    @property
    def async_helpers(self) -> Any:
        return self._answering.executor.async_helpers
