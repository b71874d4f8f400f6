"""Activities at Reevo, as the schema's ActivityLog.

Reevo gives an activity back only within a scope, and never what it was logged with: the rest is from the gateway's memory.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from app.links.records import Record
from app.loaders import many_at_once
from app.paging import Page, connection
from app.vendor import Scope
from app.vendors.reevo import wire
from app.vendors.reevo.client import LARGEST_PAGE, ReevoClient
from schema.drafts import ActivityDraft
from schema.errors import BadUserInput, InvalidInput, MutationError, NotFound, Refusal
from schema.ids import UUID
from schema.ports import ActivityQuery
from schema.types.activity import Activity
from schema.types.connection import Connection, PageInfo
from schema.types.refs import PartyRef, VendorRecordInput, given_field
from schema.vendor import Vendor


class ReevoActivityLog:
    """Fills schema.ports.ActivityLog for one request."""

    def __init__(self, client: ReevoClient, scope: Scope) -> None:
        self._client = client
        self._scope = scope
        self._by_email = many_at_once(self._finder("primary_email", lambda a: a.primary_email))
        self._by_phone = many_at_once(self._finder("primary_phone_number", lambda a: a.primary_phone_number))

    async def log(self, draft: ActivityDraft) -> Activity:
        contact_ids = await self._contact_ids(draft.contacts)
        occurred_at = draft.occurred_at or datetime.now(UTC)
        logged = await self._client.log_activity(wire.from_draft(draft, occurred_at, contact_ids))
        fields = wire.to_fields(logged) | wire.draft_fields(draft, occurred_at, contact_ids)
        await self._scope.records.keep(_record(logged.id, fields))
        return wire.to_activity(logged.id, fields)

    async def get(self, own_id: str) -> Activity | None:
        known = await self._scope.records.recall(Vendor.REEVO, "activity", [own_id])
        return wire.to_activity(own_id, known[own_id].fields) if own_id in known else None

    async def page(self, query: ActivityQuery, first: int, after: str | None) -> Connection[Activity]:
        scope = await self._query_scope(query)
        if scope is None:
            return Connection(edges=[], nodes=[], page_info=PageInfo(has_next_page=False, has_previous_page=False))
        window = {
            "created_from": query.created_from and wire.print_moment(query.created_from),
            "created_to": query.created_to and wire.print_moment(query.created_to),
        }

        async def fetch(token: str | None, size: int) -> Page[Activity]:
            body = wire.ActivityQuery(**scope, **window, cursor=token, limit=min(size, LARGEST_PAGE))
            page = await self._client.query_activities(body)
            found = [each for each in page.data if _is_within(each, query)]
            return Page(await self._seen(found, scope), page.next_cursor or None)

        cursors = self._scope.cursors("activities", *scope.items(), *window.values())
        return await connection(fetch, cursors, first, after)

    async def _seen(self, found: Sequence[wire.ActivityRecord], scope: Mapping[str, str]) -> list[Activity]:
        """What Reevo says now, with what was remembered of the rest, and with the scope that found it."""
        known = await self._scope.records.recall(Vendor.REEVO, "activity", [each.id for each in found])
        related = {name: scope.get(f"{name}_id") for name in ("account", "opportunity")}
        fresh = {each.id: wire.to_fields(each) | {k: v for k, v in related.items() if v} for each in found}
        self._scope.records.note(*(_record(own_id, fields) for own_id, fields in fresh.items()))
        remembered = {own_id: record.fields for own_id, record in known.items()}
        return [wire.to_activity(own_id, {**remembered.get(own_id, {}), **fields}) for own_id, fields in fresh.items()]

    async def _query_scope(self, query: ActivityQuery) -> dict[str, str] | None:
        """The scope of a query in Reevo's terms; None for a party that Reevo doesn't know."""
        if query.party is not None:
            contact_id = await self._contact_id(query.party)
            return {"contact_id": contact_id} if contact_id else None
        if query.account_id is not None:
            return {"account_id": query.account_id}
        return {"opportunity_id": query.opportunity_id or ""}

    async def _contact_ids(self, parties: Sequence[PartyRef]) -> list[str]:
        """Reevo's own contacts behind the parties. Raises Refusal with every one that can't be resolved."""
        found: list[str] = []
        problems: list[MutationError] = []
        for n, party in enumerate(parties):
            path = ["input", "contacts", str(n)]
            try:
                contact_id = await self._contact_id(party)
            except BadUserInput as unresolvable:
                problems.append(InvalidInput(message=str(unresolvable), path=path))
                continue
            if contact_id is None:
                problems.append(
                    NotFound(message="Reevo has no contact for this party. Make one there first.", path=path)
                )
            elif contact_id not in found:
                found.append(contact_id)
        if problems:
            raise Refusal(*problems)
        return found

    async def _contact_id(self, party: PartyRef) -> str | None:
        field, value = given_field(party)
        match field:
            case "email_address":
                return await self._by_email.load(value)
            case "phone_number":
                return await self._by_phone.load(value)
            case "vendor_record" if _is_reevos(value):
                return str(value.id).lower()
        raise BadUserInput("Parties are resolved by e-mail address, phone number or Reevo's own contact record so far.")

    def _finder(
        self, field: str, read: Callable[[wire.ContactAttributes], str | None]
    ) -> Callable[[Sequence[str]], Awaitable[dict[str, str]]]:
        async def find(values: Sequence[str]) -> dict[str, str]:
            found: dict[str, str] = {}
            for start in range(0, len(values), LARGEST_PAGE):
                page = await self._client.query_contacts(field, values[start : start + LARGEST_PAGE])
                for contact in page.data:
                    found.setdefault((read(contact.attributes) or "").casefold(), contact.id)
            return {value: found[value.casefold()] for value in values if value.casefold() in found}

        return find


def _is_reevos(record: VendorRecordInput) -> bool:
    return record.vendor is Vendor.REEVO and record.kind == "contact" and UUID.fullmatch(record.id) is not None


def _is_within(record: wire.ActivityRecord, query: ActivityQuery) -> bool:
    """Whether Reevo's bounds include or exclude their ends is not documented; ours are."""
    created = record.created_at
    if created is None:
        return True
    return (query.created_from is None or created >= query.created_from) and (
        query.created_to is None or created < query.created_to
    )


def _record(own_id: str, fields: Mapping[str, object]) -> Record:
    return Record(Vendor.REEVO, "activity", own_id, fields)
