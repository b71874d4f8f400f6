"""What only some deployments need is imported only there: every start and every process is the smaller for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOME_NEED = {
    "a database that is behind": "alembic",
    "PostgreSQL": "sqlalchemy.dialects.postgresql",
    "PostgreSQL, too": "sqlalchemy.ext.asyncio",
    "the tests": "aiosqlite",
    "tokens": "jwt",
    "traces": "opentelemetry",
    "several processes": "limits",
    "sandboxes": "app.sandbox.server",
    "callbacks": "httpcore",
}


def test_a_start_imports_nothing_that_only_some_need() -> None:
    """Neither the gateway nor what serves it, whatever else this process has imported."""
    seen = "import json, sys, app.main, app.serving; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", seen], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603  # our own
    imported = set(json.loads(done.stdout))
    assert {needed: name for needed, name in SOME_NEED.items() if name in imported} == {}
