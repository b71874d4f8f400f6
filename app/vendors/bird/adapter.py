"""Contacts at Bird, as the schema's ContactBook."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from datetime import datetime

from app.call import Hook
from app.links.identifiers import Identifier, IdentifierKind
from app.links.record import Key, Record
from app.links.seen import Seen
from app.loaders import OneByOne, refusal_or_raise
from app.paging import Page, connection
from app.plan import CLOCKS_DIFFER, Accepted, Intent, IsClaimed, Plan
from app.readings import Reading
from app.vendor import Scope
from app.vendors.bird import wire
from app.vendors.bird.client import BirdClient
from schema.drafts import ContactDraft
from schema.errors import Refusal
from schema.types.connection import Connection
from schema.types.contact import Contact, ContactIdentifier
from schema.vendor import Vendor

MOST_IDENTIFIER_PAGES = 10


class BirdContactBook:
    """Fills schema.ports.ContactBook for one request."""

    def __init__(self, client: BirdClient, scope: Scope) -> None:
        self._client = client
        self._scope = scope
        self._known: dict[str, Contact] = {}
        self._by_id: OneByOne[str, Contact | None] = OneByOne()
        self._identifiers: OneByOne[str, list[ContactIdentifier]] = OneByOne()
        self._pages: OneByOne[tuple[str | None, int], Page[Contact]] = OneByOne()

    def plan(self, draft: ContactDraft, _: Intent) -> Plan[Contact]:
        """Fills app.ledger.book.Planner."""
        body = wire.from_draft(draft)

        async def send(hook: Hook | None) -> wire.Contact:
            return await self._client.create_contact(body, lambda field: _locate(draft, field), hook)

        async def find(sent_at: datetime, is_claimed: IsClaimed) -> wire.Contact | None:
            return await self._find_again(draft, sent_at, is_claimed)

        return Plan(
            Vendor.BIRD,
            send,
            wire.Contact,
            lambda made: self._accept(made, draft),
            find=find if draft.identifiers else None,
            gate=self._client.gate,
        )

    async def get(self, own_id: str) -> Contact | None:
        return self._known.get(own_id) or await self._by_id.load(own_id, self._get)

    async def identifiers(self, contact: Contact) -> list[ContactIdentifier]:
        """The featured ones if they are all, else one more call."""
        if _features_all(contact):
            return contact.featured_identifiers
        return await self._identifiers.load(contact.vendor_record.id, self._list_identifiers)

    async def page(self, first: int, after: str | None) -> Connection[Contact]:
        return await connection(self._fetch_page, self._scope.cursors("contacts"), first, after)

    takes_many = False

    async def find(self, identifiers: Sequence[Identifier]) -> dict[Identifier, bool | Refusal]:
        """Fills app.links.resolve.Finder: one call for each identifier."""
        found = await asyncio.gather(*map(self._find, identifiers), return_exceptions=True)
        return dict(zip(identifiers, map(refusal_or_raise, found), strict=True))

    async def read(self, own_id: str) -> bool:
        """Whether Bird has this contact."""
        return await self.get(own_id) is not None

    def _accept(self, made: wire.Contact, draft: ContactDraft) -> Accepted[Contact]:
        contact = wire.to_contact(made)

        async def read() -> Contact:
            self._known.clear()
            self._scope.forget()
            return contact

        return Accepted(read, contact.id, (_record(contact, draft.identifiers),))

    async def _find_again(self, draft: ContactDraft, sent_at: datetime, is_claimed: IsClaimed) -> wire.Contact | None:
        """The one contact that has all that was given, was made no earlier than it was sent, and that nobody knew before."""
        first = draft.identifiers[0]
        found = (await self._client.search_contacts(first.key, first.value)).results
        [*alike] = [each for each in found if await self._is_like(each, draft, sent_at)]
        if len(alike) != 1 or await is_claimed(wire.to_contact(alike[0]).id):
            return None
        return alike[0]

    async def _is_like(self, found: wire.Contact, draft: ContactDraft, sent_at: datetime) -> bool:
        is_new = found.created_at is not None and found.created_at >= sent_at - CLOCKS_DIFFER
        if not is_new or found.display_name != draft.display_name:
            return False
        carried = {(each.key, each.value.casefold()) for each in await self._list_identifiers(found.id)}
        return {(each.key, each.value.casefold()) for each in draft.identifiers} <= carried

    async def _get(self, own_id: str) -> Contact | None:
        seen = await self._client.get_contact(own_id, _ONE)
        if seen is None:
            await self._scope.records.drop(Key(Vendor.BIRD, "contact", own_id))
            return None
        return self._remembered(seen).items[0]

    async def _find(self, identifier: Identifier) -> bool:
        found = await self._client.search_contacts(_KEYS[identifier.kind], identifier.value)
        seen = _seen(found.results)
        self._remembered(seen)
        # An identifier need not be among the featured ones of the contact that it finds.
        asked = ((identifier.kind.value, identifier.value),)
        unseen = [each for each in seen.records if identifier not in each.links]
        self._scope.records.note(*(replace(each, identifiers=asked, is_whole=False) for each in unseen))
        return bool(seen.records)

    def _fetch_page(self, token: str | None, size: int) -> Awaitable[Page[Contact]]:
        return self._pages.load((token, size), self._list)

    async def _list(self, place: tuple[str | None, int]) -> Page[Contact]:
        return self._remembered(await self._client.list_contacts(*place, _MANY))

    async def _list_identifiers(self, own_id: str) -> list[ContactIdentifier]:
        found: list[ContactIdentifier] = []
        token: str | None = None
        for _ in range(MOST_IDENTIFIER_PAGES):
            page = await self._client.list_identifiers(own_id, token)
            found += [ContactIdentifier(key=each.key, value=each.value) for each in page.results if each.key]
            token = page.next_page_token or None
            if token is None:
                break
        return found

    def _remembered(self, seen: Seen[Contact]) -> Page[Contact]:
        page = self._scope.records.told(seen)
        for contact in page.items:
            self._known[contact.vendor_record.id] = contact
        return page


def _seen(found: Sequence[wire.Contact], next_token: str | None = None) -> Seen[Contact]:
    contacts = [wire.to_contact(each) for each in found]
    records = [_record(each, each.featured_identifiers, is_whole=_features_all(each)) for each in contacts]
    return Seen(Vendor.BIRD, "contact", Page(contacts, next_token), records)


_ONE = Reading(wire.Contact, lambda found: _seen([found]))
_MANY = Reading(wire.ContactPage, lambda found: _seen(found.results, found.next_page_token or None))
_KEYS = {IdentifierKind.EMAIL: wire.EMAIL_KEY, IdentifierKind.PHONE: wire.PHONE_KEY}
_KINDS = {key: kind.value for kind, key in _KEYS.items()}


def _features_all(contact: Contact) -> bool:
    return len(contact.featured_identifiers) == contact.identifier_count


def _record(contact: Contact, identifiers: Sequence[ContactIdentifier], *, is_whole: bool = False) -> Record:
    """For memory; e-mail addresses and phone numbers link it. Others are only kept: Bird's keys are free, `client` is one."""
    found = [(_KINDS.get(each.key) or f"bird:{each.key}", each.value) for each in identifiers]
    found += [("email", each) for each in contact.email_addresses]
    found += [("phone", each) for each in contact.phone_numbers]
    fields = {"displayName": contact.display_name}
    unique = tuple(dict.fromkeys(found))
    return Record(Vendor.BIRD, "contact", contact.vendor_record.id, fields, unique, is_whole=is_whole)


def _locate(draft: ContactDraft, field: Sequence[str]) -> list[str] | None:
    """The input path of a field of Bird's; its identifiers come from three inputs."""
    name, *rest = field
    if name in {"displayName", "attributes", "listIds", "accountIds", "companyRefs"}:
        return ["input", *field]
    paths = {str(n): path for n, path in enumerate(draft.identifier_paths)}
    if name == "identifiers" and rest and rest[0] in paths:
        return ["input", *paths[rest[0]]]
    return None
