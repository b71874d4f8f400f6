"""Walking a list page by page, as a client does: by endCursor until hasNextPage is false."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.sandbox.world import build_world
from schema.ids import Kind, encode
from tests.gateway import Gateway

WORLD = build_world()
ACCOUNT = WORLD.companies[0].account_id
METHODS = {
    (human.number, what): human.uuid(f"artu/method/{what}")
    for human in WORLD.humans
    for what in (("email", "mobile", "home") if human.number % 3 == 0 else ("email", "mobile"))
}
ACTIVITIES = [
    human.uuid(f"reevo/activity/{kind}")
    for human in WORLD.humans
    if human.company.account_id == ACCOUNT
    for kind in ("intro", "webinar", "meeting", "voicemail")
]


async def test_all_contacts_are_read_once_in_the_vendors_order(demo: Gateway) -> None:
    """Sixty by sevens: nine pages, one call each."""
    pages = [page async for page in _walk(demo, "contacts", "contacts", 7)]
    assert [len(page) for page in pages] == [7] * 8 + [4]
    assert _ids(pages) == [encode(Kind.CONTACT, human.uuid("bird/contact")) for human in WORLD.humans]


@pytest.mark.parametrize("size", [7, 20, 100])
async def test_all_contact_methods_are_read_once(demo: Gateway, size: int) -> None:
    """One call a page, also where the last page is just full."""
    pages = [page async for page in _walk(demo, "contact_methods", "contactMethods", size)]
    assert len(_ids(pages)) == len(METHODS) == 140
    assert set(_ids(pages)) == {encode(Kind.CONTACT_METHOD, own_id) for own_id in METHODS.values()}


@pytest.mark.parametrize("size", [1, 7])
async def test_all_activities_of_an_account_are_read_once(demo: Gateway, size: int) -> None:
    """Also where the first call brings only one."""
    walk = _walk(demo, "activities_of_account", "activities", size, accountId=ACCOUNT)
    pages = [page async for page in walk]
    assert len(_ids(pages)) == len(ACTIVITIES) == 20
    assert set(_ids(pages)) == {encode(Kind.ACTIVITY, own_id) for own_id in ACTIVITIES}


async def test_contacts_that_come_while_walking_are_read_once_too(empty: Gateway) -> None:
    """Nothing is repeated and nothing left out."""
    made = [await _make(empty, n) for n in range(6)]
    seen: list[str] = []
    async for page in _walk(empty, "contacts", "contacts", 2):
        seen += _ids([page])
        if len(made) < 9:
            made.append(await _make(empty, len(made)))
    assert seen == made
    assert len(made) == 9


async def test_a_walk_that_had_ended_goes_on_from_its_last_cursor(empty: Gateway) -> None:
    """On an unfinished page, and after a page that was just full."""
    made = [await _make(empty, n) for n in range(3)]
    for end in (3, 4):
        page = (await empty.run("contacts", {"first": end}))["contacts"]
        made.append(await _make(empty, end))
        rest = (await empty.run("contacts", {"after": page["pageInfo"]["endCursor"]}))["contacts"]
        assert [each["id"] for each in rest["nodes"]] == made[end:]


async def test_every_edge_has_a_cursor_to_read_on_from(demo: Gateway) -> None:
    """Not only the last of a page, and with another page size; what is answered goes on right behind it."""
    query = """query($first: Int, $after: String) {
        contacts(first: $first, after: $after) { edges { cursor node { displayName } } }
    }"""
    names = [human.name for human in WORLD.humans]
    edges = (await demo.ask(query, {"first": 4})).data["contacts"]["edges"]
    for n, edge in enumerate(edges, 1):
        after = (await demo.ask(query, {"first": 3, "after": edge["cursor"]})).data["contacts"]["edges"]
        assert [each["node"]["displayName"] for each in after] == names[n : n + 3]


async def _walk(gateway: Gateway, name: str, field: str, first: int, **variables: Any) -> AsyncIterator[Any]:
    """The nodes of each page; every page must have cost one call."""
    after: str | None = None
    while True:
        page = (await gateway.run(name, {"first": first, "after": after, **variables}))[field]
        assert len(gateway.upstream) == 1
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        yield page["nodes"]
        if not page["pageInfo"]["hasNextPage"]:
            return
        assert page["pageInfo"]["endCursor"] != after
        after = page["pageInfo"]["endCursor"]


async def _make(gateway: Gateway, n: int) -> str:
    made = await gateway.run("create_contact", {"input": {"displayName": f"Contact {n}"}})
    return str(made["createContact"]["contact"]["id"])


def _ids(pages: list[Any]) -> list[str]:
    return [node["id"] for page in pages for node in page]
