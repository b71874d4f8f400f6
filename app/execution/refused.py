"""What a document of which nothing is run is refused with."""

from __future__ import annotations

from collections.abc import Sequence

from graphql import GraphQLError


class Refused(Exception):
    """A document of which nothing is run. Each error's extensions hold its code; `suggests`: they may guess at names."""

    def __init__(self, errors: Sequence[GraphQLError], *, suggests: bool = False) -> None:
        super().__init__("the document can't be run")
        self.errors = errors
        self.suggests = suggests
