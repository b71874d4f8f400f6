"""A page that is kept is written once for each question, and answered as it always was."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import strawberry
from orjson import Fragment

from app.answers import encode
from app.execution.execution import Execution
from app.execution.run import run
from app.limits import Limits
from schema.build import Schema
from schema.types.connection import Connection, Edge, PageInfo


@strawberry.type
class Leaf:
    name: str
    ratio: float | None = None

    @strawberry.field
    def resolved(self) -> str:
        return self.name.upper()


def _page(*leaves: Leaf, is_kept: bool) -> Connection[Leaf]:
    info = PageInfo(has_next_page=False, has_previous_page=False, write_start=str, write_end=str)
    edges = [Edge(node=leaf, write_cursor=str) for leaf in leaves]
    return Connection(make_edges=lambda: edges, nodes=list(leaves), page_info=info, is_kept=is_kept)


@strawberry.type
class Query:
    @strawberry.field
    def leaves(self, info: strawberry.Info[Any, None]) -> Connection[Leaf] | None:
        page: Connection[Leaf] | None = info.context
        return page


@pytest.fixture
def execution() -> Execution:
    return Execution(Schema(query=Query), Limits())


async def _data(execution: Execution, text: str, page: Connection[Leaf] | None) -> dict[str, Any]:
    answer = await execution.run(execution.prepare(text, None), {}, page)  # type: ignore[arg-type]  # of another schema
    assert answer.errors is None
    return answer.data or {}


NAMES = "{ leaves { nodes { name ratio } pageInfo { hasNextPage endCursor } } }"


@pytest.mark.parametrize(
    "page", [None, _page(is_kept=True), _page(Leaf(name="é"), Leaf(name="b", ratio=0.5), is_kept=True)]
)
async def test_a_kept_page_is_answered_as_ever(execution: Execution, page: Connection[Leaf] | None) -> None:
    """The first time, and when it has been written."""
    core = await run(Schema(query=Query), execution.prepare(NAMES, None), {}, page)  # type: ignore[arg-type]  # of another schema
    for _ in range(2):
        assert encode({"data": await _data(execution, NAMES, page)}) == encode({"data": core.data})


async def test_a_kept_page_is_written_once_for_each_question(execution: Execution) -> None:
    """Another page, also one that is equal, is written by itself."""
    page, other = _page(Leaf(name="a"), is_kept=True), _page(Leaf(name="a"), is_kept=True)
    [first, again, elsewhere] = [
        (await _data(execution, NAMES, each))["leaves"]["nodes"] for each in (page, page, other)
    ]
    assert first is again is not elsewhere
    asked = (await _data(execution, "{ leaves { nodes { name } pageInfo { endCursor } } }", page))["leaves"]
    assert (json.loads(encode(asked["nodes"])), asked["pageInfo"]) == ([{"name": "a"}], {"endCursor": ""})


async def test_what_is_not_kept_is_read_each_time(execution: Execution) -> None:
    """It may have changed; and so is what is resolved."""
    page = _page(Leaf(name="a"), is_kept=False)
    assert await _data(execution, NAMES, page) == await _data(execution, NAMES, page)
    page.nodes[0].name = "b"
    assert (await _data(execution, NAMES, page))["leaves"]["nodes"] == [{"name": "b", "ratio": None}]
    resolved = await _data(execution, "{ leaves { nodes { resolved } } }", replace(page, is_kept=True))
    assert resolved == {"leaves": {"nodes": [{"resolved": "B"}]}}


async def test_what_the_fast_writer_cannot_write_is_left_to_the_careful_one(execution: Execution) -> None:
    """A page with half of a surrogate pair is answered all the same."""
    page = _page(Leaf(name="\ud800"), is_kept=True)
    for _ in range(2):
        body = encode({"data": await _data(execution, "{ leaves { nodes { name } } }", page)})
        assert json.loads(body) == {"data": {"leaves": {"nodes": [{"name": "\ud800"}]}}}


def test_the_careful_writer_takes_what_is_written() -> None:
    """Beside a value that only it can write."""
    body = {"data": {"a": Fragment(b'{"b":[1]}'), "c": 2**70, "d": float("inf")}}
    assert json.loads(encode(body)) == {"data": {"a": {"b": [1]}, "c": 2**70, "d": None}}
