"""The operations in queries/ are examples, trusted documents and the tests' own questions: none may rot."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLObjectType,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    parse,
    validate,
    visit,
)

from schema.build import MUTATION_ERRORS
from schema.build import build_schema as build_gateway_schema
from tests.gateway import QUERIES

SCHEMA = build_schema(build_gateway_schema().as_str())
FILES = sorted(QUERIES.glob("*.graphql"))
TESTS = Path(__file__).parent


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_operation_is_valid_and_named_as_its_file(file: Path) -> None:
    """One operation a file, in GraphQL, and it is one that the schema takes."""
    document = parse(file.read_text("utf-8"))
    assert file.suffix == ".graphql"
    assert [operation.name and operation.name.value for operation in _operations(document)] == [file.stem]
    assert validate(SCHEMA, document) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_operation_says_in_its_first_line_what_it_is_for(file: Path) -> None:
    """A comment, and only one, so that it can be shown beside the name."""
    comments = [line for line in file.read_text("utf-8").splitlines() if line.startswith("#")]
    assert len(comments) == 1
    assert file.read_text("utf-8").startswith(comments[0])
    assert comments[0].endswith(".")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_operation_has_a_test_that_runs_it(file: Path) -> None:
    """The test file has the operation's name and runs it by that name."""
    tree = ast.parse((TESTS / f"test_{file.stem}.py").read_text("utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert file.stem in texts


@pytest.mark.parametrize("root", [SCHEMA.query_type, SCHEMA.mutation_type, SCHEMA.subscription_type], ids=str)
def test_every_root_field_is_used_by_an_operation(root: GraphQLObjectType) -> None:
    """A new query or mutation comes with its operation."""
    used = {name for file in FILES for name in _selected(parse(file.read_text("utf-8")), root.name)}
    assert used == set(root.fields)


def test_every_mutation_asks_for_every_field_of_every_error() -> None:
    """Who copies an example sees all that can be known of a failure."""
    mutations = [document for document in map(_read, FILES) if _operations(document)[0].operation.value == "mutation"]
    assert len(mutations) == len(SCHEMA.mutation_type.fields if SCHEMA.mutation_type else ())
    for document in mutations:
        for error in MUTATION_ERRORS:
            type_ = SCHEMA.get_type(error.__name__)
            assert isinstance(type_, GraphQLObjectType)
            shared = {*_selected(document, "MutationError")} - {"__typename"}
            assert {*_selected(document, type_.name)} | shared == set(type_.fields)


def _read(file: Path) -> DocumentNode:
    return parse(file.read_text("utf-8"))


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]


def _selected(document: DocumentNode, parent: str) -> Iterator[str]:
    """The fields that a document selects directly on the type `parent`."""
    info = TypeInfo(SCHEMA)
    found: list[str] = []

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            on = info.get_parent_type()
            if on is not None and on.name == parent:
                found.append(node.name.value)

    visit(document, TypeInfoVisitor(info, Fields()))
    return iter(found)
