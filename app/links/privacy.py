"""What is remembered of one human being, shown or forgotten on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from app.links import store
from app.links.circle import Circle
from app.links.identifiers import Identifier, IdentifierKind, client_of
from app.links.record import Key, Lookup, Record
from app.links.records import Records
from app.links.resolve import Links
from schema import ids
from schema.ids import Kind
from schema.vendor import Environment, Vendor

_KEPT_AS = {
    Kind.PERSON: (Vendor.ARCHITECT, "person"),
    Kind.PERSON_LOG: (Vendor.ARCHITECT, "person_log"),
    Kind.PROSPECT: (Vendor.ARCHITECT, "person"),
    Kind.PROSPECT_LOG: (Vendor.ARCHITECT, "prospect_log"),
    Kind.CONTACT: (Vendor.BIRD, "contact"),
    Kind.CONTACT_METHOD: (Vendor.ARTU, "contact_method"),
    Kind.ACTIVITY: (Vendor.REEVO, "activity"),
}


@dataclass(frozen=True)
class Remembered:
    """All records of one human being, the logs and activities that hang on them, and what vendors were asked about it.

    `shared` are identifiers that so many records carry that they link none of them.
    """

    environment: Environment
    records: Sequence[Record]
    identifiers: Sequence[Identifier]
    shared: Sequence[Identifier]
    lookups: Sequence[tuple[Vendor, Identifier, Lookup]]

    def is_nothing(self) -> bool:
        """Whether there is nothing to forget."""
        return not (self.records or self.lookups)

    def as_json(self) -> dict[str, Any]:
        """All of it, to be printed."""
        return {
            "environment": self.environment.value,
            "records": [_record_json(each) for each in self.records],
            "identifiers": [_identifier_json(each) for each in self.identifiers],
            "sharedByTooMany": [_identifier_json(each) for each in self.shared],
            "lookups": [
                {
                    "vendor": vendor.value,
                    **_identifier_json(each),
                    "known": lookup.is_known,
                    "asked": _moment(lookup.asked_ms),
                }
                for vendor, each, lookup in self.lookups
            ],
        }


async def start_of(records: Records, given_id: str) -> Circle:
    """Where the search for an ID of this API or a vendor's own begins: it may be the ID of several records."""
    named = ids.decode(given_id)
    own_id = named.parts[-1] if named else given_id
    own_id = own_id.lower() if ids.UUID.fullmatch(own_id) else own_id
    found = await records.memory.read(lambda c: store.with_id(c, records.environment, own_id))
    if named is None:
        return Circle(frozenset(found), frozenset(await records.carriers([client_of(own_id)])))
    return Circle(frozenset(key for key in found if (key.vendor, key.kind) == _KEPT_AS[named.kind]))


async def show(records: Records, start: Circle) -> Remembered:
    """Everything remembered of the human being to whom `start` belongs."""
    circle = await Links(records, max_age_ms=0).remembered(start)
    identifiers = sorted(circle.identifiers)
    shared = await records.shared(identifiers)
    own = [each for each in identifiers if each not in shared]
    # A meeting is also related to the addresses of those who take part, contacts or not.
    addresses = [Key(Vendor.REEVO, each.kind.value, each.value) for each in own if each.kind is IdentifierKind.EMAIL]
    related = await records.pointing_at([*circle.records, *addresses])
    keys = sorted({*circle.records, *related}, key=_in_order)
    known = await records.recall(keys)
    asked = await records.memory.read(lambda c: store.asked_for(c, records.environment, own))
    held = [known[key] for key in keys if key in known]
    return Remembered(records.environment, held, own if held or asked else [], shared, sorted(asked, key=_by_vendor))


async def forget(records: Records, start: Circle) -> Remembered:
    """Deletes all of that; returns what was deleted."""
    found = await show(records, start)
    await records.memory.write(lambda connection: _delete(connection, found))
    return found


def _delete(connection: Connection, found: Remembered) -> None:
    store.forget(connection, {(found.environment, record.key) for record in found.records})
    store.forget_lookups(connection, found.environment, found.identifiers)


def _record_json(record: Record) -> dict[str, Any]:
    return {
        "vendor": record.vendor.value,
        "kind": record.kind,
        "id": record.id,
        "fields": dict(record.fields),
        "identifiers": [{"type": type_, "value": value} for type_, value in record.identifiers],
        "seen": _moment(record.seen_ms),
    }


def _identifier_json(identifier: Identifier) -> dict[str, str]:
    return {"type": identifier.kind.value, "value": identifier.value}


def _moment(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_order(key: Key) -> tuple[str, str, str]:
    return key.vendor.value, key.kind, key.id


def _by_vendor(asked: tuple[Vendor, Identifier, Lookup]) -> tuple[str, Identifier]:
    return asked[0].value, asked[1]
