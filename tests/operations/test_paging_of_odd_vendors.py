"""Connections over pages as a vendor may cut them, but no sandbox does."""

from collections.abc import Awaitable, Callable, Sequence

from pydantic import SecretStr

from app.paging import Cursors, Page, connection
from app.security.signing import Signer
from tests.canaries.keys import canary

CURSORS = Cursors(Signer(SecretStr(canary("secret"))), "TEST/numbers")
Fetch = Callable[[str | None, int], Awaitable[Page[int]]]


async def test_pages_smaller_than_asked_for_are_joined() -> None:
    """The caller gets as many as were asked for, and reads on in the middle of the vendor's page."""
    fetch = _numbers([[0, 1], [2], [], [3, 4, 5], [6]])
    first = await connection(fetch, CURSORS, 4, None)
    assert (first.nodes, first.page_info.has_next_page) == ([0, 1, 2, 3], True)
    second = await connection(fetch, CURSORS, 4, first.page_info.write_end())
    assert (second.nodes, second.page_info.has_next_page) == ([4, 5, 6], False)


async def test_a_last_page_that_is_empty_ends_the_list() -> None:
    """The vendor promised more, and there was none: the cursor stays where it was."""
    fetch = _numbers([[0, 1], []])
    first = await connection(fetch, CURSORS, 2, None)
    assert (first.nodes, first.page_info.has_next_page) == ([0, 1], True)
    second = await connection(fetch, CURSORS, 2, first.page_info.write_end())
    assert (second.nodes, second.page_info.has_next_page) == ([], False)
    assert second.page_info.write_end() == first.page_info.write_end()


async def test_empty_pages_without_end_are_not_read_without_end() -> None:
    """After ten, what there is is answered, with a cursor that reads on behind them."""
    fetch = _numbers([[]] * 12 + [[7]])
    first = await connection(fetch, CURSORS, 1, None)
    assert (first.nodes, first.page_info.has_next_page) == ([], True)
    second = await connection(fetch, CURSORS, 1, first.page_info.write_end())
    assert (second.nodes, second.page_info.has_next_page) == ([7], False)


async def test_a_page_is_asked_for_in_the_size_that_is_wanted_now() -> None:
    """A cursor at the end of a page doesn't bind the next one to the last one's size."""
    sizes: list[int] = []

    async def fetch(token: str | None, size: int) -> Page[int]:
        sizes.append(size)
        start = int(token or 0)
        return Page(range(start, start + size), str(start + size))

    first = await connection(fetch, CURSORS, 2, None)
    second = await connection(fetch, CURSORS, 5, first.page_info.write_end())
    assert second.nodes == [2, 3, 4, 5, 6]
    assert sizes == [2, 5]


def _numbers(pages: Sequence[Sequence[int]]) -> Fetch:
    """A vendor with these pages, whatever size is asked for."""

    async def fetch(token: str | None, _: int) -> Page[int]:
        number = int(token or 0)
        return Page(pages[number], str(number + 1) if number + 1 < len(pages) else None)

    return fetch


async def test_a_page_that_is_answered_again_is_kept_for_the_same_question_alone() -> None:
    """Another size, another place or another question makes another connection of it."""
    page = Page([0, 1, 2], None)

    async def fetch(*_: object) -> Page[int]:
        return page

    once = await connection(fetch, CURSORS, 4, None)
    assert not once.is_kept
    again = await connection(fetch, Cursors(Signer(SecretStr("s" * 16)), "TEST/numbers"), 4, None)
    assert (again is once, again.is_kept) == (True, True)
    first = once.make_edges()[0].cursor()
    others = [
        await connection(fetch, CURSORS, 2, None),
        await connection(fetch, CURSORS, 4, first),
        await connection(fetch, Cursors(Signer(SecretStr("s" * 16)), "LIVE/numbers"), 4, None),
    ]
    assert [(each.nodes, each.is_kept) for each in others] == [([0, 1], False), ([1, 2], False), ([0, 1, 2], False)]
