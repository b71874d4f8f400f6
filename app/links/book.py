"""Who is who, as the schema's Links."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.links.circle import Circle, circle_of
from app.links.identifiers import IdentifierKind, identifier
from app.links.record import Key, Record
from app.links.resolve import Links
from app.loaders import OneByOne
from schema import ids
from schema.ids import Kind
from schema.ports import ContactBook, People, Prospects, WholeIdentity
from schema.rules import PARTY_RECORDS
from schema.types.contact import Contact
from schema.types.identity import Identity
from schema.types.node import VendorRecord
from schema.types.person import Person, Prospect
from schema.types.refs import PartyRef, VendorRecordInput, given_field
from schema.vendor import Vendor

_PARTIES = {
    Kind.PERSON: (Vendor.ARCHITECT, "person"),
    Kind.PROSPECT: (Vendor.ARCHITECT, "prospect"),
    Kind.CONTACT: (Vendor.BIRD, "contact"),
}


@dataclass
class LinkBook:
    """Fills schema.ports.Links for one request."""

    links: Links
    all_people: People
    all_prospects: Prospects
    contact_book: ContactBook

    def __post_init__(self) -> None:
        self._wholes: OneByOne[Circle, WholeIdentity] = OneByOne()

    async def start(self, party: PartyRef) -> Identity | None:
        field, value = given_field(party)
        match field:
            case "email_address":
                return Identity(email_addresses=(value,))
            case "phone_number":
                return Identity(phone_numbers=(value,))
            case "linkedin_profile_url":
                return Identity(linkedin_profile_urls=(value,))
        record = _record_of(value)
        return Identity(records=(record,)) if await self._exists(record) else None

    async def whole(self, identity: Identity) -> WholeIdentity:
        return await self._wholes.load(circle_of(identity), self._whole)

    async def is_known(self, identity: Identity) -> bool:
        return await self.links.is_anybody(circle_of(identity))

    async def people(self, identity: Identity) -> list[Person]:
        circle = await self.links.remembered(circle_of(identity))
        return _found(await asyncio.gather(*map(self.all_people.get, circle.of(Vendor.ARCHITECT, "person"))))

    async def prospects(self, identity: Identity) -> list[Prospect]:
        circle = await self.links.remembered(circle_of(identity))
        return _found(await asyncio.gather(*map(self.all_prospects.get, circle.of(Vendor.ARCHITECT, "person"))))

    async def contacts(self, identity: Identity) -> list[Contact]:
        """Those that carry what was given itself first."""
        start = circle_of(identity)
        circle = await self.links.known_to(Vendor.BIRD, start)
        own_ids = await self.links.nearest_first(start, circle.of(Vendor.BIRD, "contact"), Vendor.BIRD, "contact")
        return _found(await asyncio.gather(*map(self.contact_book.get, own_ids)))

    async def _exists(self, record: VendorRecord) -> bool:
        """Whether memory or the vendor has a record; if the vendor has, memory then does."""
        start = circle_of(Identity(records=(record,)))
        if (await self.links.records.recall(list(start.records))) or (
            await self.links.remembered(start)
        ).records - start.records:
            return True
        finder = self.links.finders.get(record.vendor)
        if finder is None or not await finder.read(record.id):
            return False
        self.links.forget()
        return True

    async def _whole(self, start: Circle) -> WholeIdentity:
        circle = await self.links.known_to_all(start)
        known = await self.links.records.recall(list(circle.records))
        found = [known[key] for key in sorted(known, key=_in_order)]
        identity = Identity(
            records=tuple(_vendor_records(circle, found)),
            email_addresses=_texts(found, IdentifierKind.EMAIL),
            phone_numbers=_texts(found, IdentifierKind.PHONE),
            linkedin_profile_urls=_texts(found, IdentifierKind.LINKEDIN),
        )
        names = (record.fields.get("name") or record.fields.get("displayName") for record in found)
        return WholeIdentity(identity, next((name for name in names if name), None))


def _record_of(given: str | VendorRecordInput) -> VendorRecord:
    """The record that a PartyRef names by ID; schema.rules has made sure that it is a party."""
    if isinstance(given, VendorRecordInput):
        return VendorRecord(vendor=given.vendor, kind=given.kind, id=_lowered(given.id))
    record = ids.decode(given)
    if record is None:
        raise ValueError("not an ID of this API")
    vendor, kind = _PARTIES[record.kind]
    return VendorRecord(vendor=vendor, kind=kind, id=record.parts[0])


def _lowered(own_id: str) -> str:
    return own_id.lower() if ids.UUID.fullmatch(own_id) else own_id


def _vendor_records(circle: Circle, found: Iterable[Record]) -> Iterator[VendorRecord]:
    """The records that are the human being itself; contact methods are its clients'."""
    for record in found:
        if (record.vendor, record.kind) in PARTY_RECORDS:
            yield VendorRecord(vendor=record.vendor, kind=record.kind, id=record.id)
    for client_id in circle.clients:
        yield VendorRecord(vendor=Vendor.ARTU, kind="client", id=client_id)


def _texts(found: Sequence[Record], kind: IdentifierKind) -> tuple[str, ...]:
    """The identifiers of a kind as stored, one for each normal form."""
    texts = [text for record in found for type_, text in record.identifiers if type_ == kind.value]
    first = {normal: text for text in reversed(texts) if (normal := identifier(kind, text)) is not None}
    return tuple(text for text in dict.fromkeys(texts) if text in first.values())


def _in_order(key: Key) -> tuple[int, str, str]:
    return list(Vendor).index(key.vendor), key.kind, key.id


def _found(records: Iterable[Any]) -> list[Any]:
    return [record for record in records if record is not None]
