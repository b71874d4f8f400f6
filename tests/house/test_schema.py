"""The schema as its users see it: committed as it is served, and explained in every part."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    is_introspection_type,
    is_specified_scalar_type,
)

from app import cli

COMMITTED = Path(__file__).parents[2] / "schema" / "schema.graphql"


@pytest.fixture(scope="module")
def committed() -> GraphQLSchema:
    """The committed schema, as a client's tools read it."""
    return build_schema(COMMITTED.read_text("utf-8"))


def test_the_committed_schema_is_the_one_that_is_served() -> None:
    """`switchboard schema export > schema/schema.graphql` changes nothing."""
    exported = CliRunner().invoke(cli.export_schema)
    assert exported.exit_code == 0
    assert exported.output == COMMITTED.read_text("utf-8"), "run: switchboard schema export > schema/schema.graphql"


def test_everything_that_a_user_sees_is_explained(committed: GraphQLSchema) -> None:
    """Every type, field, argument, input field and enum value has a description: a sentence."""
    explained = dict(_explained(committed))
    assert sorted(name for name, text in explained.items() if not (text or "").strip()) == []
    assert sorted(name for name, text in explained.items() if not (text or "").strip().endswith((".", "?", "`"))) == []


def test_enums_have_the_values_of_the_contract(committed: GraphQLSchema) -> None:
    """Clients compare with them; a change here is a change for every one of them."""
    enums = {
        each.name: list(each.values)
        for each in committed.type_map.values()
        if isinstance(each, GraphQLEnumType) and not is_introspection_type(each)
    }
    assert enums == {
        "ActivityCategory": ["TEXT", "LINKEDIN", "SOCIAL_MEDIA", "EVENT", "CONFERENCE", "WEBINAR", "CALL", "OTHER"],
        "ContactMethodType": ["EMAIL", "PHONE", "MOBILE", "FAX", "OTHER"],
        "Delivery": ["WAIT", "BACKGROUND"],
        "Environment": ["TEST", "LIVE"],
        "Vendor": ["ARCHITECT", "BIRD", "ARTU", "REEVO"],
        "WriteOperation": [
            "CREATE_PERSON_LOG",
            "CREATE_PROSPECT_LOG",
            "CREATE_CONTACT",
            "SYNC_CONTACT_METHODS",
            "LOG_ACTIVITY",
        ],
        "WriteState": ["PENDING", "SENDING", "UNKNOWN", "SUCCEEDED", "FAILED"],
    }


def _explained(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    for each in schema.type_map.values():
        if not is_introspection_type(each) and not is_specified_scalar_type(each):
            yield each.name, each.description
            yield from _parts(each)


def _parts(of: GraphQLNamedType) -> Iterator[tuple[str, str | None]]:
    if isinstance(of, GraphQLEnumType):
        yield from ((f"{of.name}.{name}", value.description) for name, value in of.values.items())
    if isinstance(of, GraphQLInputObjectType):
        yield from ((f"{of.name}.{name}", given.description) for name, given in of.fields.items())
    if isinstance(of, GraphQLObjectType | GraphQLInterfaceType):
        for name, field in of.fields.items():
            yield f"{of.name}.{name}", field.description
            yield from ((f"{of.name}.{name}({given})", arg.description) for given, arg in field.args.items())
