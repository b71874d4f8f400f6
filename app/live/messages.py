"""The messages of graphql-transport-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from app.bad_request import BadRequest
from app.body import bad, parse_json
from app.request import GraphQLRequest, read_parameters

SUBPROTOCOL = "graphql-transport-ws"
LONGEST_ID = 128
"""Of an operation, in characters."""

_PLAIN = frozenset({"ping", "pong", "connection_init"})


class Code(IntEnum):
    """Why a connection is closed: RFC 6455 and IANA's registry below 4000, the protocol's own from there."""

    IDLE = 1000
    GOING_AWAY = 1001
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL_NOT_ACCEPTABLE = 4406
    INITIALISATION_TIMEOUT = 4408
    SUBSCRIBER_ALREADY_EXISTS = 4409
    TOO_MANY_INITIALISATION_REQUESTS = 4429
    INTERNAL_ERROR = 4500


class Closing(Exception):
    """Ends a connection; without a code it is closed already. Of a reason that is too long the beginning is told."""

    def __init__(self, code: Code | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = _short(reason)


@dataclass(frozen=True)
class Message:
    """What a client sent. `id` is there for `subscribe` and `complete`, `request` for `subscribe`."""

    type: str
    id: str = ""
    payload: Mapping[str, Any] | None = None
    request: GraphQLRequest | None = None


def read_message(text: str) -> Message:
    """The message in a text frame. Raises Closing for what is none."""
    try:
        return _message(parse_json(text.encode()))
    except (BadRequest, UnicodeEncodeError) as refused:
        raise Closing(Code.BAD_REQUEST, str(refused)) from None


def _message(parsed: Any) -> Message:
    if not isinstance(parsed, dict):
        raise bad("A message must be a JSON object.")
    type_, payload = parsed.get("type"), parsed.get("payload")
    if isinstance(type_, str) and type_ in _PLAIN:
        if not isinstance(payload, dict | None):
            raise bad(f"The payload of {type_} must be a JSON object.")
        return Message(type_, payload=payload)
    if type_ == "complete":
        return Message(type_, _id(parsed))
    if type_ == "subscribe":
        return Message(type_, _id(parsed), request=read_parameters(payload))
    raise bad("type must be connection_init, subscribe, complete, ping or pong.")


def _id(parsed: Mapping[str, Any]) -> str:
    found = parsed.get("id")
    if not isinstance(found, str) or not 0 < len(found) <= LONGEST_ID:
        raise bad(f"id must be a string of 1 to {LONGEST_ID} characters.")
    return found


def _short(reason: str) -> str:
    """A reason as a close frame takes it: 123 bytes (RFC 6455, section 5.5)."""
    return reason.encode()[:123].decode(errors="ignore")
