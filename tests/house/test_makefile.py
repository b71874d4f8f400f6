"""`make` gets over a Python that won't do."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOO_OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_PIP = '#!/bin/sh\n[ "$1" = -c ] && exit\nmkdir -p .venv/bin && ln -s /bin/false .venv/bin/python\nexit 1\n'


@pytest.mark.parametrize("script", [TOO_OLD, WITHOUT_PIP])
def test_a_python_that_will_not_do_leaves_nothing(tmp_path: Path, script: str) -> None:
    """One sentence says what is needed; the next run, with a sound Python, makes `.venv`."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "python").write_text(script)
    (tmp_path / "python").chmod(0o755)
    failed = _make(tmp_path, "./python")
    assert failed.returncode != 0
    assert failed.stderr.startswith("No .venv: it takes Python 3.11 or later ")
    assert not (tmp_path / ".venv").exists()
    made = _make(tmp_path, sys.executable)
    assert made.returncode == 0, made.stderr
    subprocess.run([tmp_path / ".venv" / "bin" / "python", "-m", "pip", "--version"], check=True)  # noqa: S603  # just made


def _make(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # our own Makefile
        ["make", ".venv/bin/python", f"PYTHON={shlex.quote(python)}"],  # noqa: S607  # wherever it is
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        capture_output=True,
        text=True,
        check=False,
    )
