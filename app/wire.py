"""The base of all wire models: exact in what is sent, tolerant of what comes back."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
)
from pydantic_core import SchemaValidator

_log = logging.getLogger(__name__)
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*")
M = TypeVar("M", bound=BaseModel)


class Unreadable(ValueError):
    """An answer that is not the documented record: no JSON, not an object, or without the record's ID."""


class Sent(BaseModel):
    """A body that is sent: what is absent stays absent, and is never null."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=False)

    def to_json(self) -> bytes:
        """The body as UTF-8 JSON, without the fields that were not given."""
        return _ENCODER.encode(_plain(self)).encode()


def segment(text: str) -> str:
    """A text as one segment of a path; nearly all IDs are of unreserved characters alone (RFC 3986, section 2.3)."""
    return text if _UNRESERVED.fullmatch(text) else quote(text, safe="")


def question(**given: Any) -> bytes:
    """The body of a query as UTF-8 JSON, without what is None: text and small numbers, which need no model to be right."""
    body = {name: value for name, value in given.items() if value is not None}
    try:
        return bytes(memoryview(orjson.dumps(body)))  # a copy: orjson's own holds on to four kilobytes
    except orjson.JSONEncodeError:
        return _ENCODER.encode(body).encode()


class Received(BaseModel):
    """An answer: unknown fields are ignored, a field of another format becomes null with a logged warning.

    Only an Essential field makes the whole unusable.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", coerce_numbers_to_str=True, validate_by_alias=True, validate_by_name=True
    )

    @field_validator("*", mode="wrap")
    @classmethod
    def tolerate(cls, value: Any, parse: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return parse(value)
        except ValidationError:
            name = info.field_name or ""
            if any(mark is Essential for mark in cls.model_fields[name].metadata):
                raise
            _log.warning("unexpected format of %s.%s from a vendor", cls.__qualname__, name)
            return cls.model_fields[name].get_default(call_default_factory=True)


class Essential:
    """Marks a field without which an answer is of no use."""


RecordId = Annotated[str, Field(min_length=1, pattern="^[^\\x00]+$"), Essential]
"""The record's own ID, in any format that a database can store."""

Count = Annotated[int, Field(ge=0, lt=2**31)]
"""A number that GraphQL's Int can carry."""


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("before the year 1 or after 9999 in UTC") from None


Timestamp = Annotated[datetime, AfterValidator(_in_utc)]
"""A moment in any ISO 8601 form; without an offset it is read as UTC."""


def _readable_items(value: Any, parse: ValidatorFunctionWrapHandler) -> Any:
    """Parses a list item by item, so that a bad one costs only itself. Null stands for an empty list."""
    if not isinstance(value, list):
        return parse(or_empty(value))
    kept: list[Any] = []
    for item in value:
        try:
            kept.extend(parse([item]))
        except ValidationError:
            _log.warning("left out an unreadable entry of a list from a vendor")
    return kept


ItemByItem = WrapValidator(_readable_items)


def or_empty(value: Any) -> Any:
    """An empty list for null, which is how some servers write it."""
    if value is not None:
        return value
    _log.warning("null in place of a list from a vendor")
    return []


def read(model: type[M], content: bytes) -> M:
    """The answer as `model`. Raises Unreadable. What is as documented is read without the tolerance, whose price is time."""
    try:
        found: M = _strictly(model).validate_json(content)
    except ValidationError:
        return _read_tolerantly(model, content)
    return found


def _read_tolerantly(model: type[M], content: bytes) -> M:
    try:
        return model.model_validate_json(content)
    except ValidationError:
        return _read_leniently(model, content)


@cache
def _strictly(model: type[BaseModel]) -> SchemaValidator:
    """Validates as the model does, but fails at the first field or item that the model would forgive."""
    return SchemaValidator(_unforgiving(model.__pydantic_core_schema__), _use_prebuilt=False)


def _unforgiving(schema: Any) -> Any:
    """A core schema without the wrappers that forgive (pydantic_core.core_schema, `function-wrap`)."""
    if isinstance(schema, list | tuple):
        return type(schema)(map(_unforgiving, schema))
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "function-wrap" and _forgives(schema["function"]["function"]):
        return _unforgiving(schema["schema"])
    return {name: _unforgiving(each) for name, each in schema.items()}


def _forgives(function: Any) -> bool:
    return function is _readable_items or getattr(function, "__func__", None) is Received.tolerate.__func__  # type: ignore[attr-defined]  # a classmethod's


def read_json(content: bytes) -> Any:
    """JSON as Python reads it, with NaN and Infinity as null and half a surrogate pair as U+FFFD. Raises Unreadable."""
    try:
        value = json.loads(content.decode("utf-8", "replace"), parse_constant=lambda _: None)
        return _whole_text(value) if b"\\ud" in content.lower() else value
    except (ValueError, RecursionError):
        raise Unreadable("not JSON") from None


def _read_leniently(model: type[M], content: bytes) -> M:
    """Once more with Python's own parser, which takes unpaired surrogates and broken UTF-8."""
    try:
        return model.model_validate(read_json(content))
    except ValidationError:
        raise Unreadable(f"not a {model.__qualname__}") from None


def _whole_text(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_whole_text(name): _whole_text(each) for name, each in value.items()}
    return [_whole_text(each) for each in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    """A model as a dict of what was given; free JSON within it passes untouched, nulls included."""
    if isinstance(value, Sent):
        given = value.__dict__
        return {name: _plain(given[field]) for field, name in _names(type(value)) if given[field] is not None}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


@cache
def _names(model: type[Sent]) -> Sequence[tuple[str, str]]:
    """A model's fields, and what they are called on the wire."""
    return tuple((name, field.alias or name) for name, field in model.model_fields.items())
