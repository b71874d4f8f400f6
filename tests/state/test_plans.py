"""How SQLite looks for rows. It knows nothing of how many there are, so that a statement's own form decides what it costs."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from app.database import metadata
from tests.gateway import QUERIES, Gateway

_ASKED = ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")
_SERVED_IN_ORDER = "SEARCH writes USING INDEX writes_in_order (environment=?)"
"""The newest receipts: the index is in their order, and the reading ends with the page."""


@pytest.fixture
def statements() -> Iterator[set[str]]:
    """Each statement that SQLite executes while a test runs, its values included."""
    found: set[str] = set()

    def note(statement: str) -> None:
        if statement.startswith(_ASKED):
            found.add(statement)

    def trace(connection: Any, _: object) -> None:
        connection.set_trace_callback(note)

    event.listen(Engine, "connect", trace)
    yield found
    event.remove(Engine, "connect", trace)


def _reads_too_much(step: str) -> bool:
    """Whether a step of a plan reads all of a table, or all of an environment."""
    kind, _, rest = step.partition(" ")
    table = rest.partition(" ")[0]
    if table not in metadata.tables or step == _SERVED_IN_ORDER:
        return False
    waits_in_it = table == "callbacks"  # what is told is deleted: there are few
    return (kind == "SCAN" and not waits_in_it) or step.endswith("(environment=?)")


async def test_no_statement_reads_a_table_from_end_to_end(statements: set[str], demo: Gateway, tmp_path: Path) -> None:
    """Whatever is asked or written, it takes as long with a million records as with ten."""
    statements.clear()  # what a migration does once
    variables = json.loads((QUERIES / "examples.json").read_text("utf-8"))
    for file in sorted(QUERIES.glob("*.graphql")):
        answer = await demo.ask(file.read_text("utf-8"), variables.get(file.stem))
        assert {each["extensions"]["code"] for each in answer.errors} <= {"SUBSCRIPTION_NEEDS_STREAM"}
    while not any("FROM callbacks" in statement for statement in statements):  # noqa: ASYNC110  # a thread runs them
        await asyncio.sleep(0.05)  # what the gateway does by itself, round after round
    database = sqlite3.connect(tmp_path / "switchboard.db")
    plans = {each: [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {each}")] for each in statements}
    assert {statement: plan for statement, plan in plans.items() if any(map(_reads_too_much, plan))} == {}
    assert len({statement.partition("VALUES")[0] for statement in plans}) > 50
