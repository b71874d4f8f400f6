"""The records and identifiers of one human being, and where a search for them begins."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from app.links.identifiers import Identifier, IdentifierKind, client_of, email_of, linkedin_of, phone_of
from app.links.record import Key
from schema.types.identity import Identity
from schema.types.node import VendorRecord
from schema.vendor import Vendor

ASKED_FOR = (IdentifierKind.EMAIL, IdentifierKind.PHONE)
"""What vendors can be asked for, the likeliest to be known first."""


class _Parts(NamedTuple):
    records: frozenset[Key] = frozenset()
    identifiers: frozenset[Identifier] = frozenset()


class Circle(_Parts):
    """Records and identifiers of one human being: where to begin, or all that is known.

    What can be told of it is told for every link, and worked out once: nobody changes it.
    """

    @cached_property
    def vendors(self) -> Collection[Vendor]:
        """Those that have any of its records."""
        return tuple({key.vendor for key in self.records})

    @cached_property
    def clients(self) -> list[str]:
        """Artu's own IDs of the clients, sorted."""
        return sorted([each.value for each in self.identifiers if each.kind is IdentifierKind.CLIENT])

    @cached_property
    def asked_for(self) -> Sequence[Identifier]:
        """The identifiers that vendors can be asked for, in the order in which they are."""
        return sorted([each for each in self.identifiers if each.kind in ASKED_FOR], key=_likeliest_first)

    def of(self, vendor: Vendor, kind: str) -> Sequence[str]:
        """The vendor's own IDs of one kind of record, sorted."""
        return self._own_ids.get((vendor, kind), ())

    @cached_property
    def _own_ids(self) -> Mapping[tuple[Vendor, str], Sequence[str]]:
        found: dict[tuple[Vendor, str], list[str]] = {}
        for vendor, kind, own_id in self.records:
            found.setdefault((vendor, kind), []).append(own_id)
        return {of: sorted(own_ids) for of, own_ids in found.items()}

    def __le__(self, other: Circle) -> bool:  # type: ignore[override]
        """Whether all of it belongs to the other."""
        return self.records <= other.records and self.identifiers <= other.identifiers

    def __or__(self, other: Circle) -> Circle:
        return Circle(self.records | other.records, self.identifiers | other.identifiers)


def circle_of(identity: Identity) -> Circle:
    """The records and the identifiers in normal form of an identity, which keeps them."""
    circle: Circle | None = identity.circle
    if circle is None:
        circle = identity.circle = _circle(identity)
    return circle


def _circle(identity: Identity) -> Circle:
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
