"""The arguments of every list, and their bounds."""

from __future__ import annotations

from typing import Annotated

import strawberry

from schema.errors import BadUserInput

PAGE = 20
LARGEST_PAGE = 100

First = Annotated[int | None, strawberry.argument(description="How many to answer: 1 to 100.")]
After = Annotated[str | None, strawberry.argument(description="Read on from this cursor. Left out: from the start.")]


def page_size(first: int | None) -> int:
    """The size of a page, `PAGE` if none is given. Raises BadUserInput outside 1 to 100."""
    size = PAGE if first is None else first
    if not 1 <= size <= LARGEST_PAGE:
        raise BadUserInput(f"first must be 1 to {LARGEST_PAGE}; to read more, give the endCursor of a page as after.")
    return size
