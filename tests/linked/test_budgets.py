"""How many upstream calls linked reads cost: counted where they arrive, at the sandboxes' sockets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from app.sandbox.world import build_world
from tests.gateway import Answer, Gateway, UpstreamCall, gateway, recorded_sandboxes

ADA = build_world().humans[0]
TWENTY = """{ contacts(first: 20) { nodes {
    displayName contactMethods { nodes { value } } activities { nodes { subject } }
} } }"""
ONE = """query($id: ID!) { contact(by: { id: $id }) {
    displayName contactMethods { nodes { value } } activities { nodes { subject } }
} }"""
LIST, CONTACT, METHODS = "BIRD GET contacts?limit=20", f"BIRD GET {ADA.uuid('bird/contact')}", "ARTU POST list"
WHO, ACTIVITIES = "REEVO POST contact/_query", "REEVO POST activity/_query"


class Open(Protocol):
    def __call__(self, **environ: str) -> AbstractAsyncContextManager[Gateway]: ...


@pytest.fixture
async def demo_with(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens a gateway with more settings over the demo world."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=True) as environ:

        @asynccontextmanager
        async def open_(**more: str) -> AsyncIterator[Gateway]:
            async with gateway({**environ, **more}, tmp_path / "switchboard.db", upstream) as served:
                yield served

        yield open_


async def test_twenty_contacts_with_their_links_cost_sixty_two_calls_cold_and_forty_one_warm(demo: Gateway) -> None:
    """One list, a client each, its methods each, all contacts at Reevo at once, activities each; then without look-ups."""
    cold = await demo.ask(TWENTY)
    assert (cold.errors, _tally(demo)) == ([], {LIST: 1, METHODS: 20 + 20, WHO: 1, ACTIVITIES: 20})
    for _ in range(2):
        warm = await demo.ask(TWENTY)
        assert (warm.errors, _tally(demo)) == ([], {LIST: 1, METHODS: 20, ACTIVITIES: 20})
        assert warm.data == cold.data
    assert len(cold.data["contacts"]["nodes"]) == 20


async def test_with_artus_operator_in_they_cost_twenty_two_calls_warm(demo_with: Open) -> None:
    """The contact methods of all clients are one call, whatever it takes memory to find each; the answer is the same."""
    async with demo_with() as plain:
        expected = await plain.ask(TWENTY)
    async with demo_with(SWITCHBOARD_ARTU_ASSUMED="on") as served:
        for _ in range(3):
            answer = await served.ask(TWENTY)
            assert _tally(served) == {LIST: 1, METHODS: 1, ACTIVITIES: 20}
            assert _sorted(answer) == _sorted(expected)


async def test_with_artus_operator_in_they_cost_forty_three_calls_cold(demo_with: Open) -> None:
    """A client each is still looked for by its address."""
    async with demo_with(SWITCHBOARD_ARTU_ASSUMED="on") as served:
        assert (await served.ask(TWENTY)).errors == []
        assert _tally(served) == {LIST: 1, METHODS: 20 + 1, WHO: 1, ACTIVITIES: 20}


async def test_the_same_record_in_three_places_is_one_call(demo: Gateway) -> None:
    """By its ID, as a node and under an alias."""
    own_id = ADA.uuid("bird/contact")
    contact = (await demo.run("contact_linked", {"id": own_id}))["contact"]
    query = """query($id: ID!, $ids: [ID!]!) {
        a: contact(by: { id: $id }) { displayName } b: contact(by: { id: $id }) { displayName }
        node(id: $id) { id } nodes(ids: $ids) { id }
    }"""
    answer = await demo.ask(query, {"id": contact["id"], "ids": [contact["id"], contact["id"]]})
    same = {"id": contact["id"]}
    assert answer.data == {
        "a": {"displayName": ADA.name},
        "b": {"displayName": ADA.name},
        "node": same,
        "nodes": [same, same],
    }
    assert _tally(demo) == {CONTACT: 1}


async def test_aliases_and_fragments_add_no_calls(demo: Gateway) -> None:
    """The same fields twice over, by two names and through a fragment."""
    query = """query($id: ID!) {
        contact(by: { id: $id }) { ...Links again: activities { nodes { id } } more: contactMethods { nodes { id } } }
        other: contact(by: { id: $id }) { ...Links }
    }
    fragment Links on Contact { activities { nodes { id } } contactMethods { nodes { id } } }"""
    answer = await demo.ask(query, {"id": ADA.uuid("bird/contact")})
    assert answer.errors == []
    first, other = answer.data["contact"], answer.data["other"]
    assert (first.pop("again"), first.pop("more")) == (first["activities"], first["contactMethods"])
    assert first == other
    assert _tally(demo) == {CONTACT: 1, METHODS: 2, WHO: 1, ACTIVITIES: 1}


async def test_fifty_identical_queries_at_once_are_one_call_for_each_distinct_read(demo: Gateway) -> None:
    """Cold and warm; all fifty answers are equal."""
    for expected in ({CONTACT: 1, METHODS: 2, WHO: 1, ACTIVITIES: 1}, {CONTACT: 1, METHODS: 1, ACTIVITIES: 1}):
        demo.upstream.clear()
        answers = await asyncio.gather(*(_ask(demo, ONE, {"id": ADA.uuid("bird/contact")}) for _ in range(50)))
        assert answers == [answers[0]] * 50
        assert answers[0]["data"]["contact"]["displayName"] == ADA.name
        assert _tally(demo) == expected


async def test_a_query_without_linked_fields_makes_no_link_call(demo: Gateway) -> None:
    """Nor does a profile of which only its name on paper is asked."""
    await demo.ask("{ contacts(first: 20) { nodes { displayName emailAddresses profile { __typename } } } }")
    assert _tally(demo) == {LIST: 1}


async def test_without_a_memory_for_look_ups_the_next_request_asks_again(demo_with: Open) -> None:
    """SWITCHBOARD_LINKS_MAX_AGE=0: the vendors are looked up as if nobody had ever been found."""
    async with demo_with(SWITCHBOARD_LINKS_MAX_AGE="0") as served:
        for _ in range(2):
            assert (await served.ask(ONE, {"id": ADA.uuid("bird/contact")})).errors == []
            assert _tally(served) == {CONTACT: 1, METHODS: 2, WHO: 1, ACTIVITIES: 1}


def _tally(gateway: Gateway) -> dict[str, int]:
    """How often each call was made, by its vendor, method and the end of its path."""
    return dict(Counter(_short(call) for call in gateway.upstream))


def _short(call: UpstreamCall) -> str:
    steps = call.path.split("/")
    return f"{call.vendor} {call.method} {'/'.join(steps[-2 if call.vendor == 'REEVO' else -1 :])}"


def _sorted(answer: Answer) -> object:
    """What was answered, without Artu's order of contact methods."""
    assert answer.errors == []
    return [
        {**node, "contactMethods": sorted(each["value"] for each in node["contactMethods"]["nodes"])}
        for node in answer.data["contacts"]["nodes"]
    ]


async def _ask(gateway: Gateway, query: str, variables: dict[str, str]) -> dict[str, dict[str, dict[str, object]]]:
    """Without emptying the record of calls, for others are asking at the same time."""
    headers = {"authorization": "Bearer sk_test_sandbox"}
    response = await gateway.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    body: dict[str, dict[str, dict[str, object]]] = response.json()
    return body
