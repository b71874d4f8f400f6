"""Contact methods at Artu, as the schema's ContactMethodBook."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, partial

from aiodataloader import DataLoader

from app.call import Hook
from app.links.circle import circle_of
from app.links.identifiers import Identifier, IdentifierKind, client_of
from app.links.record import MOST_SHARERS, Key, Record
from app.links.seen import Seen
from app.loaders import OneByOne, many_at_once, refusal_or_raise
from app.paging import Page, connection, empty
from app.plan import CLOCKS_DIFFER, Accepted, Intent, IsClaimed, Plan
from app.readings import Reading, whole
from app.vendor import Scope
from app.vendors.artu import wire
from app.vendors.artu.client import ArtuClient
from schema.drafts import ContactMethodDraft, SyncDraft
from schema.errors import Refusal
from schema.ids import Kind, encode
from schema.pages import PAGE
from schema.ports import ContactMethodQuery, Synced
from schema.types.connection import Connection
from schema.types.contact_method import ContactMethod, ContactMethodType
from schema.types.identity import Identity
from schema.vendor import Vendor

_IDENTIFIER_KINDS = {
    ContactMethodType.EMAIL: IdentifierKind.EMAIL,
    ContactMethodType.PHONE: IdentifierKind.PHONE,
    ContactMethodType.MOBILE: IdentifierKind.PHONE,
}
_LARGEST_PAGE = 200


class ArtuContactMethodBook:
    """Fills schema.ports.ContactMethodBook for one request."""

    def __init__(self, client: ArtuClient, scope: Scope) -> None:
        self._client = client
        self._scope = scope
        self._known: dict[str, ContactMethod] = {}
        self._by_id: OneByOne[str, ContactMethod | None] = OneByOne()
        self._pages: OneByOne[wire.Listing, Page[ContactMethod]] = OneByOne()
        self._search = _Search()

    @cached_property
    def _by_client(self) -> DataLoader[str, list[ContactMethod] | None]:
        return many_at_once(self._list_many)

    def plan(self, draft: SyncDraft, _: Intent) -> Plan[Synced]:
        """Fills app.ledger.book.Planner."""
        body = wire.from_draft(draft)

        async def send(hook: Hook | None) -> wire.Synced:
            return await self._client.sync(draft.client_id, body, hook)

        async def find(sent_at: datetime, is_claimed: IsClaimed) -> wire.Synced | None:
            return await self._find_again(draft, sent_at, is_claimed)

        lane = f"{self._scope.viewer.environment.value}/{draft.client_id}"
        accept = partial(self._accept, draft)
        looks_for = find if _leaves_traces(draft) else None
        return Plan(Vendor.ARTU, send, wire.Synced, accept, lane=lane, find=looks_for, gate=self._client.gate)

    async def get(self, own_id: str) -> ContactMethod | None:
        return self._known.get(own_id) or await self._by_id.load(own_id, self._get)

    async def page(self, query: ContactMethodQuery, first: int, after: str | None) -> Connection[ContactMethod]:
        def fetch(token: str | None, size: int) -> Awaitable[Page[ContactMethod]]:
            return self._pages.load(wire.from_query(query, token, size), self._list)

        return await connection(fetch, self._scope.cursors("contactMethods", query), first, after)

    async def clients(self, identity: Identity) -> list[str]:
        with self._search:
            return (await self._scope.links.known_to(Vendor.ARTU, circle_of(identity))).clients

    async def of(
        self, identity: Identity, type: ContactMethodType | None, first: int, after: str | None
    ) -> Connection[ContactMethod]:
        clients = await self.clients(identity)
        if not clients:
            return empty()
        of_type = type.value.lower() if type else None

        async def fetch(token: str | None, size: int) -> Page[ContactMethod]:
            """One client after the other; the token says which, and where in its pages."""
            place: tuple[int, str | None] = json.loads(token) if token else (0, None)
            number, inner = place
            page = None
            if inner is None and Vendor.ARTU in self._scope.assumed:
                page = await self._with_others(clients[number], type, size)
            if page is None:
                listing = wire.Listing(size, inner, client_id=clients[number], type=of_type)
                page = await self._pages.load(listing, self._list)
            further = (number, page.next_token) if page.next_token else (number + 1, None)
            if further == (len(clients), None):
                return page
            return Page(page.items, json.dumps(further))

        return await connection(fetch, self._scope.cursors("contactMethods of", *clients, type), first, after)

    takes_many = False

    async def find(self, identifiers: Sequence[Identifier]) -> dict[Identifier, bool | Refusal]:
        """Fills app.links.resolve.Finder: one call for each identifier, as it is compared: exactly."""
        with self._search.asking():
            found = await asyncio.gather(*map(self._find, identifiers), return_exceptions=True)
        return dict(zip(identifiers, map(refusal_or_raise, found), strict=True))

    async def read(self, own_id: str) -> bool:
        """A client is known by its contact methods. The first page is the one that most callers ask for, and mostly all;
        of more, memory gets 220.
        """
        page = await self._pages.load(wire.Listing(PAGE, client_id=own_id), self._list)
        if page.next_token is not None:
            await self._pages.load(wire.Listing(_LARGEST_PAGE, page.next_token, client_id=own_id), self._list)
        return bool(page.items)

    def _accept(self, draft: SyncDraft, done: wire.Synced) -> Accepted[Synced]:
        created = [wire.to_contact_method(each, draft.client_id) for each in done.created]
        updated = [wire.to_contact_method(each, draft.client_id) for each in done.updated]
        deleted = [own_id for own_id in done.deleted if own_id]

        async def read() -> Synced:
            self._known.clear()
            self._scope.forget()
            return Synced(created, updated, [encode(Kind.CONTACT_METHOD, own_id) for own_id in deleted])

        gone = tuple(Key(Vendor.ARTU, "contact_method", own_id) for own_id in deleted)
        return Accepted(read, None, tuple(map(_record, [*created, *updated])), gone, _effects(done))

    async def _find_again(self, draft: SyncDraft, sent_at: datetime, is_claimed: IsClaimed) -> wire.Synced | None:
        """What the sync did, if the effect of every item can be seen, is no older than the sync, and made nothing that
        somebody knew before.
        """
        listing = wire.Listing(_LARGEST_PAGE, client_id=draft.client_id)
        page = await self._client.list(listing, whole(wire.ContactMethodPage))
        since = sent_at - CLOCKS_DIFFER
        effects = [_effect(item, page.data, since) for item in draft.items]
        if page.pagination.has_more or any(effect is None for effect in effects):
            return None
        seen = [effect for effect in effects if effect is not None]
        if len({effect.id for effect in seen}) != len(seen):
            return None
        created = [each for each in seen if each.created_at is not None and each.created_at >= since]
        for each in created:
            if await is_claimed(encode(Kind.CONTACT_METHOD, each.id)):
                return None
        return wire.Synced(created=created, updated=[each for each in seen if each not in created], deleted=[])

    async def _find(self, identifier: Identifier) -> bool:
        """By a value that too many have memory gets one more than link."""
        if identifier.kind is IdentifierKind.CLIENT:
            return await self.read(identifier.value)
        page = await self._pages.load(wire.Listing(MOST_SHARERS + 1, value=identifier.value), self._list)
        return bool(page.items)

    async def _with_others(
        self, client_id: str, type: ContactMethodType | None, most: int
    ) -> Page[ContactMethod] | None:
        """The contact methods of a client, asked for with those of others; None if that brings too many."""
        await self._search.is_over()
        methods = await self._by_client.load(client_id)
        chosen = [each for each in methods or () if type in (None, each.type)]
        return Page(chosen, None) if methods is not None and len(chosen) <= most else None

    async def _list(self, listing: wire.Listing) -> Page[ContactMethod]:
        asked_ms = time.time_ns() // 1_000_000
        seen, records = await self._client.list(listing, _METHODS), self._scope.records
        if listing.client_id and _is_whole(listing, seen.page):
            page = await records.told_all(seen, client_of(listing.client_id), asked_ms)
        else:
            page = records.told(seen)
        for method in page.items:
            self._known[method.vendor_record.id] = method
        return page

    async def _list_many(self, client_ids: Sequence[str]) -> dict[str, list[ContactMethod]]:
        """All contact methods of many clients in one call; nothing if they don't fit into one page."""
        page = await self._list(wire.Listing(_LARGEST_PAGE, client_ids=tuple(client_ids)))
        if page.next_token is not None:
            return {}
        return {own_id: [each for each in page.items if each.client_id == own_id] for own_id in client_ids}

    async def _get(self, own_id: str) -> ContactMethod | None:
        page = await self._pages.load(wire.Listing(1, id=own_id), self._list)
        if not page.items:
            await self._scope.records.drop(Key(Vendor.ARTU, "contact_method", own_id))
            return None
        return page.items[0]


class _Search:
    """Lets those whose clients memory knows wait for one another: some are found in more steps, and all are one call.

    It lasts while anybody is within it. While the vendor is being asked nobody waits: it may be slow.
    """

    def __init__(self) -> None:
        self._seekers = 0
        self._questions = 0
        self._over: asyncio.Event | None = None
        """There is one only while somebody waits for it."""

    def __enter__(self) -> None:
        """The clients of one human being are looked for from now on."""
        self._seekers += 1

    def __exit__(self, *_: object) -> None:
        """They have been found, or not."""
        self._seekers -= 1
        if self._over is not None:
            self._end_if_over(self._over)

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While the vendor is asked who somebody is."""
        self._questions += 1
        if self._over is not None:
            self._end_if_over(self._over)
        try:
            yield
        finally:
            self._questions -= 1

    async def is_over(self) -> None:
        if self._seekers == 0 or self._questions > 0:
            return
        if self._over is None:
            self._over = asyncio.Event()
        await self._over.wait()

    def _end_if_over(self, over: asyncio.Event) -> None:
        if self._seekers == 0 or self._questions > 0:
            over.set()
            self._over = None


def _seen(found: wire.ContactMethodPage) -> Seen[ContactMethod]:
    methods = [wire.to_contact_method(each) for each in found.data]
    more = found.pagination.next_cursor if found.pagination.has_more else None
    return Seen(Vendor.ARTU, "contact_method", Page(methods, more or None), [_record(each) for each in methods])


def _is_whole(listing: wire.Listing, page: Page[ContactMethod]) -> bool:
    """Whether a page has all contact methods of one client; none may also be what is answered of a client that is unknown."""
    is_all = listing == wire.Listing(listing.limit, client_id=listing.client_id) and page.next_token is None
    return is_all and 0 < len(page.items) < listing.limit


_METHODS = Reading(wire.ContactMethodPage, _seen)


def _record(method: ContactMethod) -> Record:
    """For memory: its value links it, and so does the client that it shares with others."""
    fields = {"clientId": method.client_id, "type": method.type and method.type.value, "value": method.value}
    kind = _IDENTIFIER_KINDS.get(method.type) if method.type else None
    value = ((kind.value, method.value),) if kind and method.value else ()
    client = ((IdentifierKind.CLIENT.value, method.client_id),) if method.client_id else ()
    return Record(Vendor.ARTU, "contact_method", method.vendor_record.id, fields, (*value, *client), is_whole=True)


def _leaves_traces(draft: SyncDraft) -> bool:
    """Whether a sync can be looked for: deletions leave nothing to see that would prove them."""
    return bool(draft.items) and not draft.replace and not any(item.delete for item in draft.items)


def _effects(done: wire.Synced) -> frozenset[str]:
    """A contact method is made once, and changed once at a time."""
    changed = {f"{each.id} {each.updated_at}" for each in [*done.created, *done.updated] if each.updated_at is not None}
    return frozenset({each.id for each in done.created} | changed)


def _effect(
    item: ContactMethodDraft, found: Sequence[wire.ContactMethod], since: datetime
) -> wire.ContactMethod | None:
    """The one contact method that has all that an item gives, and was changed no earlier than the sync."""
    given = {
        "id": item.id,
        "type": item.type and item.type.value.lower(),
        "value": item.value,
        "is_primary": item.is_primary,
        "label": item.label,
        "external_id": item.external_id,
        "metadata": None if item.metadata is None else dict(item.metadata),
    }
    wanted = {name: value for name, value in given.items() if value is not None}
    alike = [
        each
        for each in found
        if each.updated_at is not None
        and each.updated_at >= since
        and all(getattr(each, name) == value for name, value in wanted.items())
    ]
    return alike[0] if len(alike) == 1 else None
