"""A partner who writes with idempotency keys and asks for receipts, and forgets no upstream call meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from app.security.keys import SANDBOX_KEY
from tests.gateway import Gateway
from tests.vendors.writes import document

FINAL = ("SUCCEEDED", "FAILED")

RESULTS: Mapping[str, str] = {
    "createPersonLog": "personLog { id source type payload createdAt idempotencyKey } person { id } personCreated",
    "createProspectLog": "prospectLog { id source type payload createdAt } prospect { id } prospectCreated",
    "createContact": "contact { id displayName createdAt }",
    "syncContactMethods": "created { id label createdAt } updated { id } deletedIds",
    "logActivity": "activity { id subject occurredAt createdAt }",
}
"""By mutation, what is asked of its outcome."""

_ANSWER = """
  receipt { id state replayed idempotencyKey attempts createdAt completedAt }
  errors { __typename code message retryable ... on InvalidInput { path } }
"""
_RECEIPT = """query ($key: String!) { receipt(by: {idempotencyKey: $key}) {
  id state attempts createdAt completedAt error { code retryable } events { from to reason }
} }"""


async def post(
    gateway: Gateway, query: str, variables: Mapping[str, Any], *, key: str = SANDBOX_KEY, header: str | None = None
) -> Any:
    """The whole JSON of an answer."""
    headers = {"authorization": f"Bearer {key}"} | ({"idempotency-key": header} if header is not None else {})
    response = await gateway.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    return response.json()


async def write(
    gateway: Gateway, mutation: str, given: Mapping[str, Any], *, key: str = SANDBOX_KEY, header: str | None = None
) -> dict[str, Any]:
    """The payload of one mutation; there must be no top-level errors."""
    asked = document(mutation, RESULTS[mutation] + _ANSWER)
    body = await post(gateway, asked, {"input": given}, key=key, header=header)
    assert "errors" not in body
    payload: dict[str, Any] = body["data"]["it"]
    return payload


async def receipt(gateway: Gateway, idempotency_key: str, *, key: str = SANDBOX_KEY) -> Any:
    """The newest receipt of an idempotency key, or None."""
    return (await post(gateway, _RECEIPT, {"key": idempotency_key}, key=key))["data"]["receipt"]


async def final(gateway: Gateway, idempotency_key: str) -> Any:
    """The receipt once it is final; half a minute is more than any test lets it need."""
    async with asyncio.timeout(120):
        while True:
            found = await receipt(gateway, idempotency_key)
            if found["state"] in FINAL:
                return found
            await asyncio.sleep(0.05)
