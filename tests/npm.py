"""Packages from npm for tests: those of a lock file, installed once into the user's cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path

import platformdirs
import pytest

_FILES = ("package.json", "package-lock.json", ".npmrc")
_INSTALL_SECONDS = 300
_OLDEST_NODE = 20


def installed(folder: Path) -> Path:
    """The `node_modules` for the lock file in a folder. Skips the test where npm is missing, or has nowhere to fetch from."""
    npm = shutil.which("npm")
    if npm is None or node_version() < _OLDEST_NODE:
        pytest.skip("npm is not installed, or with a Node.js before 20")
    digest = sha256((folder / "package-lock.json").read_bytes()).hexdigest()[:16]
    home = platformdirs.user_cache_path("switchboard") / "npm" / digest
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)  # several workers may want it at once
        if not (home / ".installed").exists():
            _install(npm, folder, home)
    return home / "node_modules"


def linked(folder: Path, into: Path) -> None:
    """Makes a folder in which the packages of a lock file can be used."""
    with suppress(FileExistsError):
        (into / "node_modules").symlink_to(installed(folder), target_is_directory=True)


def node_version() -> int:
    node = shutil.which("node")
    if node is None:
        return 0
    shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)  # noqa: S603  # asks its version
    return int(shown.stdout.removeprefix("v").partition(".")[0])


def _install(npm: str, folder: Path, home: Path) -> None:
    for name in _FILES:
        shutil.copy(folder / name, home)
    done = subprocess.run(  # noqa: S603  # npm, with our own lock file
        [npm, "ci", "--ignore-scripts"],
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
        timeout=_INSTALL_SECONDS,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
    )
    if done.returncode != 0 and any(
        code in done.stderr for code in ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT")
    ):
        pytest.skip("npm can reach nothing to install from")
    assert done.returncode == 0, done.stderr
    (home / ".installed").touch()
