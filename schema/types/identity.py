"""Where the search for one human being begins: the records and identifiers at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from schema.types.node import VendorRecord


@dataclass(slots=True)
class Identity:
    """Records and identifiers, as given, of one human being. Nobody changes them."""

    records: tuple[VendorRecord, ...] = ()
    email_addresses: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()
    linkedin_profile_urls: tuple[str, ...] = ()
    circle: Any = field(default=None, init=False, repr=False, compare=False)
    """What whoever looks for the human being makes of that, once."""
