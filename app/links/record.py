"""One record as the memory has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from typing import Any, NamedTuple

import orjson

from app.links.identifiers import Identifier, IdentifierKind, identifier
from schema.vendor import Vendor

MOST_SHARERS = 20
"""An identifier that more records of one vendor share (a switchboard's number, info@) links nothing."""

MARK_BYTES = 11

_KINDS = {kind.value: kind for kind in IdentifierKind}


class Key(NamedTuple):
    """Which record: within one environment there is one of each."""

    vendor: Vendor
    kind: str
    id: str


@dataclass
class Record:
    """What is known of one record. `fields` is JSON. Nobody changes one; to be frozen makes hundreds a request three times as dear.

    `identifiers` are types and values as given; those of an IdentifierKind link it to other records. `relations` are
    names, and kinds and own IDs of records of the same vendor. With `is_whole` these are all identifiers that it has now;
    else they come on top of those seen before.
    """

    vendor: Vendor
    kind: str
    id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    identifiers: tuple[tuple[str, str], ...] = ()
    relations: tuple[tuple[str, str, str], ...] = ()
    is_whole: bool = False
    seen_ms: int = field(default=0, compare=False)
    """When it was last seen to be new or changed, in milliseconds since 1970."""

    @property
    def key(self) -> Key:
        return Key(self.vendor, self.kind, self.id)

    @cached_property
    def links(self) -> frozenset[Identifier]:
        """The identifiers that link it, in normal form."""
        normal = [identifier(_KINDS[type_], value) for type_, value in self.identifiers if type_ in _KINDS]
        return frozenset([each for each in normal if each is not None])

    @cached_property
    def size(self) -> int:
        """About how many bytes it takes: measured, rounded up."""
        return 1_000 + 3 * len(str((self.fields, self.identifiers)))

    @cached_property
    def mark(self) -> bytes:
        """Tells it from any other, and from itself when it says something else, in whatever order its relations are."""
        said = (self.vendor, self.kind, self.id, self.fields, self.identifiers, sorted(self.relations), self.is_whole)
        try:
            text = orjson.dumps(said)
        except TypeError:  # numbers and characters that are not of JSON as orjson has it
            text = repr(said).encode("utf-8", "backslashreplace")
        return blake2b(text, digest_size=MARK_BYTES).digest()


@dataclass(frozen=True)
class Lookup:
    """One question to a vendor: when it was asked, in milliseconds since 1970, and whether it knew somebody."""

    asked_ms: int
    is_known: bool


def merged(before: Record | None, seen: Sequence[Record]) -> Record:
    """What is known of a record after it was seen: what was not seen this time stays as it was."""
    known = before or Record(seen[0].vendor, seen[0].kind, seen[0].id)
    for record in seen:
        kept = () if record.is_whole else known.identifiers
        added = tuple(each for each in dict.fromkeys(record.identifiers) if each not in kept)
        fields = dict(known.fields) | {name: value for name, value in record.fields.items() if value is not None}
        known = replace(known, fields=fields, identifiers=(*kept, *added))
    return known


def is_shared(identifier: Identifier, keys: Sequence[Key]) -> bool:
    """Whether so many records of one vendor carry an identifier that it says nothing about who they are."""
    if len(keys) <= MOST_SHARERS or identifier.kind is IdentifierKind.CLIENT:
        return False
    vendors = [key.vendor for key in keys]
    return any(vendors.count(vendor) > MOST_SHARERS for vendor in set(vendors))
