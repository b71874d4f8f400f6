"""The HTTP status that tells a client without GraphQL what became of its operation.

Where a write is in doubt the status is none that HTTP clients take as an invitation to try again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

STATUSES: dict[int, tuple[str, bool]] = {
    200: ("Done; the data is in `data`. For a read, `errors` names what is missing from it.", False),
    202: ("Stored; it is delivered later. The receipt tells what becomes of it.", True),
    400: ("The request is wrong: no JSON, or variables that don't fit. Nothing was done.", False),
    401: ("No valid gateway key.", False),
    403: ("The key lacks a scope, which `errors` names.", False),
    404: ("No trusted document has this name.", False),
    408: ("The body did not arrive in time. Nothing was done.", False),
    409: ("Don't repeat it with another key: it is being sent, or nobody knows yet. Ask for the receipt.", True),
    413: ("The body is too large. Nothing was done.", False),
    415: ("The body is not said to be JSON, or is compressed. Nothing was done.", False),
    422: ("Refused, and nothing was written; `errors`, for a write those in its payload, say why.", False),
    429: ("Too much. Nothing was written; repeat it after the seconds in Retry-After.", False),
    500: ("An error of the gateway. Repeat a write with its idempotency key only.", False),
    503: ("Not available right now, and provably not written. Repeat it later.", False),
}
"""What each status means, and whether only writes are answered so."""

_BY_TYPE = {
    "WriteInProgress": 409,
    "OutcomeUnknown": 409,
    "RateLimited": 429,
    "VendorUnavailable": 503,
}
_BY_CODE = {
    "WRITE_IN_PROGRESS": 409,
    "OUTCOME_UNKNOWN": 409,
    "RATE_LIMITED": 429,
    "OVERLOADED": 429,
    "VENDOR_UNAVAILABLE": 503,
    "CIRCUIT_OPEN": 503,
    "VENDOR_NOT_CONFIGURED": 503,
    "LEDGER_UNAVAILABLE": 503,
    "INTERNAL_ERROR": 500,
    "FORBIDDEN": 403,
    "UNAUTHENTICATED": 401,
    "BAD_USER_INPUT": 400,
}


def status_of(body: Mapping[str, Any]) -> tuple[int, float | None]:
    """The status for an answer of GraphQL, and the seconds to wait before a repeat, where known."""
    data = body.get("data")
    if data is None:
        return _refused(body, 400)
    payload_error = next(_payload_errors(data), None)
    if payload_error is not None:
        return _status(payload_error, 422), payload_error.get("retryAfterSeconds")
    if body.get("errors") and all(each is None for each in data.values()):
        return _refused(body, 422)
    return (202 if any(map(_is_pending, data.values())) else 200), None


def retry_after(seconds: float) -> str:
    """The header's value: whole seconds (RFC 9110, section 10.2.3)."""
    return str(max(1, math.ceil(seconds)))


def _refused(body: Mapping[str, Any], otherwise: int) -> tuple[int, float | None]:
    extensions = body["errors"][0].get("extensions", {})
    return _status(extensions, otherwise), extensions.get("retryAfter")


def _status(error: Mapping[str, Any], otherwise: int) -> int:
    by_type = _BY_TYPE.get(error.get("__typename", ""))
    return by_type or _BY_CODE.get(error.get("code", ""), otherwise)


def _payload_errors(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for payload in data.values():
        errors = payload.get("errors") if isinstance(payload, Mapping) else None
        yield from (each for each in errors or () if isinstance(each, Mapping))


def _is_pending(payload: Any) -> bool:
    receipt = payload.get("receipt") if isinstance(payload, Mapping) else None
    return isinstance(receipt, Mapping) and receipt.get("state") == "PENDING"
