"""The records and identifiers of one human being, and where a search for them begins."""

from __future__ import annotations

from typing import NamedTuple

from app.links.identifiers import Identifier, IdentifierKind, client_of, email_of, linkedin_of, phone_of
from app.links.record import Key
from schema.types.identity import Identity
from schema.types.node import VendorRecord
from schema.vendor import Vendor

ASKED_FOR = (IdentifierKind.EMAIL, IdentifierKind.PHONE)
"""What vendors can be asked for, the likeliest to be known first."""


class Circle(NamedTuple):
    """Records and identifiers of one human being: where to begin, or all that is known."""

    records: frozenset[Key] = frozenset()
    identifiers: frozenset[Identifier] = frozenset()

    def has(self, vendor: Vendor) -> bool:
        """Whether any of its records is this vendor's."""
        for key in self.records:  # noqa: SIM110  # any() of a generator takes twice as long, and this is asked for every link
            if key.vendor is vendor:
                return True
        return False

    def of(self, vendor: Vendor, kind: str) -> list[str]:
        """The vendor's own IDs of one kind of record, sorted."""
        return sorted(key.id for key in self.records if key.vendor is vendor and key.kind == kind)

    def clients(self) -> list[str]:
        """Artu's own IDs of the clients, sorted."""
        return sorted(each.value for each in self.identifiers if each.kind is IdentifierKind.CLIENT)

    def asked_for(self) -> list[Identifier]:
        """The identifiers that vendors can be asked for, in the order in which they are."""
        found = [each for each in self.identifiers if each.kind in ASKED_FOR]
        return sorted(found, key=_likeliest_first) if len(found) > 1 else found

    def __or__(self, other: Circle) -> Circle:
        return Circle(self.records | other.records, self.identifiers | other.identifiers)


def circle_of(identity: Identity) -> Circle:
    """The records and the identifiers in normal form of an identity."""
    found = [
        *map(email_of, identity.email_addresses),
        *map(phone_of, identity.phone_numbers),
        *map(linkedin_of, identity.linkedin_profile_urls),
    ]
    keys: list[Key] = []
    for record in identity.records:
        if is_client(record):
            found.append(client_of(record.id))
        else:
            keys.append(key_of(record))
    return Circle(frozenset(keys), frozenset([each for each in found if each is not None]))


def key_of(record: VendorRecord) -> Key:
    """A record's place in memory: there a person and a prospect are one, as they are at Architect."""
    kind = "person" if record.vendor is Vendor.ARCHITECT and record.kind == "prospect" else record.kind
    return Key(record.vendor, kind, record.id)


def is_client(record: VendorRecord) -> bool:
    """Whether it is a client of Artu: known here by its contact methods alone."""
    return record.vendor is Vendor.ARTU and record.kind == "client"


def _likeliest_first(identifier: Identifier) -> tuple[int, str]:
    return ASKED_FOR.index(identifier.kind), identifier.value
