"""Activities at Reevo, as the schema's ActivityLog.

Reevo gives an activity back only within a scope, and never what it was logged with: the rest is from the gateway's memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any, NamedTuple

from aiodataloader import DataLoader

from app.call import Hook
from app.links.circle import circle_of
from app.links.identifiers import Identifier, IdentifierKind, email_of
from app.links.record import Key, Record
from app.links.seen import Seen
from app.loaders import OneByOne, many_at_once
from app.paging import Page, connection, edge, empty, page_of
from app.plan import CLOCKS_DIFFER, Accepted, Intent, IsClaimed, Plan
from app.readings import Reading, whole
from app.vendor import Scope
from app.vendors.reevo import wire
from app.vendors.reevo.client import LARGEST_PAGE, ReevoClient
from schema.drafts import ActivityDraft
from schema.ids import Kind, encode
from schema.ports import ActivityQuery
from schema.types.activity import Activity, MeetingDetails
from schema.types.connection import Connection
from schema.types.identity import Identity
from schema.types.node import VendorRecord
from schema.vendor import Vendor
from schema.window import Window

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEVER = 2**63
_MOST_PAGES = 50
_FIELDS = {IdentifierKind.EMAIL: "primary_email", IdentifierKind.PHONE: "primary_phone_number"}


class ReevoActivityLog:
    """Fills schema.ports.ActivityLog for one request."""

    def __init__(self, client: ReevoClient, scope: Scope) -> None:
        self._client = client
        self._scope = scope
        self._pages: OneByOne[wire.ActivityQuery, Seen[Activity]] = OneByOne()

    @cached_property
    def _contacts(self) -> DataLoader[str, Record | None]:
        return many_at_once(self._known_contacts)

    def plan(self, draft: ActivityDraft, intent: Intent) -> Plan[Activity]:
        """Fills app.ledger.book.Planner."""
        occurred_at = draft.occurred_at or intent.at
        body = wire.from_draft(draft, occurred_at)

        async def send(hook: Hook | None) -> wire.ActivityRecord:
            return await self._client.log_activity(body, hook)

        async def find(sent_at: datetime, is_claimed: IsClaimed) -> wire.ActivityRecord | None:
            return await self._find_again(draft, occurred_at, sent_at, is_claimed)

        def accept(logged: wire.ActivityRecord) -> Accepted[Activity]:
            return self._accept(logged, draft, occurred_at)

        has_scope = bool(draft.contact_ids or draft.account_id or draft.opportunity_id)
        looks_for = find if has_scope else None
        return Plan(Vendor.REEVO, send, wire.ActivityRecord, accept, find=looks_for, gate=self._client.gate)

    async def get(self, own_id: str) -> Activity | None:
        known = await self._scope.records.recall([_key(own_id)])
        fields = known[_key(own_id)].fields if known else None
        return (
            wire.completed(wire.to_activity(wire.from_fields(own_id, fields)), fields) if fields is not None else None
        )

    def page(self, query: ActivityQuery, first: int, after: str | None) -> Awaitable[Connection[Activity]]:
        return connection(partial(self._fetch, query), self._scope.cursors("activities", query), first, after)

    async def contact_ids(self, identity: Identity) -> list[str]:
        start, links = circle_of(identity), self._scope.links
        circle = await links.known_to(Vendor.REEVO, start)
        return await links.nearest_first(start, circle.of(Vendor.REEVO, "contact"), Vendor.REEVO, "contact")

    async def of(self, identity: Identity, window: Window, first: int, after: str | None) -> Connection[Activity]:
        circle = await self._scope.links.known_to(Vendor.REEVO, circle_of(identity))
        match circle.of(Vendor.REEVO, "contact"):
            case []:
                return empty()
            case [contact_id]:
                return await self.page(ActivityQuery(contact_id, window=window), first, after)
            case contact_ids:
                return await self._merged(contact_ids, window, first, after)

    async def contact_identities(self, activity: Activity) -> list[Identity]:
        known = await self._scope.records.targets([_key(activity.vendor_record.id)], "contact")
        own_ids = [own_id for own_ids in known.values() for own_id in own_ids]
        own_ids += wire.participants(activity)
        found = await self._contacts.load_many(list(dict.fromkeys(own_ids)))
        return [Identity(records=(_contact_record(each),)) for each in found if each is not None]

    takes_many = True

    async def find(self, identifiers: Sequence[Identifier]) -> dict[Identifier, bool]:
        """Fills app.links.resolve.Finder: one call for up to a hundred identifiers, if what they find fits on its page."""
        records = await self._query_contacts([(_FIELDS[each.kind], each.value) for each in identifiers])
        found = {link for record in records for link in record.links}
        return {each: each in found for each in identifiers}

    async def read(self, own_id: str) -> bool:
        """Whether Reevo has this contact."""
        return await self._contacts.load(own_id) is not None

    def _accept(self, logged: wire.ActivityRecord, draft: ActivityDraft, occurred_at: datetime) -> Accepted[Activity]:
        given = wire.draft_fields(draft, occurred_at)
        fields = wire.to_fields(logged) | given
        relations = tuple(("contact", "contact", own_id) for own_id in draft.contact_ids)
        activity = wire.completed(wire.to_activity(logged), given)

        async def read() -> Activity:
            self._scope.forget()
            return activity

        return Accepted(read, activity.id, (_record(logged.id, fields, relations),))

    async def _find_again(
        self, draft: ActivityDraft, occurred_at: datetime, sent_at: datetime, is_claimed: IsClaimed
    ) -> wire.ActivityRecord | None:
        """The one activity of the write's own scope with its subject and time that nobody claims."""
        scope = next(iter(draft.contact_ids), None), draft.account_id, draft.opportunity_id
        created_from = wire.print_moment(sent_at - CLOCKS_DIFFER)
        body = wire.ActivityQuery(
            contact_id=scope[0],
            account_id=None if scope[0] else scope[1],
            opportunity_id=None if scope[0] or scope[1] else scope[2],
            created_from=created_from,
            limit=LARGEST_PAGE,
        )
        page = await self._client.query_activities(body, whole(wire.ActivityPage))
        alike = [
            each
            for each in page.data
            if each.attributes.display_name == draft.subject
            and each.attributes.ended_at == occurred_at
            and not await is_claimed(encode(Kind.ACTIVITY, each.id))
        ]
        return alike[0] if len(alike) == 1 and not page.next_cursor else None

    async def _merged(
        self, contact_ids: Sequence[str], window: Window, first: int, after: str | None
    ) -> Connection[Activity]:
        """The activities of several contacts, each once; a cursor is the place in this order of the last one read."""
        cursors = self._scope.cursors("activities", *contact_ids, window)
        last = _Place(*cursors.read(after)) if after is not None else None
        latest = [self._latest(contact_id, window, last, first + 1) for contact_id in contact_ids]
        found = {each.id: each for activities in await asyncio.gather(*latest) for each in activities}
        ordered = sorted(found.values(), key=_place)
        edges = [edge(each, cursors, *_place(each)) for each in ordered[:first]]
        return page_of(edges, after, has_next_page=len(ordered) > first)

    async def _latest(self, contact_id: str, window: Window, last: _Place | None, most: int) -> list[Activity]:
        """The next activities of one contact after a place in the order of all."""
        end = min(filter(None, (window.end, last and last.end())), default=None)
        query = ActivityQuery(contact_id=contact_id, window=Window(window.start, end))
        found: list[Activity] = []
        token: str | None = None
        for _ in range(_MOST_PAGES):
            page = await self._fetch(query, token, LARGEST_PAGE)
            found += [each for each in page.items if last is None or _place(each) > last]
            token = page.next_token
            if token is None or len(found) >= most:
                break
        return found[:most]

    async def _fetch(self, query: ActivityQuery, token: str | None, size: int) -> Page[Activity]:
        body = wire.ActivityQuery(
            contact_id=query.contact_id,
            account_id=query.account_id,
            opportunity_id=query.opportunity_id,
            created_from=wire.print_moment(query.window.start) if query.window.start else None,
            created_to=wire.print_moment(query.window.end) if query.window.end else None,
            cursor=token,
            limit=min(size, LARGEST_PAGE),
        )
        seen = await self._pages.load(body, self._query)
        return await self._scope.records.completed(seen, lambda: self._completed(seen, query))

    def _query(self, body: wire.ActivityQuery) -> Awaitable[Seen[Activity]]:
        return self._client.query_activities(body, _ACTIVITIES)

    async def _completed(self, seen: Seen[Activity], query: ActivityQuery) -> Page[Activity]:
        """What Reevo says now, with what was remembered of the rest, and with the scope that found it."""
        both = zip(seen.page.items, seen.records, strict=True)
        asked = {"account": query.account_id, "opportunity": query.opportunity_id}
        scope = {name: own_id for name, own_id in asked.items() if own_id}
        # Whether Reevo's bounds include or exclude their ends is not documented; ours are.
        found = {
            record.id: (each, _record(record.id, _with(record.fields, scope), _contacts_of(each, query)))
            for each, record in both
            if query.window.holds(each.created_at)
        }
        records = [record for _, record in found.values()]
        known = await self._scope.records.remembered(records)
        self._scope.records.note(*records)
        remembered = {key.id: record.fields for key, record in known.items()}
        activities = [wire.completed(each, _with(remembered.get(own, {}), scope)) for own, (each, _) in found.items()]
        return Page(activities, seen.page.next_token)

    async def _known_contacts(self, own_ids: Sequence[str]) -> dict[str, Record]:
        """Reevo's own contacts from memory, the rest of them in one call for up to a hundred."""
        known = await self._scope.records.recall([Key(Vendor.REEVO, "contact", own_id) for own_id in own_ids])
        found = {key.id: record for key, record in known.items()}
        missing = await self._query_contacts([("id", own_id) for own_id in own_ids if own_id not in found])
        return found | {record.id: record for record in missing}

    async def _query_contacts(self, wanted: Sequence[tuple[str, str]]) -> list[Record]:
        """Contacts that have any of these values in its field."""
        chunks = [wanted[start : start + LARGEST_PAGE] for start in range(0, len(wanted), LARGEST_PAGE)]
        return [record for chunk in chunks for record in await self._query_chunk(chunk)]

    async def _query_chunk(self, wanted: Sequence[tuple[str, str]]) -> list[Record]:
        """What doesn't fit on a page is asked for by halves, not read on: a value that very many contacts share would hide the
        others for many pages. Of such a value alone one page is enough, for it links nothing (app.links.record.MOST_SHARERS).
        """
        values: dict[str, list[str]] = {}
        for field, value in wanted:
            values.setdefault(field, []).append(value)
        page = await self._client.query_contacts(values)
        if page.next_cursor and len(wanted) > 1:
            middle = len(wanted) // 2
            halves = self._query_chunk(wanted[:middle]), self._query_chunk(wanted[middle:])
            return [record for half in await asyncio.gather(*halves) for record in half]
        records = [_contact(each) for each in page.data]
        self._scope.records.note(*records)
        return records


def _seen(found: wire.ActivityPage) -> Seen[Activity]:
    activities = [wire.to_activity(each) for each in found.data]
    records = [_record(each.id, wire.to_fields(each)) for each in found.data]
    return Seen(Vendor.REEVO, "activity", Page(activities, found.next_cursor or None), records)


_ACTIVITIES = Reading(wire.ActivityPage, _seen)


class _Place(NamedTuple):
    """Where an activity stands in the order of all, the newest first: microseconds before 1970, then its ID."""

    before: int
    id: str

    def end(self) -> datetime | None:
        """A moment just after it was created, whatever the vendor's clock rounds to; None if that is not known."""
        return None if self.before == _NEVER else _EPOCH + timedelta(microseconds=-self.before, seconds=1)


def _place(activity: Activity) -> _Place:
    created = activity.created_at
    before = _NEVER if created is None else -((created - _EPOCH) // timedelta(microseconds=1))
    return _Place(before, activity.vendor_record.id)


def _key(own_id: str) -> Key:
    return Key(Vendor.REEVO, "activity", own_id)


def _contacts_of(activity: Activity, query: ActivityQuery) -> tuple[tuple[str, str, str], ...]:
    """Relations to the contacts of an activity: the one whose scope found it, and those who take part in a meeting. And to the
    e-mail addresses of these, by which whoever is nobody's contact is shown and forgotten.
    """
    found = [query.contact_id, *wire.participants(activity)]
    contacts = [("contact", "contact", own_id) for own_id in dict.fromkeys(found) if own_id]
    meeting = activity.details if isinstance(activity.details, MeetingDetails) else None
    emails = [email_of(each.email_address) for each in meeting.participants if each.email_address] if meeting else []
    return (*contacts, *(("participant", "email", each.value) for each in dict.fromkeys(emails) if each is not None))


def _with(fields: Mapping[str, Any], scope: Mapping[str, str]) -> Mapping[str, Any]:
    return {**fields, **scope} if scope else fields


def _record(own_id: str, fields: Mapping[str, object], relations: tuple[tuple[str, str, str], ...] = ()) -> Record:
    return Record(Vendor.REEVO, "activity", own_id, fields, relations=relations)


def _contact(contact: wire.Contact) -> Record:
    fields = {"displayName": contact.attributes.display_name}
    return Record(Vendor.REEVO, "contact", contact.id, fields, wire.identifiers(contact), is_whole=True)


def _contact_record(record: Record) -> VendorRecord:
    return VendorRecord(vendor=Vendor.REEVO, kind="contact", id=record.id)
