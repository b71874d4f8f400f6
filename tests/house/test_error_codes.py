"""The README says of every error code what to do about it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from schema.build import MUTATION_ERRORS

ROOT = Path(__file__).parents[2]
SECTION = (ROOT / "README.md").read_text("utf-8").partition("## Errors\n")[2].partition("\n## ")[0]
CODE = re.compile(r"[A-Z]{6,}(_[A-Z]+)*|[A-Z]+(_[A-Z]+)+")
NAMING = frozenset({"code", "CODE"})
TAKING = frozenset({"BadRequest", "_refusal", "_refuse", "_with_code"})


def test_every_code_has_a_row() -> None:
    """Codes are gathered from the source: wherever one is given to an error."""
    rows = {code for line in SECTION.splitlines() if line.startswith("| `") for code in _codes_in(line)}
    assert sorted(_codes() - rows) == []
    assert sorted(rows - _codes()) == []


@pytest.mark.parametrize(
    "code", ["UNAUTHENTICATED", "QUERY_TOO_COMPLEX", "FORBIDDEN", "RATE_LIMITED", "INTERNAL_ERROR"]
)
def test_the_gathering_finds_what_is_there(code: str) -> None:
    """In each of the ways in which a code is given."""
    assert code in _codes()


def _codes_in(row: str) -> list[str]:
    return re.findall(r"`([A-Z_]+)`", row.split(" | ", maxsplit=1)[0])


@cache
def _codes() -> set[str]:
    files = [*(ROOT / "app").rglob("*.py"), *(ROOT / "schema").rglob("*.py")]
    found = {
        code for file in files if file.name != "sandbox.py" for code in _given_in(ast.parse(file.read_text("utf-8")))
    }
    return found | {_default_code(each) for each in MUTATION_ERRORS}


def _default_code(error: type) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", error.__name__).upper()


def _given_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        for given in _given(node):
            if isinstance(given, ast.Constant) and isinstance(given.value, str) and CODE.fullmatch(given.value):
                yield given.value


def _given(node: ast.AST) -> Iterator[ast.AST]:
    """The expressions that a node takes for a code."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        yield from node.args if name in TAKING else ()
        yield from (each.value for each in node.keywords if each.arg == "code")
    elif isinstance(node, ast.Dict):
        yield from (value for key, value in zip(node.keys, node.values, strict=True) if _is_code(key))
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (node.value for each in targets if isinstance(each, ast.Name) and each.id in NAMING)


def _is_code(key: ast.expr | None) -> bool:
    return isinstance(key, ast.Constant) and key.value == "code"
