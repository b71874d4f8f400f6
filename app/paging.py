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
from functools import cached_property, partial
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


class Cursors:
    """The cursors of one question: what is listed, with which filters, in which environment."""

    def __init__(self, signer: Signer, *question: object) -> None:
        self._signer = signer
        self._parts = question

    @cached_property
    def _question(self) -> str:
        return "/".join(map(str, self._parts))

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
        return self._signer.sign(_PURPOSE, self._question, body)[:_MAC_BYTES]


async def connection(
    fetch: Callable[[str | None, int], Awaitable[Page[T]]], cursors: Cursors, first: int, after: str | None
) -> Connection[T]:
    """`first` records after the cursor; `fetch(token, size)` gets one of the vendor's pages of at most `size`.

    A vendor whose pages are nearly empty brings fewer: reading stops after ten of them, and goes on from the end cursor.
    """
    position = Position(*cursors.read(after)) if after is not None else Position(None, first, 0)
    if position.skip == 0:
        position = Position(position.token, first, 0)
    read: _Read[T] = _Read(cursors, after, [], [])
    for _ in range(_MOST_PAGES):
        page = await fetch(position.token, position.size)
        if read.take(page, position, first):
            return read.connection(has_next_page=True)
        if page.next_token is None or len(read.nodes) == first:
            return read.connection(has_next_page=page.next_token is not None)
        position = Position(page.next_token, first, 0)
    return read.connection(has_next_page=True, end=partial(cursors.write, *position))


class _Stretch(NamedTuple):
    """The records of one page, from `position` up to the one at `end`."""

    page: Page[Any]
    position: Position
    end: int

    def write(self, cursors: Cursors, index: int) -> str:
        return cursors.write(*_after(self.position, self.page, index))


@dataclass
class _Read(Generic[T]):
    """What was read of a list, in the pages as the vendor cut it."""

    cursors: Cursors
    after: str | None
    stretches: list[_Stretch]
    nodes: list[T]

    def take(self, page: Page[T], position: Position, first: int) -> bool:
        """Takes what is wanted of a page; whether more is left on it."""
        taken = page.items[position.skip : position.skip + first - len(self.nodes)]
        end = position.skip + len(taken)
        if taken:
            self.nodes += taken
            self.stretches.append(_Stretch(page, position, end))
        return end < len(page.items)

    def connection(self, *, has_next_page: bool, end: Callable[[], str] | None = None) -> Connection[T]:
        info = PageInfo(
            has_next_page=has_next_page,
            has_previous_page=self.after is not None,
            write_start=self._start,
            write_end=end or self._end,
        )
        return Connection(nodes=self.nodes, page_info=info, make_edges=self._edges)

    def _edges(self) -> list[Edge[T]]:
        return [
            Edge(node=stretch.page.items[index], write_cursor=partial(stretch.write, self.cursors, index + 1))
            for stretch in self.stretches
            for index in range(stretch.position.skip, stretch.end)
        ]

    def _start(self) -> str | None:
        stretch = next(iter(self.stretches), None)
        return stretch and stretch.write(self.cursors, stretch.position.skip + 1)

    def _end(self) -> str | None:
        return self.stretches[-1].write(self.cursors, self.stretches[-1].end) if self.stretches else self.after


def _after(position: Position, page: Page[T], index: int) -> Position:
    """Where the reading goes on after the record at `index`: on the next page, if this one ends there."""
    if index == len(page.items) and page.next_token is not None:
        return Position(page.next_token, position.size, 0)
    return Position(position.token, position.size, index)


def edge(node: T, cursors: Cursors, *place: str | int | None) -> Edge[T]:
    """A record at a place in the order of its list."""
    return Edge(node=node, write_cursor=partial(cursors.write, *place))


def page_of(edges: list[Edge[T]], after: str | None, *, has_next_page: bool) -> Connection[T]:
    """A connection of these edges."""
    info = PageInfo(
        has_next_page=has_next_page,
        has_previous_page=after is not None,
        write_start=edges[0].write_cursor if edges else _nowhere,
        write_end=edges[-1].write_cursor if edges else lambda: after,
    )
    return Connection(nodes=[edge.node for edge in edges], page_info=info, make_edges=lambda: edges)


def empty(after: str | None = None) -> Connection[T]:
    """A connection with nothing in it."""
    return page_of([], after, has_next_page=False)


def _nowhere() -> None:
    return None


def _foreign() -> BadUserInput:
    return BadUserInput(
        "after is not a cursor of this list. Give the endCursor of one of its own pages, with the same arguments."
    )
