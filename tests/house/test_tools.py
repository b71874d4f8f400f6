"""The checkers that CI runs find nothing: types, lint, form, and the directions of imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

pytestmark = pytest.mark.xdist_group("tools")  # they share caches and are quick one after the other


@pytest.mark.parametrize(
    "command",
    [
        ("mypy",),
        ("ruff", "check", "--no-fix", "app", "schema", "tests"),
        ("ruff", "format", "--check", "app", "schema", "tests"),
        ("lint-imports", "--no-cache", "--no-logo"),
    ],
    ids=" ".join,
)
def test_a_checker_finds_nothing(command: tuple[str, ...]) -> None:
    """Types are strict, lint and form as pyproject.toml has them, and imports go one way only."""
    program, *arguments = command
    done = subprocess.run(  # noqa: S603  # programs of the development environment
        [BIN / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
