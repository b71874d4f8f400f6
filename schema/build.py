"""Puts the schema together."""

from __future__ import annotations

import logging

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLError,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

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

_log = logging.getLogger(__name__)


@strawberry.type(description="What can be done. Every mutation answers its refusals as data, in `errors`.")
class Mutation:
    create_person_log = create_person_log
    create_prospect_log = create_prospect_log
    create_contact = create_contact
    sync_contact_methods = sync_contact_methods
    log_activity = log_activity
    settle_receipt = settle_receipt


class Schema(strawberry.Schema):
    """The schema; what fails in it is shown and logged at the edge, not here."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:  # noqa: ARG002  # Strawberry's signature
        """Strawberry's own would log the original exception's text, which may quote a vendor."""
        for error in errors:
            _log.debug("graphql error at %s", error.path)


def build_schema() -> Schema:
    schema = Schema(
        query=Query,
        mutation=Mutation,
        types=[*MUTATION_ERRORS, PersonLog, ProspectLog],
        config=StrawberryConfig(scalar_map=scalar_map(), disable_field_suggestions=True),
    )
    for core_type in schema._schema.type_map.values():  # noqa: SLF001  # Strawberry has no public way to the types
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
