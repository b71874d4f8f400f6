"""From what the schema has at hand to where a search in memory begins."""

from __future__ import annotations

from app.links.identifiers import client_of, email_of, linkedin_of, phone_of
from app.links.record import Key
from app.links.resolve import Circle
from schema.types.identity import Identity
from schema.types.node import VendorRecord
from schema.vendor import Vendor


def circle_of(identity: Identity) -> Circle:
    """The records and the identifiers in normal form of an identity."""
    found = [
        *map(email_of, identity.email_addresses),
        *map(phone_of, identity.phone_numbers),
        *map(linkedin_of, identity.linkedin_profile_urls),
        *(client_of(record.id) for record in identity.records if is_client(record)),
    ]
    keys = frozenset(key_of(record) for record in identity.records if not is_client(record))
    return Circle(keys, frozenset(each for each in found if each is not None))


def key_of(record: VendorRecord) -> Key:
    """A record's place in memory: there a person and a prospect are one, as they are at Architect."""
    kind = "person" if record.vendor is Vendor.ARCHITECT and record.kind == "prospect" else record.kind
    return Key(record.vendor, kind, record.id)


def is_client(record: VendorRecord) -> bool:
    """Whether it is a client of Artu: known here by its contact methods alone."""
    return record.vendor is Vendor.ARTU and record.kind == "client"
