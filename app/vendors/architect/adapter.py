"""People, prospects and their logs at Architect, as four ports of the schema.

Architect can hardly be asked for anything: people, prospects and prospect logs are answered from the gateway's memory.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader

from app.call import Hook
from app.links.record import Key, Record
from app.loaders import OneByOne, many_at_once
from app.paging import Cursors, edge, page_of
from app.plan import Accepted, Intent, Plan
from app.vendor import Scope
from app.vendors.architect import wire
from app.vendors.architect.client import ArchitectClient
from schema.drafts import LogDraft
from schema.ids import Kind, encode
from schema.ports import Logged
from schema.scalars import URL, EmailAddress, PhoneNumber
from schema.types.connection import Connection
from schema.types.node import VendorRecord
from schema.types.person import Person, PersonLog, Prospect, ProspectLog
from schema.vendor import Vendor

T = TypeVar("T")
L = TypeVar("L", PersonLog, ProspectLog)
P = TypeVar("P", bound=Person | Prospect)
_PARTY = "person"
"""In memory person and prospect are one record, as they are at Architect."""


class ArchitectParties(Generic[P]):
    """Fills schema.ports.Parties for one request, from memory."""

    def __init__(self, type_: type[P], kind: Kind, _: ArchitectClient, scope: Scope) -> None:
        self._scope = scope
        self._type = type_
        self._kind = kind

    @cached_property
    def _by_id(self) -> DataLoader[str, P | None]:
        return many_at_once(self._recall)

    async def get(self, own_id: str) -> P | None:
        return await self._by_id.load(own_id)

    async def named(self, own_id: str) -> P:
        return await self.get(own_id) or self._party(Record(Vendor.ARCHITECT, _PARTY, own_id))

    def page(self, first: int, after: str | None) -> Awaitable[Connection[P]]:
        question = (self._kind, first, after)
        list_parties = partial(self._list_parties, first, after)
        return self._scope.records.page_of(Vendor.ARCHITECT, _PARTY, question, list_parties)

    async def _list_parties(self, first: int, after: str | None) -> Connection[P]:
        cursors = self._scope.cursors(self._kind)
        place = _place(cursors, after)
        found = await self._scope.records.listed(Vendor.ARCHITECT, _PARTY, place, first + 1)
        return replace(_page(cursors, found, self._party, first, after), is_kept=True)

    def accept(self, created: wire.CreatedLog, draft: LogDraft, log: L, kind: str) -> Accepted[Logged[P, L]]:
        """What a log that was written amounts to: the log, and what was given of the person or prospect."""
        fields = {
            "name": draft.name if created.created_party else None,
            "givenName": draft.name,
            "createdAt": created.created_at.isoformat() if created.created_at and created.created_party else None,
        }
        given = (("email", draft.email), ("phone", draft.phone), ("linkedin", draft.linkedin_url))
        identifiers = tuple((each, value) for each, value in given if value)
        party = Record(Vendor.ARCHITECT, _PARTY, created.party_id, fields, identifiers)

        async def read() -> Logged[P, L]:
            self._scope.forget()
            return Logged(await self.named(created.party_id), log, created.created_party)

        return Accepted(read, log.id, (party, _log_record(kind, created, draft)))

    async def _recall(self, own_ids: Sequence[str]) -> dict[str, P]:
        known = await self._scope.records.recall([Key(Vendor.ARCHITECT, _PARTY, own_id) for own_id in own_ids])
        return {key.id: self._party(record) for key, record in known.items()}

    def _party(self, record: Record) -> P:
        emails = [EmailAddress(value) for kind, value in record.identifiers if kind == "email"]
        phones = [PhoneNumber(value) for kind, value in record.identifiers if kind == "phone"]
        profiles = [URL(value) for kind, value in record.identifiers if kind == "linkedin"]
        name = record.fields.get("name") or record.fields.get("givenName")
        return self._type(
            id=encode(self._kind, record.id),
            display_name=name or next(iter([*emails, *phones]), None),
            email_addresses=emails,
            phone_numbers=phones,
            vendor_record=VendorRecord(vendor=Vendor.ARCHITECT, kind=self._kind.value.lower(), id=record.id),
            name=name,
            linkedin_profile_url=next(iter(profiles), None),
            created_at=wire.moment(record.fields.get("createdAt")),
        )


class ArchitectPersonLogs:
    """Fills schema.ports.Logs for people, for one request."""

    def __init__(self, client: ArchitectClient, scope: Scope) -> None:
        self._client = client
        self._scope = scope
        self._by_ids: OneByOne[tuple[str, str], PersonLog | None] = OneByOne()

    @property
    def _people(self) -> ArchitectParties[Person]:
        people: ArchitectParties[Person] = self._scope.ports["people"]
        return people

    def plan(self, draft: LogDraft, intent: Intent) -> Plan[Logged[Person, PersonLog]]:
        """Fills app.ledger.book.Planner."""
        return _plan(self._client, self._scope, Kind.PERSON, draft, intent, self._accept(draft))

    def _accept(self, draft: LogDraft) -> Callable[[wire.CreatedLog], Accepted[Logged[Person, PersonLog]]]:
        return lambda done: self._people.accept(done, draft, wire.to_person_log(done, draft), "person_log")

    async def get(self, party_id: str, log_id: str) -> PersonLog | None:
        return await self._by_ids.load((party_id, log_id), self._get)

    async def page(self, party_id: str, first: int, after: str | None) -> Connection[PersonLog]:
        return await _logs_of(self._scope, "person_log", party_id, wire.recall_person_log, first, after)

    async def _get(self, ids: tuple[str, str]) -> PersonLog | None:
        found = await self._client.get_person_log(*ids)
        if found is None:
            return None
        known = await self._scope.records.recall([key := Key(Vendor.ARCHITECT, "person_log", found.log_id)])
        callers_key = known[key].fields.get("idempotencyKey") if known else None
        self._scope.records.note(Record(Vendor.ARCHITECT, _PARTY, found.person_id))
        return wire.read_person_log(found, callers_key)


class ArchitectProspectLogs:
    """Fills schema.ports.Logs for prospects, for one request. Reads are from memory: Architect offers none."""

    def __init__(self, client: ArchitectClient, scope: Scope) -> None:
        self._client = client
        self._scope = scope

    @property
    def _prospects(self) -> ArchitectParties[Prospect]:
        prospects: ArchitectParties[Prospect] = self._scope.ports["prospects"]
        return prospects

    def plan(self, draft: LogDraft, intent: Intent) -> Plan[Logged[Prospect, ProspectLog]]:
        """Fills app.ledger.book.Planner."""
        return _plan(self._client, self._scope, Kind.PROSPECT, draft, intent, self._accept(draft))

    def _accept(self, draft: LogDraft) -> Callable[[wire.CreatedLog], Accepted[Logged[Prospect, ProspectLog]]]:
        return lambda done: self._prospects.accept(done, draft, wire.to_prospect_log(done, draft), "prospect_log")

    async def get(self, party_id: str, log_id: str) -> ProspectLog | None:
        key = Key(Vendor.ARCHITECT, "prospect_log", log_id)
        known = await self._scope.records.recall([key])
        return wire.recall_prospect_log(known[key]) if key in known and known[key].fields["party"] == party_id else None

    async def page(self, party_id: str, first: int, after: str | None) -> Connection[ProspectLog]:
        return await _logs_of(self._scope, "prospect_log", party_id, wire.recall_prospect_log, first, after)


def _plan(
    client: ArchitectClient,
    scope: Scope,
    kind: Kind,
    draft: LogDraft,
    intent: Intent,
    accept: Callable[[wire.CreatedLog], Accepted[T]],
) -> Plan[T]:
    """A log to write; with the same key, Architect answers a repeat with what the first one made."""
    key = vendor_key(scope, f"create{kind.value}Log", intent.idempotency_key)
    body = wire.from_draft(draft, kind, key)

    async def send(hook: Hook | None) -> wire.CreatedLog:
        return await client.create_log(kind, body, hook)

    return Plan(Vendor.ARCHITECT, send, wire.CreatedLog, accept, vendor_key=key, gate=client.gate(kind))


def vendor_key(scope: Scope, operation: str, idempotency_key: str) -> str:
    """The idempotency key that Architect is sent: derived, for two callers may use the same text."""
    return _printable(scope.signer.sign("architect idempotency key", scope.viewer.key_id, idempotency_key, operation))


def _printable(key: bytes) -> str:
    return wire.OUR_KEYS + base64.b32encode(key).decode().rstrip("=").lower()


def _log_record(kind: str, created: wire.CreatedLog, draft: LogDraft) -> Record:
    fields = {
        "party": created.party_id,
        "source": created.source or draft.source,
        "type": created.type or draft.type,
        "payload": dict(draft.payload),
        "idempotencyKey": draft.idempotency_key,
        "createdAt": created.created_at.isoformat() if created.created_at else None,
    }
    return Record(Vendor.ARCHITECT, kind, created.log_id, fields, relations=((_PARTY, _PARTY, created.party_id),))


async def _logs_of(
    scope: Scope, kind: str, party_id: str, read: Callable[[Record], T], first: int, after: str | None
) -> Connection[T]:
    """The logs of one person or prospect that passed through, the latest first."""
    cursors = scope.cursors(kind, party_id)
    place = _place(cursors, after)
    relation = (Vendor.ARCHITECT, kind, _PARTY)
    found = await scope.records.related(relation, (_PARTY, party_id), place, first + 1)
    return _page(cursors, found, read, first, after)


def _page(
    cursors: Cursors, found: Sequence[tuple[int, Record]], read: Callable[[Record], T], first: int, after: str | None
) -> Connection[T]:
    """A page from memory; one record more than asked for says that there is another."""
    edges = [edge(read(each), cursors, moment, each.id) for moment, each in found[:first]]
    return page_of(edges, after, has_next_page=len(found) > first)


def _place(cursors: Cursors, after: str | None) -> tuple[int, str] | None:
    """The moment and ID after which a page from memory begins."""
    if after is None:
        return None
    moment, own_id = cursors.read(after)
    return moment, own_id


ADAPTERS: Mapping[str, Callable[[ArchitectClient, Scope], Any]] = {
    "people": partial(ArchitectParties, Person, Kind.PERSON),
    "prospects": partial(ArchitectParties, Prospect, Kind.PROSPECT),
    "person_logs": ArchitectPersonLogs,
    "prospect_logs": ArchitectProspectLogs,
}
