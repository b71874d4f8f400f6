"""What a resolver reaches: who is asking, and the ports. One per request, and one per event of a subscription."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import strawberry

if TYPE_CHECKING:
    from schema import ports
    from schema.types.status import Viewer


@dataclass(frozen=True)
class Context:
    """The ports are named in schema.ports; `request_id` is for errors and logs, `idempotency_key` is the header's."""

    viewer: Viewer
    request_id: str
    idempotency_key: str | None
    ledger: ports.Ledger
    receipts: ports.Receipts
    links: ports.Links
    people: ports.People
    prospects: ports.Prospects
    person_logs: ports.PersonLogs
    prospect_logs: ports.ProspectLogs
    contact_book: ports.ContactBook
    contact_methods: ports.ContactMethodBook
    activities: ports.ActivityLog
    vendors: ports.Vendors
    live: ports.Live


Info: TypeAlias = strawberry.Info[Context, None]
