"""The schema as the tools of its users see it: graphql-eslint, Relay's compiler and GraphQL Code Generator."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.trusted import own_documents
from tests.npm import linked

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "schema" / "schema.graphql"
_TOOLS = ("eslint.config.js", "relay.config.json", "codegen.json", "package.json")
_OPERATION = re.compile(r"^(query|mutation|subscription) \w+", re.MULTILINE)

pytestmark = pytest.mark.xdist_group("schema_lint")


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """A folder with the tools, the schema and the operations."""
    linked(HERE, tmp_path)
    for name in _TOOLS:
        shutil.copy(HERE / name, tmp_path)
    shutil.copy(SCHEMA, tmp_path)
    (tmp_path / "made").mkdir()
    shutil.copytree(SCHEMA.parents[1] / "queries", tmp_path / "queries")
    return tmp_path


def test_graphql_eslint_finds_nothing(workshop: Path) -> None:
    """Every rule for schemas, and Relay's; the exceptions stand in eslint.config.js, each with its reason."""
    _run(workshop, "eslint", "--max-warnings", "0", "schema.graphql")


def test_relay_compiles_every_operation_and_lists_that_read_on(workshop: Path) -> None:
    """Connections, nodes and refetching are as Relay wants them, and every custom scalar has a type."""
    source = workshop / "src"
    source.mkdir()
    shutil.copy(HERE / "lists.ts", source)
    for document in own_documents():
        name = _camel(document.id)
        text = _OPERATION.sub(rf"\1 {name}{document.kind.capitalize()}", document.text)
        (source / f"{name}.ts").write_text(f"import {{ graphql }} from 'react-relay';\n\ngraphql`\n{text}`;\n")
    _run(workshop, "relay-compiler", "relay.config.json")
    made = {file.name.partition(".")[0] for file in (workshop / "made").iterdir()}
    assert made >= {f"{_camel(each.id)}{each.kind.capitalize()}" for each in own_documents()}
    assert made >= {"listsContactsQuery", "listsActivitiesQuery"}


def test_code_generator_types_every_operation_with_strict_scalars(workshop: Path) -> None:
    """No scalar is left to `any`."""
    _run(workshop, "graphql-codegen", "--config", "codegen.json")
    types = (workshop / "made" / "operations.ts").read_text("utf-8")
    assert re.search(r"[:<|] ?any\b", types) is None
    assert "Contacts" in types


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _run(folder: Path, tool: str, *arguments: str) -> None:
    done = subprocess.run(  # noqa: S603  # tools of our own lock file
        [folder / "node_modules" / ".bin" / tool, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": _path(), "HOME": str(folder), "SCHEMA": "schema.graphql"},
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _path() -> str:
    node = shutil.which("node")
    assert node is not None
    return f"{Path(node).parent}:/usr/bin:/bin"
