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
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, NamedTuple, TypeVar

from app.security.signing import Signer
from schema.errors import BadUserInput
from schema.types.connection import Connection, Edge, PageInfo

_PURPOSE = "cursor"
_MAC_BYTES = 12
_MOST_PAGES = 10
T = TypeVar("T")


@dataclass
class Page(Generic[T]):
    """One page as the vendor cut it; `next_token` is None on the last. Nobody changes it."""

    items: Sequence[T]
    next_token: str | None
    _made: tuple[object, Connection[T]] | None = field(default=None, repr=False, compare=False)

    def made_before(self, question: object) -> Connection[T] | None:
        """The connection that was made of this page alone in answer to the same question: it is worth keeping then."""
        if self._made is None or self._made[0] != question:
            return None
        found = self._made[1]
        found.is_kept = True
        return found

    def note_made(self, question: object, made: Connection[T]) -> Connection[T]:
        self._made = question, made
        return made


class Position(NamedTuple):
    """After `skip` records of the page that `token` (None: the first) fetches with this `size`."""

    token: str | None
    size: int
    skip: int


class Cursors:
    """The cursors of one question: what is listed, with which filters, in which environment."""

    def __init__(self, signer: Signer, *question: object) -> None:
        self.question = question
        self._signer = signer

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
        return self._signer.sign(_PURPOSE, "/".join(map(str, self.question)), body)[:_MAC_BYTES]


async def connection(
    fetch: Callable[[str | None, int], Awaitable[Page[T]]], cursors: Cursors, first: int, after: str | None
) -> Connection[T]:
    """`first` records after the cursor; `fetch(token, size)` gets one of the vendor's pages of at most `size`.

    A vendor whose pages are nearly empty brings fewer: reading stops after ten of them, and goes on from the end cursor.
    """
    position = Position(*cursors.read(after)) if after is not None else Position(None, first, 0)
    if position.skip == 0:
        position = Position(position.token, first, 0)
    read: _Read[T] = _Read(cursors, after)
    for _ in range(_MOST_PAGES):
        page = await fetch(position.token, position.size)
        question = None if read.stretches else (cursors.question, position, first, after)
        if question is not None and (made := page.made_before(question)) is not None:
            return made
        missing = first - len(read.nodes)
        stretch = _Stretch(
            page.items[position.skip : position.skip + missing], position, len(page.items), page.next_token
        )
        read.take(stretch)
        if page.next_token is None or len(stretch.items) == missing:
            made = read.connection(has_next_page=stretch.is_cut or page.next_token is not None)
            return made if question is None else page.note_made(question, made)
        position = Position(page.next_token, first, 0)
    return read.connection(has_next_page=True, end=partial(cursors.write, *position))


class _Stretch(NamedTuple):
    """Records of one page that stand after a position."""

    items: Sequence[Any]
    after: Position
    of: int
    """How many records that page has."""
    next_token: str | None

    @property
    def is_cut(self) -> bool:
        """Whether more records of that page follow."""
        return self.after.skip + len(self.items) < self.of

    def place(self, number: int) -> Position:
        """Where the reading goes on after so many of these: on the next page, if this one ends there."""
        index = self.after.skip + number
        if index == self.of and self.next_token is not None:
            return Position(self.next_token, self.after.size, 0)
        return Position(self.after.token, self.after.size, index)


class _Read(Generic[T]):
    """What was read of a list, in the pages as the vendor cut it."""

    def __init__(self, cursors: Cursors, after: str | None) -> None:
        self.nodes: list[T] = []
        self.stretches: list[_Stretch] = []
        self._cursors = cursors
        self._after = after

    def take(self, stretch: _Stretch) -> None:
        if stretch.items:
            self.nodes += stretch.items
            self.stretches.append(stretch)

    def connection(self, *, has_next_page: bool, end: Callable[[], str] | None = None) -> Connection[T]:
        info = PageInfo(
            has_next_page=has_next_page,
            has_previous_page=self._after is not None,
            write_start=self._start,
            write_end=end or self._end,
        )
        return Connection(nodes=self.nodes, page_info=info, make_edges=self._edges)

    def _edges(self) -> list[Edge[T]]:
        return [
            edge(each, self._cursors, *stretch.place(number))
            for stretch in self.stretches
            for number, each in enumerate(stretch.items, 1)
        ]

    def _start(self) -> str | None:
        return self._cursors.write(*self.stretches[0].place(1)) if self.stretches else None

    def _end(self) -> str | None:
        if not self.stretches:
            return self._after
        last = self.stretches[-1]
        return self._cursors.write(*last.place(len(last.items)))


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
