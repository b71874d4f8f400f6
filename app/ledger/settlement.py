"""How a person ends a doubt that nothing else can."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from sqlalchemy import Connection

from app.database import one_at_a_time
from app.ledger import store
from app.ledger.write import Write, write_error
from app.writer import Writer
from schema import ids
from schema.errors import InvalidInput, Refusal, VendorUnavailable
from schema.ids import Kind
from schema.types.receipt import WriteOperation, WriteState

MADE: Mapping[WriteOperation, Kind] = {
    WriteOperation.CREATE_PERSON_LOG: Kind.PERSON_LOG,
    WriteOperation.CREATE_PROSPECT_LOG: Kind.PROSPECT_LOG,
    WriteOperation.CREATE_CONTACT: Kind.CONTACT,
    WriteOperation.LOG_ACTIVITY: Kind.ACTIVITY,
}
"""What an operation makes, each time anew. A sync makes nothing that is its alone."""

_BY_UUID = frozenset({Kind.CONTACT, Kind.ACTIVITY})
"""What the vendor's own ID says enough of."""


class Word(NamedTuple):
    """What a person says of a write in doubt, and who it is. `record` is what it made, by ID of this API or the vendor's own."""

    applied: bool
    record: str | None
    note: str
    by: str


async def settle(writer: Writer, write: Write, word: Word, now: int) -> Write:
    """Makes a write in doubt final by a person's word. Raises Refusal if it is not in doubt, or can't have made that record."""
    if write.state is not WriteState.UNKNOWN:
        raise _wrong("receiptId", f"Only a write in doubt can be settled; this one is {write.state.value}.")
    values = _applied(write, word.record) if word.applied else _not_applied(write)
    reason = f"settled by {word.by} as {'applied' if word.applied else 'not applied'}: {word.note}"

    def work(connection: Connection) -> Write | None:
        _check_is_free(connection, write, values.get("result_id"))
        return store.change(connection, write, reason, now, **values)

    settled = await writer.run(work)
    if settled is None:
        raise _wrong("receiptId", "It has changed meanwhile: read the receipt again.")
    return settled


def _applied(write: Write, record: str | None) -> dict[str, Any]:
    return {"state": WriteState.SUCCEEDED, "result_id": _record_id(write.operation, record), "error": None}


def _not_applied(write: Write) -> dict[str, Any]:
    message = "An operator found that it was not applied. It may be repeated."
    error = VendorUnavailable(code="SETTLED_NOT_APPLIED", message=message, vendor=write.vendor)
    return {"state": WriteState.FAILED, "error": write_error(error)}


def _record_id(operation: WriteOperation, given: str | None) -> str | None:
    """A record by ID of this API, from such an ID or from the vendor's own, where that is enough."""
    kind = MADE.get(operation)
    if given is None:
        return None
    if kind is None:
        raise _wrong("vendorRecordId", "A sync of contact methods makes no record that is its alone. Leave this out.")
    named = ids.decode(given)
    if kind in _BY_UUID:
        with suppress(ids.WrongId):
            return ids.encode(kind, ids.own_id_of(kind, given, named))
    elif named is not None and named.kind is kind:
        return given
    or_own = ", or the vendor's own UUID" if kind in _BY_UUID else ""
    raise _wrong("vendorRecordId", f"Give the ID of {kind.with_article} of this API{or_own}.")


def _check_is_free(connection: Connection, write: Write, record_id: str | None) -> None:
    """One record is the outcome of one write. What is being sent and is alike may have made it: its answer is still to come."""
    if record_id is None:
        return
    one_at_a_time(connection)
    if store.is_claimed(connection, write.environment, record_id):
        raise _wrong("vendorRecordId", "This record is what another write has made: it says nothing of this one.")
    if store.is_alike_sent(connection, write):
        message = (
            "Another write of the same that may have made this record is being sent right now; try again in a moment."
        )
        raise _wrong("vendorRecordId", message)


def _wrong(field: str, message: str) -> Refusal:
    return Refusal(InvalidInput(message=message, path=["input", field]))
