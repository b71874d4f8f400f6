"""Vendors that know what a test says, and count what they are asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.links.circle import Circle
from app.links.identifiers import Identifier, email_of, linkedin_of, phone_of
from app.links.record import Key, Record
from app.links.records import Records
from schema.errors import Refusal
from schema.vendor import Vendor


@dataclass
class Directory:
    """Fills app.links.resolve.Finder. `asked` is every call in order; it answers while `open` is set."""

    records: Records
    known: Sequence[Record] = ()
    takes_many: bool = False
    refusal: Refusal | None = None
    asked: list[list[str]] = field(default_factory=list)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    open: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def find(self, identifiers: Sequence[Identifier]) -> Mapping[Identifier, bool | Refusal]:
        self.asked.append([each.value for each in identifiers])
        self.was_asked.set()
        await self.open.wait()
        if self.refusal is not None:
            raise self.refusal
        found = [record for record in self.known if record.links & set(identifiers)]
        self.records.note(*found)
        return {each: any(each in record.links for record in found) for each in identifiers}

    async def read(self, own_id: str) -> bool:
        raise NotImplementedError


def record(vendor: Vendor, own_id: str, *values: str) -> Record:
    """A record with e-mail addresses, phone numbers, LinkedIn profiles, and clients (`client:…`)."""
    kinds = {Vendor.ARCHITECT: "person", Vendor.ARTU: "contact_method"}
    return Record(vendor, kinds.get(vendor, "contact"), own_id, identifiers=tuple(map(_typed, values)))


def at(*values: str) -> Circle:
    """Where a search for these begins."""
    found = [email_of(value) or phone_of(value) or linkedin_of(value) for value in values]
    return Circle(identifiers=frozenset(each for each in found if each is not None))


def keys(*records: Record) -> frozenset[Key]:
    return frozenset(each.key for each in records)


def _typed(value: str) -> tuple[str, str]:
    if value.startswith("client:"):
        return "client", value.removeprefix("client:")
    if "@" in value:
        return "email", value
    return ("phone" if value.startswith("+") else "linkedin"), value
