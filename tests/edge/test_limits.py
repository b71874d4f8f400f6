"""Documents beyond a limit are refused before anything of them runs, in time that grows with their text alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from graphql import DocumentNode, OperationDefinitionNode, parse

from app.execution.document import read_operation
from app.execution.limits import check_document, check_source, fragment_sizes, measure
from app.execution.refused import Refused
from app.limits import Limits
from schema.build import build_schema
from tests.gateway import QUERIES, Gateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

FEW = Limits(source=400, tokens=60, fragments=3, directives=3, depth=4, aliases=3, fields=12, repeats=5, mutations=2)
SCHEMA = build_schema()


def _deep(levels: int) -> str:
    return "{" + "a{" * (levels - 1) + "b" + "}" * levels


JUST: list[tuple[str, str, str]] = [
    ("source", "#" + "x" * 384 + "\n{viewer{name}}", "#" + "x" * 385 + "\n{viewer{name}}"),
    ("source", "#" + "é" * 192 + "\n{viewer{name}}", "#" + "é" * 193 + "\n{viewer{name}}"),
    ("tokens", "{ " + "a" * 60 + '(a: "' + "b " * 60 + '")' + "b" + " }", "{" + "a " * 58 + "b}"),
    ("fragments", "{a}" + "fragment F on Query{a}" * 3, "{a}" + "fragment F on Query{a}" * 4),
    ("directives", "{" + "a@skip(if:true)" * 3 + "}", "{" + "a@skip(if:true)" * 4 + "}"),
    ("depth", _deep(4), _deep(5)),
    ("depth", "{...F}fragment F on Query{a{...G}}fragment G on A{b{c{d}}}", "{...F}fragment F on Query{a{b{...G}}}fragment G on A{b{c{d}}}"),
    ("depth", "{a{...on A{...on A{...on A{b{c{d}}}}}}}", "{a{...on A{b{...on A{c{d{e}}}}}}}"),
    ("depth", "{__schema{a{b{c{d{e{f}}}}}}}", "{__schema{a}a{b{c{d{e}}}}}"),
    ("aliases", "{a:x b:x c:x}", "{a:x b:x c:x d:x}"),
    ("aliases", "{a{...F}b{c:x}}fragment F on A{b:x c:x}", "{a{...F}b{...F}}fragment F on A{b:x c:x}"),
    ("fields", "{a{...F}b{...F}}fragment F on A{a b c d e}", "{a{...F}b{...F}}fragment F on A{a b c d e f}"),
    ("repeats", "{a a a}", "{a a a a}"),
    ("repeats", "{a{b}a{b}}", "{a{b}a{b}a{b c}}"),
    ("repeats", "{...F ...F ...F ...F}fragment F on A{a}", "{...F a a ...G}fragment F on A{a}fragment G on A{a}"),
    ("mutations", "mutation{a b}", "mutation{a b c}"),
    ("mutations", "mutation{...F}fragment F on Mutation{a b}", "mutation{...F a}fragment F on Mutation{b c}"),
]  # fmt: skip


@pytest.mark.parametrize(("limit", "within", "beyond"), JUST)
async def test_a_limit_is_what_may_be_reached_and_not_passed(limit: str, within: str, beyond: str) -> None:
    """The refusal names the limit, its number and what the document came to."""
    _judge(within, FEW)
    with pytest.raises(Refused) as raised:
        _judge(beyond, FEW)
    [error] = raised.value.errors
    extensions = dict(error.extensions or {})
    most = getattr(FEW, limit)
    assert (extensions.pop("value") > most, extensions) == (
        True,
        {"code": "QUERY_TOO_COMPLEX", "limit": limit, "max": most},
    )
    assert str(most) in error.message


async def test_every_operation_of_a_document_is_held_to_them() -> None:
    """Validation goes through all of them, whichever is meant."""
    with pytest.raises(Refused):
        _judge(f"query A {_deep(2)} query B {_deep(5)}", FEW)


@pytest.mark.parametrize("query", sorted(QUERIES.glob("*.graphql")), ids=lambda path: path.stem)
async def test_the_examples_are_far_from_every_limit(query: Any) -> None:
    """Half of each would do."""
    whole = Limits()
    half = Limits(**{name: max(1, most // 2) for name, most in vars(whole).items()})
    operation = read_operation(SCHEMA, query.read_text("utf-8"), None, half)
    assert operation.cost.of({"first": 100}) < half.cost


async def test_introspection_as_clients_send_it_is_taken(served: Gateway) -> None:
    """It is deeper than what else may be asked, and costs no vendor anything."""
    types = "name " + "ofType { name " * 13 + "}" * 13
    answer = await served.ask(
        f"{{ __schema {{ types {{ fields(includeDeprecated: true) {{ args {{ type {{ {types} }} }} }} }} }} }}"
    )
    assert answer.errors == []
    deep = '{ __type(name: "x") { ' + "ofType { " * 60 + "name" + " }" * 62
    [error] = (await served.ask(deep)).errors
    assert (error["extensions"]["limit"], error["extensions"]["value"]) == ("depth", 62)


async def test_what_grows_without_measure_is_refused_with_a_number_that_can_be_read(served: Gateway) -> None:
    """The expansion of 190 fragments that each spread the next one twice has 57 digits."""
    chain = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(189))
    answer = await served.ask("{ ...F0 }" + chain + "fragment F189 on Query { viewer { name } }")
    assert answer.errors == [
        {
            "message": "The operation has 1000000000 fields, fragments expanded, at most 2000 are taken: split the request.",
            "locations": [],
            "extensions": {"code": "QUERY_TOO_COMPLEX", "limit": "fields", "value": 1_000_000_000, "max": 2000},
        }
    ]


async def test_a_thousand_nested_fragments_are_refused_by_a_look_at_the_text() -> None:
    """To parse them would cost fifty times as much."""
    chain = "".join(f"fragment F{n} on Query {{ ...F{n + 1} }} " for n in range(999))
    with pytest.raises(Refused) as raised:
        check_source("{ ...F0 } " + chain + "fragment F999 on Query { viewer { name } }", Limits())
    expected = {"code": "QUERY_TOO_COMPLEX", "limit": "fragments", "value": 1000, "max": 200}
    assert raised.value.errors[0].extensions == expected


@pytest.mark.parametrize("spreads", [1, 2, 5, 20])
async def test_each_fragment_is_measured_once_however_often_it_is_spread(spreads: int) -> None:
    """Who walked through the expansion would not be back: it has twenty to the power of 190 fields."""
    chain = "".join(f"fragment F{n} on Query {{ " + f"...F{n + 1} " * spreads + "}" for n in range(190))
    document = parse("{ ...F0 }" + chain + "fragment F190 on Query { a }")
    [operation, *_] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    assert measure(operation.selection_set, fragment_sizes(document)).fields == spreads**190


async def test_fragments_that_spread_themselves_end_in_a_refusal(served: Gateway) -> None:
    """In a circle, in a chain that is deeper than the stack, and many times over."""
    circle = "".join(f"fragment F{n} on Query {{ ...F{(n + 1) % 150} ...F{(n + 1) % 150} }}" for n in range(150))
    chain = "".join(f"fragment F{n} on Contact {{ profile {{ contacts {{ ...F{n + 1} }} }} }}" for n in range(180))
    for document, code in (
        ("{ ...F0 }" + circle, "QUERY_TOO_COMPLEX"),
        ("{ ...F } fragment F on Query { ...F }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ contact(by: {id: 1}) { ...F0 } }" + chain + "fragment F180 on Contact { id }", "QUERY_TOO_COMPLEX"),
    ):
        answer = await served.ask(document)
        assert answer.errors[0]["extensions"]["code"] == code


@pytest.mark.parametrize(
    "text", ['"\\"' * 15_000, '"""\\"' * 10_000, '"' * 60_000, "#" * 60_000, "\\" * 60_000, "..." * 9_000]
)
async def test_a_hostile_text_is_looked_at_once(text: str) -> None:
    """A scan that began again at each quote would take minutes for these."""
    for each in _refusals(text):
        assert each


def _refusals(text: str) -> Iterator[bool]:
    try:
        read_operation(SCHEMA, text, None, Limits())
    except Refused as refused:
        yield bool(refused.errors)


def _judge(text: str, limits: Limits) -> None:
    check_source(text, limits)
    document: DocumentNode = parse(text)
    check_document(document, limits)
