"""The five mutations as the input tests ask them, and inputs that are just enough for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from tests.gateway import Gateway

PERSON_LOG = "createPersonLog"
PROSPECT_LOG = "createProspectLog"
CONTACT = "createContact"
SYNC = "syncContactMethods"
ACTIVITY = "logActivity"

ENOUGH: Mapping[str, Mapping[str, Any]] = {
    PERSON_LOG: {"emailAddress": "ada@example.com", "source": "crm", "payload": {}},
    PROSPECT_LOG: {"emailAddress": "ada@example.com", "source": "crm", "payload": {}},
    CONTACT: {"displayName": "Ada"},
    SYNC: {"client": {"clientId": FIRST_CLIENT_ID}, "items": []},
    ACTIVITY: {"subject": "Call"},
}
"""By mutation, the smallest input that it accepts."""

Broken = list[tuple[str, str]]
"""Dotted paths below `input` (empty for the whole), each with its message."""


async def mutate(gateway: Gateway, mutation: str, **changes: Any) -> list[dict[str, Any]]:
    """The errors in the payload of a mutation with its smallest input, changed."""
    document = f"""mutation ($input: {mutation[0].upper()}{mutation[1:]}Input!) {{
      {mutation}(input: $input) {{ errors {{ __typename code message retryable ... on InvalidInput {{ path }} }} }}
    }}"""
    answer = await gateway.ask(document, {"input": {**ENOUGH[mutation], **changes}})
    assert answer.errors == []
    return list(answer.data[mutation]["errors"])


async def broken(gateway: Gateway, mutation: str, **changes: Any) -> Broken:
    """The rules that an input breaks. Every one is an InvalidInput, and nothing was sent."""
    errors = await mutate(gateway, mutation, **changes)
    assert gateway.upstream == []
    assert {(e["__typename"], e["code"], e["retryable"]) for e in errors} <= {("InvalidInput", "INVALID_INPUT", False)}
    assert {e["path"][0] for e in errors} <= {"input"}
    return [(".".join(e["path"][1:]), e["message"]) for e in errors]
