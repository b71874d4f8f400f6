"""Relay connections over pages that a vendor cuts by its own tokens.

A cursor says where its record stands: which token fetches the page, how large that page was, and how many of its records
come before the next one. It is signed, and bound to the question and environment that it came from.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from app.security.signing import Signer
from schema.errors import BadUserInput
from schema.types.connection import Connection, Edge, PageInfo

_PURPOSE = "cursor"
_MAC_BYTES = 12
_MOST_PAGES = 10
T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page as the vendor cut it; `next_token` is None on the last."""

    items: Sequence[T]
    next_token: str | None


class Position(NamedTuple):
    """After `skip` records of the page that `token` (None: the first) fetches with this `size`."""

    token: str | None
    size: int
    skip: int


@dataclass(frozen=True)
class Cursors:
    """The cursors of one question (what is listed, with which filters, in which environment)."""

    signer: Signer
    question: str

    def write(self, *place: str | int | None) -> str:
        """A cursor for a place, whatever that is made of."""
        body = json.dumps(place, separators=(",", ":"))
        return base64.urlsafe_b64encode(self._mac(body) + body.encode()).decode().rstrip("=")

    def read(self, cursor: str) -> list[Any]:
        """The place that a cursor stands for. Raises BadUserInput for a cursor that is not one of these."""
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:].decode()
        except (binascii.Error, ValueError):
            raise _foreign() from None
        if not hmac.compare_digest(mac, self._mac(body)):
            raise _foreign()
        place: list[Any] = json.loads(body)
        return place

    def _mac(self, body: str) -> bytes:
        return self.signer.sign(_PURPOSE, self.question, body)[:_MAC_BYTES]


async def connection(
    fetch: Callable[[str | None, int], Awaitable[Page[T]]], cursors: Cursors, first: int, after: str | None
) -> Connection[T]:
    """`first` records after the cursor; `fetch(token, size)` gets one of the vendor's pages of at most `size`.

    A vendor whose pages are nearly empty brings fewer: reading stops after ten of them, and goes on from the end cursor.
    """
    position = Position(*cursors.read(after)) if after is not None else Position(None, first, 0)
    if position.skip == 0:
        position = Position(position.token, first, 0)
    edges: list[Edge[T]] = []
    for _ in range(_MOST_PAGES):
        page = await fetch(position.token, position.size)
        for index, item in enumerate(page.items[position.skip :], position.skip + 1):
            if len(edges) == first:
                return page_of(edges, after, has_next_page=True)
            edges.append(Edge(node=item, write_cursor=partial(_write, cursors, position, page, index)))
        if page.next_token is None or len(edges) == first:
            return page_of(edges, after, has_next_page=page.next_token is not None)
        position = Position(page.next_token, first, 0)
    return page_of(edges, after, has_next_page=True, end=partial(cursors.write, *position))


def _write(cursors: Cursors, position: Position, page: Page[T], index: int) -> str:
    return cursors.write(*_after(position, page, index))


def _after(position: Position, page: Page[T], index: int) -> Position:
    """Where the reading goes on after the record at `index`: on the next page, if this one ends there."""
    if index == len(page.items) and page.next_token is not None:
        return Position(page.next_token, position.size, 0)
    return Position(position.token, position.size, index)


def edge(node: T, cursors: Cursors, *place: str | int | None) -> Edge[T]:
    """A record at a place in the order of its list."""
    return Edge(node=node, write_cursor=partial(cursors.write, *place))


def page_of(
    edges: list[Edge[T]], after: str | None, *, has_next_page: bool, end: Callable[[], str] | None = None
) -> Connection[T]:
    """A connection of these edges; `end` writes where to read on, if that is not after the last of them."""
    info = PageInfo(
        has_next_page=has_next_page,
        has_previous_page=after is not None,
        write_start=edges[0].write_cursor if edges else _nowhere,
        write_end=end or (edges[-1].write_cursor if edges else lambda: after),
    )
    return Connection(edges=edges, nodes=[edge.node for edge in edges], page_info=info)


def empty(after: str | None = None) -> Connection[T]:
    """A connection with nothing in it."""
    return page_of([], after, has_next_page=False)


def _nowhere() -> None:
    return None


def _foreign() -> BadUserInput:
    return BadUserInput(
        "after is not a cursor of this list. Give the endCursor of one of its own pages, with the same arguments."
    )
