"""The custom scalars. E-mail addresses, phone numbers and URLs accept any string: their form is judged by schema.rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import lru_cache
from typing import Any, NewType

import strawberry
from graphql import (
    GraphQLError,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    value_from_ast_untyped,
)
from strawberry.types.scalar import ScalarDefinition

EmailAddress = NewType("EmailAddress", str)
PhoneNumber = NewType("PhoneNumber", str)
URL = NewType("URL", str)
JSON = NewType("JSON", object)

_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)  # RFC 3339, section 5.6


def parse_date_time(value: object) -> datetime:
    """An RFC 3339 time stamp as an aware datetime in UTC, to the microsecond. Raises GraphQLError for anything else."""
    match = _RFC3339.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise GraphQLError("DateTime expects an RFC 3339 time stamp such as 2026-01-15T10:30:00Z.")
    date, time, fraction, zone = match.groups(default="")
    try:
        return datetime.fromisoformat(f"{date}T{time}{fraction[:7]}{zone.upper()}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise GraphQLError("DateTime expects a date and a time that exist.") from None


@lru_cache(maxsize=4_000)
def print_date_time(value: datetime) -> str:
    """In UTC with three digits of fraction and a Z, as the scalar's specification asks."""
    text = value.isoformat(timespec="milliseconds")
    if not text.endswith("+00:00"):
        text = value.astimezone(UTC).isoformat(timespec="milliseconds")
    return f"{text[:-6]}Z"


def parse_json_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> Any:
    """A literal in which variables stand for what was sent: one that is left out is no member of an object, and null in a list.

    Raises GraphQLError for a variable whose value JSON has no form for.
    """
    return _read_json(node, _Sent(variables or {}))


class _Sent(dict[str, Any]):
    """Variables as JSON, each made when it is first read: a literal may name one that is large many times."""

    def __init__(self, coerced: Mapping[str, Any]) -> None:
        super().__init__()
        self._coerced = coerced

    def __missing__(self, name: str) -> Any:
        value = self[name] = _as_json(self._coerced.get(name, Undefined))
        return value


def _read_json(node: ValueNode, variables: _Sent) -> Any:
    if isinstance(node, VariableNode):
        return variables[node.name.value]
    if isinstance(node, ListValueNode):
        items = (_read_json(each, variables) for each in node.values)
        return [None if item is Undefined else item for item in items]
    if isinstance(node, ObjectValueNode):
        members = {field.name.value: _read_json(field.value, variables) for field in node.fields}
        return {name: value for name, value in members.items() if value is not Undefined}
    return value_from_ast_untyped(node)


def _as_json(value: Any) -> Any:
    """A coerced variable as it is answered: variables in a literal of JSON may be of any input type."""
    if isinstance(value, datetime):
        return print_date_time(value)
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, dict):
        return {name: _as_json(each) for name, each in value.items()}
    if isinstance(value, list):
        return list(map(_as_json, value))
    if value is None or value is Undefined or isinstance(value, str | int | float):
        return value
    raise GraphQLError("A variable in JSON must be of a type that JSON has a form for.")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise GraphQLError("Expected a string.")
    return value


def _text_scalar(name: str, description: str) -> ScalarDefinition:
    return strawberry.scalar(name=name, description=description, parse_value=_text)


def scalar_map() -> Mapping[Any, ScalarDefinition]:
    """Python types and the scalars that stand for them."""
    return {
        datetime: strawberry.scalar(
            name="DateTime",
            description="A moment in RFC 3339, as in `2026-01-15T10:30:00.000Z`. Any offset is accepted, UTC is answered.",
            specified_by_url="https://scalars.graphql.org/andimarek/date-time",
            parse_value=parse_date_time,
            serialize=print_date_time,
        ),
        EmailAddress: _text_scalar("EmailAddress", "An e-mail address. Trimmed, its domain in lower case."),
        PhoneNumber: _text_scalar(
            "PhoneNumber",
            "A phone number in E.164: `+` and up to 15 digits, as in `+31612345678`. Spaces and dashes are accepted after "
            "the `+`.",
        ),
        URL: _text_scalar("URL", "An absolute http or https URL."),
        JSON: strawberry.scalar(
            name="JSON",
            description="Any JSON value. Numbers, text and nesting pass unchanged.",
            parse_value=lambda value: value,
            parse_literal=parse_json_literal,
        ),
    }
