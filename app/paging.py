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
    made: tuple[object, Connection[T]] | None = field(default=None, repr=False, compare=False)
    """A question, and the connection that answers it with nothing but this page."""


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
    token, size, skip = (None, first, 0) if after is None else cursors.read(after)
    if skip == 0:
        size = first
    stretches: list[_Stretch] = []
    missing = first
    for _ in range(_MOST_PAGES):
        page = await fetch(token, size)
        question = cursors.question, token, size, skip, first, after
        is_alone = not stretches
        if is_alone and page.made is not None and page.made[0] == question:
            made = page.made[1]
            made.is_kept = True  # what is asked for again is worth keeping
            return made
        items = page.items[skip : skip + missing]
        stretch = _Stretch(items, Position(token, size, skip), len(page.items), page.next_token)
        if items:
            stretches.append(stretch)
        if page.next_token is None or len(items) == missing:
            has_next_page = stretch.is_cut or page.next_token is not None
            made = _Read(stretches, cursors, after).connection(has_next_page=has_next_page)
            if is_alone:
                page.made = question, made
            return made
        missing -= len(items)
        token, size, skip = page.next_token, first, 0
    end = partial(cursors.write, token, size, skip)
    return _Read(stretches, cursors, after).connection(has_next_page=True, end=end)


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

    def __init__(self, stretches: Sequence[_Stretch], cursors: Cursors, after: str | None) -> None:
        self._stretches = stretches
        self._cursors = cursors
        self._after = after

    def connection(self, *, has_next_page: bool, end: Callable[[], str] | None = None) -> Connection[T]:
        info = PageInfo(
            has_next_page=has_next_page,
            has_previous_page=self._after is not None,
            write_start=self._start,
            write_end=end or self._end,
        )
        nodes: list[T] = [each for stretch in self._stretches for each in stretch.items]
        return Connection(nodes=nodes, page_info=info, make_edges=self._edges)

    def _edges(self) -> list[Edge[T]]:
        return [
            edge(each, self._cursors, *stretch.place(number))
            for stretch in self._stretches
            for number, each in enumerate(stretch.items, 1)
        ]

    def _start(self) -> str | None:
        return self._cursors.write(*self._stretches[0].place(1)) if self._stretches else None

    def _end(self) -> str | None:
        if not self._stretches:
            return self._after
        last = self._stretches[-1]
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
        "after is not a cursor of this list. Give the endCursor of one of its own pages, with the same arguments; "
        "if it is one, the list has changed: read it from the start."
    )
