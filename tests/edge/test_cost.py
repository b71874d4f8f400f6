"""The cost of an operation: a field 1, a call to a vendor 10, and what lies below a list as often as it has records."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import GraphQLObjectType
from strawberry.types.field import StrawberryField

from app.execution.document import read_operation
from app.limits import Limits
from app.security.keys import SANDBOX_KEY
from schema.build import build_schema
from schema.costs import VENDOR_CALLS
from tests.gateway import Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

ENVIRON = {"SWITCHBOARD_MAX_COST": "500"}
SCHEMA = build_schema()

COSTS: list[tuple[str, dict[str, Any], int]] = [
    ("{ viewer { name } }", {}, 2),
    ("{ viewer { name keyId } a: viewer { name } }", {}, 5),
    ("{ __typename }", {}, 1),
    ("{ __schema { types { name } } }", {}, 1),
    ("{ contacts(first: 5) { nodes { id } } }", {}, 11 + 1 + 5),
    ("{ contacts(first: 5) { edges { cursor node { id } } } }", {}, 11 + 1 + 5 * 3),
    ("{ contacts(first: 5) { pageInfo { hasNextPage } } }", {}, 11 + 2),
    ("{ contacts { nodes { id } } }", {}, 11 + 1 + 20),
    ("{ contacts(first: null) { nodes { id } } }", {}, 11 + 1 + 20),
    ("{ contacts(first: 1000000) { nodes { id } } }", {}, 11 + 1 + 100),
    ("{ contacts(first: -3) { nodes { id } } }", {}, 11 + 1 + 1),
    ("query ($n: Int) { contacts(first: $n) { nodes { id } } }", {"n": 7}, 11 + 1 + 7),
    ("query ($n: Int) { contacts(first: $n) { nodes { id } } }", {}, 11 + 1 + 20),
    ("query ($n: Int) { contacts(first: $n) { nodes { id } } }", {"n": None}, 11 + 1 + 20),
    ("query ($n: Int = 3) { contacts(first: $n) { nodes { id } } }", {}, 11 + 1 + 3),
    ("query ($n: Int = 3) { contacts(first: $n) { nodes { id } } }", {"n": None}, 11 + 1 + 20),
    ("query ($n: Int) { contacts(first: $n) { nodes { id } } }", {"n": 7.0}, 11 + 1 + 7),
    ("query ($n: Int) { contacts(first: $n) { nodes { id } } }", {"n": 1e300}, 11 + 1 + 100),
    ("query ($n: Int) { contacts(first: $n) { nodes { id } } }", {"n": 10**12}, 11 + 1 + 100),
    ("query ($n: Int) { contacts(first: $n) { nodes { id } } }", {"n": "many"}, 11 + 1 + 1),
    ("query ($n: Int) { contacts(first: $n) { ...F } } fragment F on ContactConnection { nodes { id } }", {"n": 4}, 16),
    ("query ($n: Int) { contacts(first: $n) { ... on ContactConnection { ... { nodes { id } } } } }", {"n": 4}, 16),
    (
        "query ($n: Int, $m: Int) { contacts(first: $n) { nodes { id contactMethods(first: $m) { nodes { value } } } } }",
        {"n": 4, "m": 6},
        11 + 1 + 4 * (1 + 21 + 1 + 6),
    ),
    ("{ nodes(ids: [1, 2, 3]) { id } }", {}, 3 * 11 + 3),
    ("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["a"] * 50}, 50 * 11 + 50),
    ("query ($ids: [ID!]! = [1, 2]) { nodes(ids: $ids) { id } }", {}, 2 * 11 + 2),
    ("query ($id: ID!) { nodes(ids: [$id, $id]) { id } }", {"id": "a"}, 2 * 11 + 2),
    ("{ nodes(ids: 5) { id } }", {}, 11 + 1),
    ("{ person(id: 1) { contacts { id } } }", {}, 1 + 11 + 10),
    ("{ person(id: 1) { id ... @skip(if: true) { displayName } } }", {}, 3),
    ('mutation { logActivity(input: {subject: "x"}) { errors { code } } }', {}, 11 + 1 + 10),
]


@pytest.mark.parametrize(("document", "variables", "cost"), COSTS)
async def test_a_cost_is_known_before_anything_runs(document: str, variables: dict[str, Any], cost: int) -> None:
    """From the document and its variables, as much as is answered at most."""
    assert read_operation(SCHEMA, document, None, Limits()).cost.of(variables) == cost


async def test_the_cost_is_answered_to_who_asks_for_it(served: Gateway) -> None:
    """By the header X-Cost."""
    for header, extensions in (("true", {"cost": 2}), ("false", None), (None, None)):
        headers = {"authorization": f"Bearer {SANDBOX_KEY}"} | ({} if header is None else {"x-cost": header})
        response = await served.http.post("/graphql", json={"query": "{ viewer { name } }"}, headers=headers)
        assert response.json().get("extensions") == extensions


async def test_what_costs_too_much_is_refused_with_a_way_out(served: Gateway) -> None:
    """Whether the document says so or a variable; nothing is asked upstream."""
    document = "query ($n: Int!) { contacts(first: $n) { nodes { profile { displayName } } } }"
    assert (await served.ask(document, {"n": 10})).errors == []
    answer = await served.ask(document, {"n": 20})
    assert answer.errors == [
        {
            "message": "The operation costs 652, at most 500 is taken: ask for smaller pages (first), or split the request.",
            "locations": [],
            "extensions": {"code": "QUERY_TOO_COMPLEX", "limit": "cost", "value": 652, "max": 500},
        }
    ]
    assert (answer.data, served.upstream) == (None, [])


async def test_every_field_that_waits_for_something_tells_what_it_costs() -> None:
    """A resolver without a price would be free, however many vendors it asks; one that does not wait asks nobody."""
    untold = [
        f"{core.name}.{name}"
        for core in SCHEMA.core.type_map.values()
        if isinstance(core, GraphQLObjectType) and not core.name.startswith("__")
        for name, field in core.fields.items()
        if _resolves(field.extensions.get("strawberry-definition"))
        and VENDOR_CALLS not in field.extensions["strawberry-definition"].metadata
    ]
    assert untold == []


def _resolves(field: object) -> bool:
    return isinstance(field, StrawberryField) and field.base_resolver is not None and field.base_resolver.is_async
