"""What `first` and `after` take, and that what they don't take costs no call."""

from typing import Any

import pytest

from app.sandbox.world import build_world
from tests.gateway import Answer, Gateway

FIRST, SECOND = build_world().companies[:2]
CLIENT = build_world().humans[0].uuid("artu/client")
CONTACTS = "contacts(first: $first, after: $after)"
METHODS = "contactMethods(first: $first, after: $after)"
CLIENTS_METHODS = f'contactMethods(filter: {{ clientId: "{CLIENT}" }}, first: $first, after: $after)'
ACTIVITIES = f'activities(of: {{ accountId: "{FIRST.account_id}" }}, first: $first, after: $after)'
LATER_ACTIVITIES = ACTIVITIES.replace("},", '}, from: "2026-01-06T00:00:00Z",')
OTHER_ACTIVITIES = ACTIVITIES.replace(FIRST.account_id, SECOND.account_id)
LISTS = [CONTACTS, METHODS, CLIENTS_METHODS, ACTIVITIES, LATER_ACTIVITIES, OTHER_ACTIVITIES]
SIZE = "first must be 1 to 100; to read more, give the endCursor of a page as after."
CURSOR = (
    "after is not a cursor of this list. Give the endCursor of one of its own pages, with the same arguments; "
    "if it is one, the list has changed: read it from the start."
)


@pytest.mark.parametrize("listing", [CONTACTS, METHODS, ACTIVITIES], ids=lambda listing: listing.partition("(")[0])
async def test_a_first_outside_1_to_100_is_refused(demo: Gateway, listing: str) -> None:
    """Null in place of the list, one error with a code, no call."""
    for first in (0, 101, -1, -(2**31), 2**31 - 1):
        answer = await _ask(demo, listing, first=first)
        assert _shown(answer) == [(SIZE, {"code": "BAD_USER_INPUT"})]
        assert answer.data == {listing.partition("(")[0]: None}
        assert demo.calls() == []


@pytest.mark.parametrize("listing", [CONTACTS, METHODS, ACTIVITIES], ids=lambda listing: listing.partition("(")[0])
async def test_first_null_is_twenty_and_a_hundred_is_taken(demo: Gateway, listing: str) -> None:
    """As the schema's default says, and up to the bound."""
    for first, size in ((None, 20), (100, 100), (1, 1)):
        answer = await _ask(demo, listing, first=first)
        assert answer.errors == []
        sent = demo.upstream[0]
        assert str(size) == (str(sent.body["limit"]) if sent.body else sent.path.partition("limit=")[2])


async def test_a_cursor_serves_only_the_list_that_it_came_from(demo: Gateway) -> None:
    """Not another list, not another filter, not another scope or window of the same one."""
    cursors = {}
    for listing in LISTS:
        answer = await _ask(demo, listing, first=1)
        [page] = answer.data.values()
        cursors[listing] = page["pageInfo"]["endCursor"]
    for listing in LISTS:
        for origin in LISTS:
            answer = await _ask(demo, listing, after=cursors[origin])
            if listing == origin:
                assert answer.errors == []
            else:
                assert _shown(answer) == [(CURSOR, {"code": "BAD_USER_INPUT"})]
                assert demo.calls() == []


async def test_a_cursor_that_was_made_up_is_refused(demo: Gateway) -> None:
    """Garbage of every kind, and a genuine one with one character changed."""
    genuine = (await _ask(demo, CONTACTS, first=1)).data["contacts"]["pageInfo"]["endCursor"]
    changed = genuine[:-2] + ("A" if genuine[-2] != "A" else "B") + genuine[-1]
    for after in ("", "x", "garbage", "é", "🦊", "====", "a" * 10_000, "W251bGwsMSwxXQ", changed, genuine[:20]):
        answer = await _ask(demo, CONTACTS, after=after)
        assert _shown(answer) == [(CURSOR, {"code": "BAD_USER_INPUT"})]
        assert answer.data == {"contacts": None}
        assert demo.calls() == []


async def _ask(gateway: Gateway, listing: str, **variables: Any) -> Answer:
    query = f"query($first: Int, $after: String) {{ {listing} {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}"
    return await gateway.ask(query, variables)


def _shown(answer: Answer) -> list[tuple[str, Any]]:
    return [(error["message"], error["extensions"]) for error in answer.errors]
