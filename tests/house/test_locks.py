"""What is installed is pinned by hash, from whichever index a machine uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NPM_LOCKS = sorted(
    each
    for each in ROOT.rglob("package-lock.json")
    if not {"node_modules", ".venv"} & set(each.relative_to(ROOT).parts)
)


@pytest.mark.parametrize("lock", NPM_LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_a_lock_of_npm_has_hashes_and_no_addresses(lock: Path) -> None:
    """Each package has its integrity hash; where it is fetched from is the machine's own affair."""
    packages = json.loads(lock.read_text("utf-8"))["packages"]
    named = {name: each for name, each in packages.items() if name and not each.get("link")}
    assert [name for name, each in named.items() if "resolved" in each] == []
    assert [name for name, each in named.items() if not each.get("integrity", "").startswith("sha512-")] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_of_python_has_hashes_and_no_addresses(name: str) -> None:
    """The same."""
    text = (ROOT / name).read_text("utf-8")
    assert "--hash=sha256:" in text
    assert "://" not in text
