"""Where the search for one human being begins: the records and identifiers at hand."""

from __future__ import annotations

from dataclasses import dataclass

from schema.types.node import VendorRecord


@dataclass(frozen=True)
class Identity:
    """Records and identifiers, as given, of one human being."""

    records: tuple[VendorRecord, ...] = ()
    email_addresses: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    linkedin_profile_urls: tuple[str, ...] = ()
