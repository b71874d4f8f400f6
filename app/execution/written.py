"""The lists of pages that are kept, in JSON: what memory answers again and again is written once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import orjson
from graphql import GraphQLObjectType
from orjson import Fragment

from app.execution.recent import Recent
from app.execution.types import classes_of

MOST = 1_000
MOST_BYTES = 8 * 1024 * 1024
BYTES_PER_BYTE = 8
"""What a page takes beside each byte of its JSON: the records that it holds on to, measured, rounded up."""


class Page(Protocol):
    """An object that says whether it is kept for further requests, and then never changes."""

    is_kept: bool


def may_be_kept(type_: GraphQLObjectType) -> bool:
    """Whether the objects of a type are such pages."""
    return any(hasattr(each, "is_kept") for each in classes_of(type_))


class Pages:
    """The JSON of lists of kept pages, by the page and by what is selected of the list."""

    def __init__(self) -> None:
        self._written: Recent[tuple[int, int], tuple[Fragment, object]] = Recent(MOST, MOST_BYTES)

    def written_once(self, read: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """`read`, which has no effect; but what it makes of a kept page is JSON already, and made once."""
        reading = id(read)

        def read_or_remember(page: Page) -> Any:
            if not page.is_kept:
                return read(page)
            key = (id(page), reading)  # which are no other's as long as both are held on to
            found = self._written.get(key)
            if found is not None:
                return found[0]
            return self._remember(key, page, read)

        return read_or_remember

    def _remember(self, key: tuple[int, int], page: Page, read: Callable[[Any], Any]) -> Any:
        answer = read(page)
        try:
            json = _fitting(orjson.dumps(answer))
        except TypeError:  # what only the careful writer can write (app.answers)
            return answer
        written = Fragment(json)
        self._written.keep(key, (written, (page, read)), len(json) * BYTES_PER_BYTE)
        return written


def _fitting(made: bytes) -> bytes:
    """The same without the rest of the buffer, which orjson leaves to what it returns: 4 KB for 800 bytes."""
    return bytes(memoryview(made))
