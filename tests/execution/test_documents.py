"""Documents are prepared once, and remembered within bounds."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import pytest

from app.execution.execution import BYTES_PER_CHARACTER, BYTES_PER_FIELD, Execution
from app.execution.recent import Recent
from app.execution.refused import Refused
from app.limits import Limits
from schema.build import Schema, build_schema
from tests.execution.small import World

TEXT = "query One { version } query Two { version }"


def test_a_document_is_prepared_once(small: Schema) -> None:
    """For one name; another names another operation."""
    execution = Execution(small, Limits())
    first = execution.prepare(TEXT, "One")
    assert execution.prepare(TEXT, "One") is first
    assert execution.prepare(TEXT, "Two") is not first


def test_a_document_that_is_refused_is_not_remembered(small: Schema) -> None:
    """It is refused again."""
    execution = Execution(small, Limits())
    for _ in range(2):
        with pytest.raises(Refused):
            execution.prepare("{ nothing }", None)


async def test_an_operation_that_was_forgotten_still_runs(small: Schema) -> None:
    """Whoever holds it may run it."""
    execution = Execution(small, Limits(), most=1)
    first = execution.prepare("{ version }", None)
    assert execution.prepare("{ again: version }", None) is not first
    assert execution.prepare("{ version }", None) is not first
    answer = await execution.run(first, None, World())  # type: ignore[arg-type]  # of another schema
    assert answer.data == {"version": "1"}


async def test_what_was_forgotten_takes_no_memory(small: Schema) -> None:
    """Neither the document nor what was compiled of it."""
    execution = Execution(small, Limits(), most=1)
    operation = execution.prepare("{ version }", None)
    await execution.run(operation, None, World())  # type: ignore[arg-type]  # of another schema
    forgotten = weakref.ref(operation)
    execution.prepare("{ again: version }", None)
    del operation
    gc.collect()
    assert forgotten() is None


def test_the_longest_unused_are_forgotten() -> None:
    """First by number, then by bytes; what alone is too large is never kept."""
    recent: Recent[str, int] = Recent(most=2, most_bytes=10)
    for key, size in (("a", 1), ("b", 1)):
        recent.keep(key, ord(key), size)
    recent.get("a")
    recent.keep("c", 3, 1)
    assert ([recent.get(key) for key in "abc"], recent.bytes) == ([97, None, 3], 2)
    recent.keep("d", 4, 10)
    assert ([recent.get(key) for key in "acd"], recent.bytes) == ([None, None, 4], 10)
    recent.keep("e", 5, 11)
    assert ([recent.get(key) for key in "de"], len(recent)) == ([4, None], 1)


def test_what_grows_makes_room_for_itself() -> None:
    """Compiling adds to what a document takes."""
    recent: Recent[str, int] = Recent(most=9, most_bytes=10)
    recent.keep("a", 1, 4)
    recent.keep("b", 2, 4)
    recent.grow("b", 4)
    assert ([recent.get(key) for key in "ab"], recent.bytes) == ([None, 2], 8)
    recent.grow("nobody", 4)
    assert recent.bytes == 8


async def test_documents_take_no_more_memory_than_is_counted() -> None:
    """Parsed and compiled, whatever kind of fields they are of."""
    schema = build_schema()
    execution = Execution(schema, Limits(aliases=1_000))
    leaves = " ".join(f"a{n}: id" for n in range(200))
    resolved = " ".join(f"a{n}: activities(first: {n + 1}) {{ __typename }}" for n in range(90))
    for beneath, fields in ((leaves, 203), (resolved, 183)):
        text = f"{{ people {{ nodes {{ {beneath} }} }} }}"
        tracemalloc.start()
        operation = execution.prepare(text, None)
        await execution.run(operation, None, World())  # type: ignore[arg-type]  # it fails at the first field
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert taken < len(text) * BYTES_PER_CHARACTER + fields * BYTES_PER_FIELD
