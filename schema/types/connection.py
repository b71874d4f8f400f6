"""Pages, as Relay cursor connections (https://relay.dev/graphql/connections.htm)."""

from __future__ import annotations

from typing import Generic, TypeVar

import strawberry

T = TypeVar("T")


@strawberry.type(description="Where a page stands among the others.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there is more after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether there is something before this page. Pages are read forwards."
    )
    start_cursor: str | None = strawberry.field(
        default=None, description="The cursor of the first record of this page."
    )
    end_cursor: str | None = strawberry.field(
        default=None, description="The cursor of the last record: give it as `after` to read on."
    )


@strawberry.type(description="A record and its cursor.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="Give it as `after` to read on from here. Opaque.")
    node: T = strawberry.field(description="The record.")


@strawberry.type(description="One page of records.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The records with their cursors.")
    nodes: list[T] = strawberry.field(description="The records alone.")
    page_info: PageInfo = strawberry.field(description="Where this page stands among the others.")
