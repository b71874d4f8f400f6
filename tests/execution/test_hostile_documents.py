"""A document is anybody's: nothing in it becomes code, and nothing in it takes long."""

from __future__ import annotations

import pytest

from app.execution.compile import Compiler
from app.execution.source import Source, is_attribute
from schema.build import Schema
from tests.execution.documents import Document
from tests.execution.oracle import Comparison
from tests.execution.small import World

NAMES = ("class", "def", "None", "True", "o", "a", "p", "d", "c0", "f0", "i0", "v0", "type", "str", "_", "__builtins__")
TEXTS = ('"', "'''", "\\", "\n", "{o}", "%s", "__import__('os')", "\u2028", "}]")


def _same(schema: Schema, text: str, variables: dict[str, object] | None = None) -> None:
    comparison = Comparison(Compiler(schema))
    comparison.compare(Document(text, variables or {}), World)
    assert comparison.compiled == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_means_something_in_python_means_nothing(small: Schema, name: str) -> None:
    """As an alias, a variable, a fragment or an operation."""
    _same(
        small,
        f"query {name}(${name}: String!, $b: Boolean!) {{ {name}: leafy {{ {name}: text x: texts @include(if: $b) }} "
        f"loud(word: ${name}) ... {{ ...{name} }} }} fragment {name} on Query {{ person {{ {name}: name friend {{ {name}: name }} }} }}",
        {name: "word", "b": True},
    )


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_a_text(small: Schema, text: str) -> None:
    """Whatever it looks like."""
    escaped = "".join(f"\\u{ord(each):04x}" for each in text)
    _same(small, f'query Q($v: String! = "{escaped}") {{ a: loud(word: "{escaped}") b: loud(word: $v) }}')


def test_what_is_written_holds_names_made_up_here_and_no_others() -> None:
    """Whatever is bound, only its name stands in source."""
    source = Source()
    names = [source.bind(each) for each in ("import os", "import os", "o", object())]
    assert names == ["_0_", "_0_", "_1_", "_2_"]
    function = source[source.function("o", [f"return {names[0]} + o"])]
    assert function("!") == "import os!"


def test_functions_that_are_written_alike_are_compiled_once() -> None:
    """Each has its own values all the same, whatever was bound before them and in whatever other order."""
    one, other = Source(), Source()
    for text in ("x", "b", "a"):
        other.bind(text)
    functions = [
        source[source.function("o", [f"return {source.bind(first)} + o + {source.bind(last)} + {source.bind(first)}"])]
        for source, first, last in ((one, "a", "b"), (other, "a", "b"), (other, "c", "d"))
    ]
    assert [function("-") for function in functions] == ["a-ba", "a-ba", "c-dc"]
    assert len({function.__code__ for function in functions}) == 1
    assert len({id(function.__code__) for function in functions}) == 1


@pytest.mark.parametrize("name", ["class", "__dict__", "a b", "a.b", "é", "", "1a"])
def test_an_attribute_that_is_no_plain_name_is_not_written(name: str) -> None:
    """It is read by getattr instead."""
    assert not is_attribute(name)


def test_twenty_levels_are_answered(small: Schema) -> None:
    """Through objects of attributes, and through resolvers."""
    twins = "twin { " * 20 + "weight" + " }" * 20
    friends = "bestFriend { " * 20 + "name" + " }" * 20
    _same(small, f"{{ person {{ home {{ {twins} }} {friends} }} }}")


def test_a_hundred_levels_are_answered(small: Schema) -> None:
    """Far more than a limit lets in."""
    _same(small, f"{{ person {{ {'bestFriend { ' * 100}name{' }' * 100} }} }}")
