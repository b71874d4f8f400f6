"""GraphiQL's build takes away what an earlier one made, and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.npm import node_version

ROOT = Path(__file__).parents[2]
WEB = ROOT / "app" / "pages" / "web"
NPM = """#!/usr/bin/env node
const { mkdirSync, writeFileSync } = require("node:fs");
const paths = { ".": "./index.js", "./package.json": "./package.json" };
for (const name of ["esbuild", "graphiql"]) {
  const folder = `node_modules/${name}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, JSON.stringify({ type: "module", version: "5.0.0", exports: paths }));
  writeFileSync(`${folder}/index.js`, "export const build = async () => {};");
}
"""
"""Stands in for npm, whose packages make nothing."""


@pytest.fixture(autouse=True)
def _node() -> None:
    if node_version() == 0:
        pytest.skip("Node.js is not installed")


@pytest.mark.parametrize("name", ["My Projects", "R&D, Überblick"])
def test_make_builds_it_wherever_the_clone_is(tmp_path: Path, name: str) -> None:
    """Also in a folder whose name is several words, of which the first is another folder's; what is out of date goes."""
    (tmp_path / "bin").mkdir()
    npm = tmp_path / "bin" / "npm"
    npm.write_text(NPM)
    npm.chmod(0o755)
    kept = tmp_path / "My" / "thesis.txt"
    kept.parent.mkdir()
    kept.touch()
    clone = tmp_path / name / "switchboard"
    shutil.copytree(WEB, clone / "app" / "pages" / "web")
    shutil.copy(ROOT / "Makefile", clone)
    assets = clone / "app" / "pages" / "assets"
    assets.mkdir()
    (assets / "chunk-0LD.js").touch()
    subprocess.run(  # our own Makefile
        ["make", "--old-file=.venv/bin/python", "app/pages/assets/built.json"],  # noqa: S607  # wherever it is
        cwd=clone,
        env={**os.environ, "PATH": f"{npm.parent}{os.pathsep}{os.environ['PATH']}"},
        check=True,
    )
    assert [each.name for each in assets.iterdir()] == ["built.json"]
    assert kept.exists()


def test_a_folder_that_holds_something_else_stays_as_it_is(tmp_path: Path) -> None:
    """The build says so and does nothing."""
    npm = tmp_path / "npm"
    npm.write_text(NPM)
    subprocess.run(["node", npm], cwd=tmp_path, check=True)  # noqa: S603, S607  # our own script, wherever Node.js is
    shutil.copy(WEB / "build.js", tmp_path / "build.mjs")
    target = tmp_path / "My Thesis"
    target.mkdir()
    for name in ("built.json", "thesis.txt"):
        (target / name).touch()
    done = subprocess.run(  # noqa: S603  # our own script
        ["node", "build.mjs", target],  # noqa: S607  # wherever it is
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    message = f"{target} holds thesis.txt, which no build of GraphiQL made: name another folder.\n"
    assert (done.returncode, done.stderr) == (1, message)
    assert sorted(each.name for each in target.iterdir()) == ["built.json", "thesis.txt"]
