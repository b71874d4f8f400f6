"""Reads any record by its ID of this API."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from schema import ids
from schema.errors import BadUserInput
from schema.ids import Kind

if TYPE_CHECKING:
    from schema.context import Context

_READERS: dict[Kind, Callable[[Context, tuple[str, ...]], Awaitable[Any]]] = {
    Kind.PERSON: lambda context, own: context.people.get(*own),
    Kind.PERSON_LOG: lambda context, own: context.person_logs.get(*own),
    Kind.PROSPECT: lambda context, own: context.prospects.get(*own),
    Kind.PROSPECT_LOG: lambda context, own: context.prospect_logs.get(*own),
    Kind.CONTACT: lambda context, own: context.contact_book.get(*own),
    Kind.CONTACT_METHOD: lambda context, own: context.contact_methods.get(*own),
    Kind.ACTIVITY: lambda context, own: context.activities.get(*own),
    Kind.RECEIPT: lambda context, own: context.receipts.get(own[0], None),
}


async def read_node(context: Context, given: str) -> Any:
    """The record, or None if it does not exist. Raises BadUserInput for what is no ID of this API."""
    record = ids.decode(given)
    if record is None or not all(map(ids.OPAQUE.fullmatch, record.parts)):
        raise BadUserInput("Expected an ID of this API. A vendor's own ID is taken where the kind of record is known.")
    return await _READERS[record.kind](context, record.parts)
