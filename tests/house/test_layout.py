"""The shape of the tree: what each vendor's package holds, and what no file may hold."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from app.registry import VENDORS
from schema.vendor import Vendor

ROOT = Path(__file__).parents[2]
VENDOR_FILES = ["__init__.py", "adapter.py", "client.py", "sandbox.py", "wire.py"]
LOCKS = ("requirements.lock", "requirements-dev.lock")
INDEX_HOSTS = ("py" + "pi.", "python" + "hosted.")
MACHINE_PATHS = re.compile(
    r"(?<![\w.~$}])/(?:" + "|".join(("ro" + "ot", "ho" + "me", "wo" + "rk", "Us" + "ers")) + r")/\w"
)


def test_every_vendor_has_the_same_five_files() -> None:
    """The packages, the enum and the registry name the same vendors, and no package has a file of its own."""
    packages = {
        folder.name: sorted(file.name for file in folder.iterdir() if file.name != "__pycache__")
        for folder in (ROOT / "app" / "vendors").iterdir()
        if folder.is_dir() and folder.name != "__pycache__"
    }
    assert packages == {vendor.value.lower(): VENDOR_FILES for vendor in Vendor}
    assert [spec.vendor for spec in VENDORS] == list(Vendor)


def test_no_file_names_a_package_index_or_a_place_on_a_machine() -> None:
    """What is committed works on any machine and with any mirror."""
    guilty = {
        f"{name}: {found}"
        for name in _committed()
        for found in _machine_bound((ROOT / name).read_text("utf-8", errors="replace"))
    }
    assert guilty == set()


@pytest.mark.parametrize("text", [f"https://{INDEX_HOSTS[0]}org/simple", "see /" + "home/ada/notes", '"/' + 'root/x"'])
def test_what_is_bound_to_a_machine_is_recognised(text: str) -> None:
    """The check above finds what it looks for."""
    assert _machine_bound(text) != []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_carries_hashes(lock: str) -> None:
    """Each is pinned to one version, with a SHA-256 at least, and nothing else is in the file."""
    requirements = (ROOT / lock).read_text("utf-8").replace("\\\n", " ").splitlines()
    form = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z0-9,._-]+\])?==\S+( ; [^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+\s*")
    assert [line for line in requirements if line.strip() and not form.fullmatch(line)] == []
    assert len(requirements) > 20


def test_both_locks_agree() -> None:
    """What the development lock shares with the one that is served is pinned to the same version."""
    served, added = (_pinned(lock) for lock in LOCKS)
    shared = served.keys() & added.keys()
    assert {name: added[name] for name in shared} == {name: served[name] for name in shared}
    assert "pytest" in added
    assert "httpx" in served


def _committed() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    assert "pyproject.toml" in names
    return names


def _machine_bound(text: str) -> list[str]:
    return [host for host in INDEX_HOSTS if host in text] + MACHINE_PATHS.findall(text)


def _pinned(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[\S+\])?==([^\s;]+)", (ROOT / lock).read_text("utf-8"), re.MULTILINE))
