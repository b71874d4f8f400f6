"""Puts the schema together."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import (
    DirectiveLocation,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLDirective,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig

from schema.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    VendorRejected,
    VendorUnavailable,
    WriteInProgress,
)
from schema.mutations.create_contact import create_contact
from schema.mutations.create_person_log import create_person_log
from schema.mutations.create_prospect_log import create_prospect_log
from schema.mutations.log_activity import log_activity
from schema.mutations.settle_receipt import settle_receipt
from schema.mutations.sync_contact_methods import sync_contact_methods
from schema.query import Query
from schema.scalars import scalar_map
from schema.subscription import Subscription
from schema.types.person import PersonLog, ProspectLog

MUTATION_ERRORS = (
    InvalidInput,
    NotFound,
    VendorRejected,
    VendorUnavailable,
    OutcomeUnknown,
    IdempotencyConflict,
    WriteInProgress,
    RateLimited,
)
DEFER = GraphQLDirective(
    name="defer",
    description="The fragment may be answered later. This gateway answers it at once, with all the rest.",
    locations=[DirectiveLocation.FRAGMENT_SPREAD, DirectiveLocation.INLINE_FRAGMENT],
    args={
        "if": GraphQLArgument(
            GraphQLNonNull(GraphQLBoolean), default_value=True, description="Whether it may. Left out: it may."
        ),
        "label": GraphQLArgument(GraphQLString, description="A name for the part that would come later."),
    },
)
"""As in the working draft, so that clients which use it need no second form of their operations."""


_ONE_OF = "directive @oneOf on INPUT_OBJECT"
_ONE_OF_MEANS = "Exactly one field of the input is given, and it is not null."


@strawberry.type(description="What can be done. Every mutation answers its refusals as data, in `errors`.")
class Mutation:
    create_person_log = create_person_log
    create_prospect_log = create_prospect_log
    create_contact = create_contact
    sync_contact_methods = sync_contact_methods
    log_activity = log_activity
    settle_receipt = settle_receipt


class Schema(strawberry.Schema):
    """Strawberry's, with a way to the schema of graphql-core behind it."""

    @property
    def core(self) -> GraphQLSchema:
        return self._schema

    def as_str(self) -> str:
        """The schema's text, in which @oneOf, which Strawberry defines without a word, is described like all else."""
        return super().as_str().replace(_ONE_OF, f'"""{_ONE_OF_MEANS}"""\n{_ONE_OF}', 1)


@cache
def build_schema() -> Schema:
    """The one schema, which nobody changes."""
    schema = Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[*MUTATION_ERRORS, PersonLog, ProspectLog],
        config=StrawberryConfig(scalar_map=scalar_map(), disable_field_suggestions=True),
    )
    schema.core.directives = (*schema.core.directives, DEFER)
    for core_type in schema.core.type_map.values():
        _drop_null_defaults(core_type)
    return schema


def _drop_null_defaults(core_type: GraphQLNamedType) -> None:
    """What may be left out is None in Python; in GraphQL it has no default, rather than the default null."""
    inputs: list[GraphQLInputField | GraphQLArgument] = []
    if isinstance(core_type, GraphQLInputObjectType):
        inputs.extend(core_type.fields.values())
    elif isinstance(core_type, GraphQLObjectType):
        inputs.extend(argument for field in core_type.fields.values() for argument in field.args.values())
    for each in inputs:
        if each.default_value is None:
            each.default_value = Undefined
