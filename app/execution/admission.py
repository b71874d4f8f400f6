"""What a request must satisfy before its operation runs, whatever way it came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, OperationType

from app.execution.document import Operation
from app.execution.limits import over
from app.execution.refused import Refused
from app.limits import Limits
from schema.access import SCHEMA_READ, may
from schema.errors import Forbidden
from schema.types.status import Viewer
from schema.vendor import Environment


def admit(
    operation: Operation,
    variables: Mapping[str, Any] | None,
    viewer: Viewer,
    idempotency_key: str | None,
    limits: Limits,
) -> int:
    """What the operation costs with these variables. Raises Refused."""
    if operation.introspects:
        _check_introspection(viewer)
    if idempotency_key is not None:
        _check_key(operation)
    cost = operation.cost.of(variables)
    if cost > limits.cost:
        raise over("cost", cost, limits.cost)
    return cost


def may_read_schema(viewer: Viewer) -> bool:
    """In TEST everybody explores; in LIVE only who has the scope."""
    return viewer.environment is Environment.TEST or may(viewer.scopes, SCHEMA_READ)


def _check_introspection(viewer: Viewer) -> None:
    if not may_read_schema(viewer):
        forbidden = Forbidden(SCHEMA_READ)
        raise Refused([GraphQLError(str(forbidden), extensions=forbidden.extensions)])


def _check_key(operation: Operation) -> None:
    """Raises Refused if the Idempotency-Key header does not tell which of several writes it is for."""
    if operation.type is not OperationType.MUTATION or operation.root_fields() == 1:
        return
    message = "The Idempotency-Key header is for one write: send one mutation per request, or keys in the inputs."
    raise Refused([GraphQLError(message, extensions={"code": "BAD_USER_INPUT"})])
