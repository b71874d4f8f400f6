"""Scopes: every root field names the one that a gateway key needs for it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from strawberry.extensions import FieldExtension

from schema.context import Context, Info
from schema.errors import Forbidden

EVERYTHING = "*"
READ = "read"
SCHEMA_READ = "schema:read"
TELEMETRY = "telemetry:read"
SCOPES = {
    READ: "Every query and subscription.",
    "person-logs:write": "createPersonLog.",
    "prospect-logs:write": "createProspectLog.",
    "contacts:write": "createContact.",
    "contact-methods:write": "syncContactMethods.",
    "activities:write": "logActivity.",
    "receipts:read-all": "The receipts of all keys, not only of one's own.",
    "receipts:settle": "settleReceipt.",
    SCHEMA_READ: "Introspection in LIVE, and suggestions of names in what is said of wrong ones.",
    TELEMETRY: "The calls to vendors that an operation took (header X-Vendor-Calls), in LIVE.",
    EVERYTHING: "All of them.",
}


def may(granted: Collection[str], scope: str) -> bool:
    """Whether these scopes hold that one."""
    return scope in granted or EVERYTHING in granted


class Guard(FieldExtension):
    """Lets a field run or not, and does nothing else: `check` raises if it must not."""

    def check(self, context: Context) -> None:
        raise NotImplementedError

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **kwargs: Any) -> Any:
        self.check(info.context)
        return await next_(source, info, **kwargs)


class Scope(Guard):
    """Lets a field run only for keys that have the scope."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    def check(self, context: Context) -> None:
        if not may(context.viewer.scopes, self.scope):
            raise Forbidden(self.scope)
