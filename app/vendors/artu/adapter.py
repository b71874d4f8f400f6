"""Contact methods at Artu, as the schema's ContactMethodBook."""

from __future__ import annotations

from collections.abc import Sequence

from app.links.records import Record
from app.loaders import one_by_one
from app.paging import Page, connection
from app.vendor import Scope
from app.vendors.artu import wire
from app.vendors.artu.client import ArtuClient
from schema.drafts import SyncDraft
from schema.ids import Kind, encode
from schema.ports import ContactMethodQuery, Synced
from schema.types.connection import Connection
from schema.types.contact_method import ContactMethod, ContactMethodType
from schema.vendor import Vendor

_IDENTIFIER_KINDS = {
    ContactMethodType.EMAIL: "email",
    ContactMethodType.PHONE: "phone",
    ContactMethodType.MOBILE: "phone",
}


class ArtuContactMethodBook:
    """Fills schema.ports.ContactMethodBook for one request."""

    def __init__(self, client: ArtuClient, scope: Scope) -> None:
        self._client = client
        self._scope = scope
        self._by_id = one_by_one(self._get)

    async def sync(self, draft: SyncDraft) -> Synced:
        done = await self._client.sync(draft.client_id, wire.from_draft(draft))
        created = [wire.to_contact_method(each, draft.client_id) for each in done.created]
        updated = [wire.to_contact_method(each, draft.client_id) for each in done.updated]
        await self._scope.records.keep(*map(_record, [*created, *updated]))
        self._by_id.clear_all()
        return Synced(created, updated, [encode(Kind.CONTACT_METHOD, own_id) for own_id in done.deleted if own_id])

    async def get(self, own_id: str) -> ContactMethod | None:
        return await self._by_id.load(own_id)

    async def page(self, query: ContactMethodQuery, first: int, after: str | None) -> Connection[ContactMethod]:
        wanted = wire.from_query(query)

        async def fetch(token: str | None, size: int) -> Page[ContactMethod]:
            page = await self._client.list(wire.Listing(filter=wanted, cursor=token, limit=size))
            more = page.pagination.next_cursor if page.pagination.has_more else None
            return Page(self._seen(page.data), more or None)

        return await connection(fetch, self._scope.cursors("contactMethods", query), first, after)

    async def _get(self, own_id: str) -> ContactMethod | None:
        page = await self._client.list(wire.Listing(filter=wire.Filter(id=own_id), limit=1))
        return next(iter(self._seen(page.data)), None)

    def _seen(self, found: Sequence[wire.ContactMethod]) -> list[ContactMethod]:
        methods = [wire.to_contact_method(each) for each in found]
        self._scope.records.note(*map(_record, methods))
        for method in methods:
            self._by_id.prime(method.vendor_record.id, method)
        return methods


def _record(method: ContactMethod) -> Record:
    fields = {"clientId": method.client_id, "type": method.type and method.type.value, "value": method.value}
    kind = _IDENTIFIER_KINDS.get(method.type) if method.type else None
    identifiers = ((kind, method.value),) if kind and method.value else ()
    return Record(Vendor.ARTU, "contact_method", method.vendor_record.id, fields, identifiers)
