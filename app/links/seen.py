"""What one answer of a vendor shows, and what memory made of it: it has to be told of the same answer only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.links.record import Record
from app.paging import Page
from schema.vendor import Vendor

T = TypeVar("T")


@dataclass(eq=False)
class Seen(Generic[T]):
    """A page of one kind of record as a vendor has it, and what is to be remembered of each."""

    vendor: Vendor
    kind: str
    page: Page[T]
    records: Sequence[Record]
    completed: Page[T] | None = None
    """The same with what memory adds."""
    since: int = -1
    """What `Recollection.now` was when memory was told of it last, or began to complete it."""
