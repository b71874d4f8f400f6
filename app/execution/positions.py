"""Where in an answer something stands: for the paths of errors, and for the nulls that they leave."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from graphql import FieldNode, GraphQLField, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType
from graphql.execution.collect_fields import FieldDetailsList
from graphql.pyutils import Path


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """What is known of a place in the answer before anything runs: a field's value, or an item of the list that it is."""

    parent: GraphQLObjectType
    definition: GraphQLField
    details: FieldDetailsList
    type: GraphQLOutputType
    key: str | None
    """The field's name in the answer; None for an item."""

    @property
    def is_nullable(self) -> bool:
        return not isinstance(self.type, GraphQLNonNull)

    @property
    def nodes(self) -> list[FieldNode]:
        return [each.node for each in self.details]

    def item(self, type_: GraphQLOutputType) -> Place:
        """The place of an item of this list."""
        return replace(self, type=type_, key=None)


Position: TypeAlias = tuple[Any, Any, Any, Place]
"""The position above it (None at the root), the dict or list that holds it, its key or index there, and its place.

A plain tuple, for one is made for every field that is resolved.
"""


def path_of(position: Position) -> Path:
    """The path that graphql-core would have made."""
    steps = [position]
    while steps[-1][0] is not None:
        steps.append(steps[-1][0])
    path: Any = None
    for _, _, key, place in reversed(steps):
        path = Path(path, key, None if place.key is None else place.parent.name)
    return cast(Path, path)


def is_within(position: Position | None, outer: Position | None) -> bool:
    """Whether a position is `outer` or beneath it; everything is beneath None, the root."""
    while position is not outer:
        if position is None:
            return False
        position = position[0]
    return True
