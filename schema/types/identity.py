"""Where the search for one human being begins: the records and identifiers at hand."""

from __future__ import annotations

from dataclasses import dataclass

from schema.types.node import VendorRecord


@dataclass(slots=True)
class Identity:
    """Records and identifiers, as given, of one human being.

    Not frozen, though nobody changes it: one is made for every field that leads to another vendor, in a third of the time.
    """

    records: tuple[VendorRecord, ...] = ()
    email_addresses: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    linkedin_profile_urls: tuple[str, ...] = ()
