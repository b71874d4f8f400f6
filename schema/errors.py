"""Everything that can go wrong, as data for payloads and as exceptions for the rest.

    MutationError (GraphQL interface; the answer to "why was it not done?")
    ├── InvalidInput           the caller's input is wrong; `path` leads to it
    ├── NotFound               the record pointed at does not exist at the vendor
    ├── VendorRejected         the vendor said no
    ├── VendorUnavailable      the vendor has provably not seen the write, or could not be read
    ├── OutcomeUnknown         sent, and nobody knows whether it was applied
    ├── IdempotencyConflict    the key was used for another input
    ├── WriteInProgress        the same write is under way
    └── RateLimited            the vendor or the gateway asks for patience

    GatewayError (exception; carries its `code` for errors[].extensions.code)
    ├── Refusal                carries MutationErrors: payload data in a mutation, an error in a query
    ├── LedgerUnavailable      LEDGER_UNAVAILABLE: nothing was sent, for it could not be stored; and what else needs the database
    ├── BadUserInput           BAD_USER_INPUT: an argument of a query is wrong
    └── Forbidden              FORBIDDEN: the key lacks a scope

Anything that is not a GatewayError is a fault of the gateway itself: masked at the edge, logged with the request ID.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import strawberry

from schema.vendor import Vendor

if TYPE_CHECKING:
    from schema.types.receipt import Receipt


@strawberry.interface(description="Why a mutation did not do what was asked.")
class MutationError:
    code: str = strawberry.field(
        description="The type's name in capitals, or a narrower code listed in the README. For programs."
    )
    message: str = strawberry.field(description="What happened and what to do next. For people.")
    retryable: bool = strawberry.field(
        default=False, description="Whether the same mutation may be sent again without the risk of doing it twice."
    )


@strawberry.type(description="An input is wrong. Nothing was sent.")
class InvalidInput(MutationError):
    code: str = strawberry.field(default="INVALID_INPUT", description="INVALID_INPUT.")
    path: list[str] = strawberry.field(description='Leads to the input, as in ["input", "items", "3", "value"].')


@strawberry.type(description="The party or record pointed at could not be found at the vendor. Nothing was written.")
class NotFound(MutationError):
    code: str = strawberry.field(default="NOT_FOUND", description="NOT_FOUND.")
    path: list[str] = strawberry.field(description="Leads to the input that points at it.")


@strawberry.type(description="The vendor answered no. Nothing was written.")
class VendorRejected(MutationError):
    code: str = strawberry.field(default="VENDOR_REJECTED", description="VENDOR_REJECTED.")
    vendor: Vendor = strawberry.field(description="Who said no.")
    status: int | None = strawberry.field(default=None, description="The HTTP status of the vendor's answer.")
    vendor_code: str | None = strawberry.field(default=None, description="The vendor's own code for the reason.")
    path: list[str] = strawberry.field(
        default_factory=list,
        description="Leads to the input that the vendor objects to. Empty where it names none.",
    )


@strawberry.type(description="The vendor could not be reached and has provably not seen the write.")
class VendorUnavailable(MutationError):
    code: str = strawberry.field(
        default="VENDOR_UNAVAILABLE",
        description="VENDOR_UNAVAILABLE, CIRCUIT_OPEN, VENDOR_NOT_CONFIGURED, or SETTLED_NOT_APPLIED.",
    )
    retryable: bool = strawberry.field(
        default=True,
        description="True, unless only the gateway's operator can help: the vendor is not configured, or could not prove "
        "who it is (TLS).",
    )
    vendor: Vendor = strawberry.field(description="Who could not be reached.")
    retry_after_seconds: float | None = strawberry.field(
        default=None, description="How long to wait before the next try, in seconds, where known."
    )


@strawberry.type(
    description="The write was sent and nobody knows whether the vendor applied it. It is not sent again by itself "
    "unless the vendor takes an idempotency key."
)
class OutcomeUnknown(MutationError):
    code: str = strawberry.field(default="OUTCOME_UNKNOWN", description="OUTCOME_UNKNOWN.")
    vendor: Vendor = strawberry.field(description="Who was sent the write.")


@strawberry.type(description="The idempotency key was used before with another input.")
class IdempotencyConflict(MutationError):
    code: str = strawberry.field(default="IDEMPOTENCY_CONFLICT", description="IDEMPOTENCY_CONFLICT.")


@strawberry.type(description="The same write is being sent right now by another request.")
class WriteInProgress(MutationError):
    code: str = strawberry.field(default="WRITE_IN_PROGRESS", description="WRITE_IN_PROGRESS.")
    retryable: bool = strawberry.field(default=True, description="True: ask again with the same idempotency key.")


@strawberry.type(description="The gateway or the vendor asks for patience. Nothing was written.")
class RateLimited(MutationError):
    code: str = strawberry.field(default="RATE_LIMITED", description="RATE_LIMITED, or OVERLOADED.")
    retryable: bool = strawberry.field(default=True, description="True, after the wait.")
    retry_after_seconds: float | None = strawberry.field(
        default=None, description="How long to wait before the next try, in seconds, where known."
    )


class GatewayError(Exception):
    """An error that was foreseen; its message and extensions may be shown to the caller."""

    code = "INTERNAL_ERROR"

    @property
    def extensions(self) -> dict[str, Any]:
        """What stands in errors[].extensions."""
        return {"code": self.code}


class Refusal(GatewayError):
    """One or more MutationErrors, raised by whoever finds them first."""

    def __init__(self, *errors: MutationError, receipt: Receipt | None = None) -> None:
        super().__init__(" ".join(error.message for error in errors))
        self.errors: Sequence[MutationError] = errors
        self.receipt = receipt
        self.code = errors[0].code

    @property
    def extensions(self) -> dict[str, Any]:
        first = self.errors[0]
        vendor = getattr(first, "vendor", None)
        facts = {
            "vendor": vendor and vendor.value,
            "status": getattr(first, "status", None),
            "vendorCode": getattr(first, "vendor_code", None),
            "retryAfter": getattr(first, "retry_after_seconds", None),
        }
        known = {name: fact for name, fact in facts.items() if fact is not None}
        return {"code": self.code, "retryable": first.retryable, **known}


class LedgerUnavailable(GatewayError):
    """The database that makes writes durable does not answer: nothing was sent. A background write may be later."""

    code = "LEDGER_UNAVAILABLE"


class BadUserInput(GatewayError):
    """An argument of a query is wrong; the message says which and how to mend it, without repeating the value."""

    code = "BAD_USER_INPUT"


class Forbidden(GatewayError):
    """The gateway key lacks the scope that a field needs."""

    code = "FORBIDDEN"

    def __init__(self, scope: str) -> None:
        super().__init__(f"This key lacks the scope {scope}. Ask for a key that has it.")
        self.scope = scope

    @property
    def extensions(self) -> dict[str, Any]:
        return {"code": self.code, "scope": self.scope}
