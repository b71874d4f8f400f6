"""What a field costs those who have to answer it, told where the field is defined."""

from __future__ import annotations

from collections.abc import Mapping

VENDOR_CALLS = "vendor_calls"
PER = "per"


def costs(vendor_calls: int, *, per: str | None = None) -> Mapping[str, object]:
    """Metadata of a field: how many calls to vendors it may make, each time that it is resolved.

    `per` names an argument that holds a list: then it is that many for each entry.
    """
    return {VENDOR_CALLS: vendor_calls, PER: per}
