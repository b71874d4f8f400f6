"""Pages, as Relay cursor connections (https://relay.dev/graphql/connections.htm)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import strawberry

T = TypeVar("T")


@strawberry.type(description="Where a page stands among the others.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether there is something before this page. Pages are read forwards."
    )
    write_start: strawberry.Private[Callable[[], str | None]]
    write_end: strawberry.Private[Callable[[], str | None]]

    @strawberry.field(description="The cursor of the first record of this page.")
    def start_cursor(self) -> str | None:
        return self.write_start()

    @strawberry.field(description="The cursor of the last record: give it as `after` to read on.")
    def end_cursor(self) -> str | None:
        return self.write_end()


@strawberry.type(description="A record and its cursor.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The record.")
    write_cursor: strawberry.Private[Callable[[], str]]
    """Cursors are signed: only those that are asked for are written."""

    @strawberry.field(description="Give it as `after` to read on from here. Opaque.")
    def cursor(self) -> str:
        return self.write_cursor()


def _edges(root: strawberry.Parent[Any]) -> list[Edge[T]]:
    found: list[Edge[T]] = root.make_edges()
    return found


@strawberry.type(description="One page of records.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(resolver=_edges, description="The records with their cursors.")
    nodes: list[T] = strawberry.field(description="The records alone.")
    page_info: PageInfo = strawberry.field(description="Where this page stands among the others.")
    make_edges: strawberry.Private[Callable[[], list[Edge[T]]]]
    """Most ask for the records alone."""
    is_kept: strawberry.Private[bool] = False
    """Whether it may be answered to others too: then nobody changes it."""
