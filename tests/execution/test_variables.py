"""Variables are coerced as graphql-core coerces them, and what is wrong with them is told in its words."""

from __future__ import annotations

from typing import Any

import pytest

from app.execution.compile import Compiler
from app.execution.execution import Execution
from app.execution.inputs import Unfit, coercer
from app.limits import Limits
from schema.build import Schema, build_schema
from tests.execution.documents import Document
from tests.execution.oracle import Comparison
from tests.execution.small import World
from tests.execution.world import World as GatewayWorld

ECHO = "query Q($filter: Filter!, $other: Filter) { echo(filter: $filter, other: $other) }"
GIVEN = [
    {"filter": {"text": "x"}},
    {"filter": {"text": "x", "inner": None, "strict": None, "ratio": 1}},
    {"filter": {"text": "x", "inner": {}, "inners": [{"number": 1}, None], "moment": "2026-01-02T03:04:05+00:00"}},
    {"filter": {"text": "x", "inners": {"colours": "RED"}, "key": 7, "plain": {"any": [1, {"thing": None}]}}},
    {"filter": {"text": "x", "inner": {"even": 2, "colours": ["VERT", "BLUE"]}}, "other": None},
    {"filter": None},
    {},
    {"filter": {}},
    {"filter": "x"},
    {"filter": [{"text": "x"}]},
    {
        "filter": {"text": 1, "nope": 2, "inner": {"even": 3, "colours": ["PINK"], "number": 2**40}},
        "other": {"text": None},
    },
    {"filter": {"text": "x", "ratio": None}},
    {"filter": {"text": "x", "inners": [[]]}},
    {"filter": {"text": "x", "moment": "yesterday", "key": 1.5, "strict": "yes", "ratio": "much"}},
    {"filter": {"text": "x"}, "unknown": 1},
]
OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("query Q($by: Either!) { either(by: $by) }", {"by": {"text": "x"}}),
    ("query Q($by: Either!) { either(by: $by) }", {"by": {"inner": {"number": 2}}}),
    ("query Q($by: Either!) { either(by: $by) }", {"by": {}}),
    ("query Q($by: Either!) { either(by: $by) }", {"by": {"text": None}}),
    ("query Q($by: Either!) { either(by: $by) }", {"by": {"text": "x", "inner": {}}}),
    ("query Q($t: String!) { either(by: {text: $t}) }", {"t": "x"}),
    ('query Q($n: Int = 3, $e: Even) { echo(filter: {text: "x", inner: {number: $n, even: $e}}) }', {}),
    ('query Q($n: Int = 3) { echo(filter: {text: "x", inner: {number: $n}}) }', {"n": None}),
    ('query Q($i: Inner) { echo(filter: {text: "x", inners: [$i, {number: 1}]}) }', {}),
    ('query Q($i: Inner) { echo(filter: {text: "x", plain: {deep: [$i]}}) }', {"i": {"number": 5}}),
    ("query Q($w: [String!]!) { echoes(words: $w) }", {"w": "one"}),
    ("query Q($w: [String!]!) { echoes(words: $w) }", {"w": [None, "a", 5]}),
    ('query Q($w: [String!] = ["d"], $f: Boolean) { echoes(words: $w, flag: $f, from: null) }', {}),
    ('query Q($w: [String!] = ["d"]) { echoes(words: $w) }', {"w": None}),
    ("query Q($c: Colour = VERT, $g: [[Int!]]) { echoes(colour: $c, grid: $g) }", {"g": [[1], None, 5]}),
    ("query Q($c: Colour!) { echoes(colour: $c) }", {"c": "PINK"}),
    ("query Q($root: Tree!) { tree(of: $root) }", {"root": {"name": "a", "branches": [{"name": "b"}]}}),
    ("query Q($root: Tree!) { tree(of: $root) }", {"root": {"name": "a", "branches": [{"nome": "b"}, 5]}}),
    ("query Q($c: Change!) { change(change: $c) }", {"c": {"text": None}}),
    ("query Q($c: Change!) { change(change: $c) }", {"c": {}}),
    ("query Q($n: Int!) { echoes(from: $n) }", {"n": True}),
    ("query Q($n: Int!) { echoes(from: $n) }", {"n": 2.0}),
    ("query Q($n: Float!) { echoes(ratio: $n) }", {"n": float("inf")}),
    ("query Q($n: Int!, $m: Int!) { a: echoes(from: $n) b: echoes(from: $m) }", {"n": "x"}),
]


@pytest.mark.parametrize(("text", "given"), [*((ECHO, each) for each in GIVEN), *OTHERS])
def test_what_resolvers_are_given_or_why_not_is_the_same(small: Schema, text: str, given: dict[str, Any]) -> None:
    """Null, left out, a default, UNSET, a single value for a list, one of: each means what it means; errors are the same."""
    comparison = Comparison(Compiler(small))
    comparison.compare(Document(text, given), World)
    assert comparison.compiled == 1


JSON_LITERALS: list[tuple[str, dict[str, Any]]] = [
    ("$v: JSON", {}),
    ("$v: JSON", {"v": {"x": [None, 1.5]}}),
    ("$v: JSON = 5", {}),
    ("$v: DateTime", {"v": "2026-01-02T03:04:05+00:00"}),
    ("$v: Vendor", {"v": "BIRD"}),
    ("$v: CreateContactInput", {"v": {"displayName": "Ada"}}),
]


@pytest.mark.parametrize(("declared", "given"), JSON_LITERALS)
def test_variables_in_a_literal_of_json_are_read_the_same(declared: str, given: dict[str, Any]) -> None:
    """Of any type, given or left out."""
    comparison = Comparison(Compiler(build_schema()))
    text = f"""mutation M({declared}) {{
      createPersonLog(input: {{emailAddress: "ada@example.com", source: "crm", payload: {{a: $v, b: [$v, [$v]]}}}}) {{
        personLog {{ payload }} errors {{ message }}
      }}
    }}"""
    comparison.compare(Document(text, given), lambda: GatewayWorld(0))
    assert comparison.compiled == 1


def test_a_type_that_holds_itself_is_left_to_graphql_core(small: Schema) -> None:
    """For its values can be nested too deeply."""
    with pytest.raises(Unfit):
        coercer(small.core.type_map["Tree"])  # type: ignore[arg-type]  # an input type


async def test_what_one_request_was_given_is_not_given_to_the_next(small: Schema) -> None:
    """Constants are shared only where nobody can change them."""
    execution, worlds = Execution(small, Limits()), [World(), World()]
    text = '{ echo(filter: {text: "x", inner: {colours: [RED]}, plain: {a: [1]}}) }'
    for world in worlds:
        await execution.run(execution.prepare(text, None), {}, world)  # type: ignore[arg-type]  # of another schema
    [[(_, first, _)], [(_, second, _)]] = [world.done for world in worlds]
    assert first == second
    assert first is not second
    assert first.inner is not second.inner
    assert first.inner.colours is not second.inner.colours
    assert first.plain is not second.plain
