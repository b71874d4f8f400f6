"""The queries. Root fields are nullable, so that one that fails never takes the others with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry

from schema import ids
from schema.access import READ, Scope
from schema.context import Context, Info
from schema.costs import costs
from schema.errors import BadUserInput, GatewayError
from schema.ids import PARTIES, Kind, RecordId
from schema.nodes import read_node
from schema.pages import LARGEST_PAGE, PAGE, After, First, page_size
from schema.ports import ActivityQuery, ContactMethodQuery, ReceiptQuery
from schema.rules import Rules
from schema.types.activity import Activity
from schema.types.connection import Connection
from schema.types.contact import Contact
from schema.types.contact_method import ContactMethod, ContactMethodType
from schema.types.identity import Identity
from schema.types.node import Node
from schema.types.person import Person, Prospect
from schema.types.profile import Profile
from schema.types.receipt import Receipt, WriteState
from schema.types.refs import PartyRef, given_field
from schema.types.status import VendorStatus, Viewer
from schema.vendor import Vendor
from schema.window import Window

ById = Annotated[strawberry.ID, strawberry.argument(description="An ID of this API, or the vendor's own.")]


@strawberry.input(description="Which contact methods to list. What is given must all hold.")
class ContactMethodFilter:
    client_id: strawberry.ID | None = strawberry.field(default=None, description="The client, by Artu's own ID.")
    type: ContactMethodType | None = strawberry.field(default=None, description="The kind.")
    value: str | None = strawberry.field(default=None, description="The address or number, exactly as stored.")
    external_id: str | None = strawberry.field(default=None, description="Its ID in the caller's own system.")
    is_primary: bool | None = strawberry.field(default=None, description="Whether it is the one to use first.")


@strawberry.input(one_of=True, description="Whose activities. Exactly one field is given.")
class ActivityScope:
    party: PartyRef | None = strawberry.field(default=strawberry.UNSET, description="A party.")
    account_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="An account, by Reevo's own ID."
    )
    opportunity_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="An opportunity, by Reevo's own ID."
    )


@strawberry.input(one_of=True, description="Points at a write. Exactly one field is given.")
class ReceiptRef:
    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="The receipt's ID.")
    idempotency_key: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The idempotency key that this gateway key gave; the newest write with it.",
    )


@strawberry.type(description="What can be asked.")
class Query:
    @strawberry.field(
        description="The record with an ID of this API, or null.", extensions=[Scope(READ)], metadata=costs(1)
    )
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="An ID of this API.")],
    ) -> Node | None:
        return cast(Node | None, await read_node(info.context, id))

    @strawberry.field(
        description="The records with these IDs, in their order, null where there is none.",
        extensions=[Scope(READ)],
        metadata=costs(1, per="ids"),
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="IDs of this API, at most 100.")],
    ) -> list[Node | None]:
        if len(ids) > LARGEST_PAGE:
            raise BadUserInput(f"nodes takes at most {LARGEST_PAGE} IDs, was given {len(ids)}.")
        return list(await asyncio.gather(*(_or_error(read_node(info.context, each)) for each in ids)))

    @strawberry.field(
        description="Everything that all vendors know of one human being, or null.",
        extensions=[Scope(READ)],
        metadata=costs(3),
    )
    async def profile(
        self, info: Info, by: Annotated[PartyRef, strawberry.argument(description="The human being.")]
    ) -> Profile | None:
        identity = await _identity(info.context, by)
        if identity is None or not await info.context.links.is_known(identity):
            return None
        return Profile(identity=identity)

    @strawberry.field(
        description="A person who passed through this gateway, or null.", extensions=[Scope(READ)], metadata=costs(0)
    )
    async def person(self, info: Info, id: ById) -> Person | None:
        return await info.context.people.get(_own_id(Kind.PERSON, id))

    @strawberry.field(
        description="People who passed through, in the order in which they did.",
        extensions=[Scope(READ)],
        metadata=costs(0),
    )
    async def people(self, info: Info, first: First = PAGE, after: After = None) -> Connection[Person] | None:
        return await info.context.people.page(page_size(first), after)

    @strawberry.field(
        description="A prospect who passed through this gateway, or null.", extensions=[Scope(READ)], metadata=costs(0)
    )
    async def prospect(self, info: Info, id: ById) -> Prospect | None:
        return await info.context.prospects.get(_own_id(Kind.PROSPECT, id))

    @strawberry.field(
        description="Prospects who passed through, in the order in which they did.",
        extensions=[Scope(READ)],
        metadata=costs(0),
    )
    async def prospects(self, info: Info, first: First = PAGE, after: After = None) -> Connection[Prospect] | None:
        return await info.context.prospects.page(page_size(first), after)

    @strawberry.field(description="A contact, or null.", extensions=[Scope(READ)], metadata=costs(2))
    async def contact(
        self,
        info: Info,
        by: Annotated[
            PartyRef,
            strawberry.argument(
                description="The contact: by its ID (this API's or Bird's own), e-mail address or phone number."
            ),
        ],
    ) -> Contact | None:
        own_id = _birds_own(*given_field(by))
        if own_id is not None:
            return await info.context.contact_book.get(own_id)
        identity = await _identity(info.context, by)
        return None if identity is None else next(iter(await info.context.links.contacts(identity)), None)

    @strawberry.field(description="All contacts, in Bird's order.", extensions=[Scope(READ)], metadata=costs(1))
    async def contacts(self, info: Info, first: First = PAGE, after: After = None) -> Connection[Contact] | None:
        return await info.context.contact_book.page(page_size(first), after)

    @strawberry.field(description="A contact method, or null.", extensions=[Scope(READ)], metadata=costs(1))
    async def contact_method(self, info: Info, id: ById) -> ContactMethod | None:
        return await info.context.contact_methods.get(_own_id(Kind.CONTACT_METHOD, id))

    @strawberry.field(description="Contact methods, in Artu's order.", extensions=[Scope(READ)], metadata=costs(1))
    async def contact_methods(
        self,
        info: Info,
        filter: Annotated[
            ContactMethodFilter | None, strawberry.argument(description="Which. All, if left out.")
        ] = None,
        first: First = PAGE,
        after: After = None,
    ) -> Connection[ContactMethod] | None:
        return await info.context.contact_methods.page(_method_query(filter), page_size(first), after)

    @strawberry.field(
        description="An activity that passed through this gateway, or null.",
        extensions=[Scope(READ)],
        metadata=costs(0),
    )
    async def activity(self, info: Info, id: ById) -> Activity | None:
        return await info.context.activities.get(_own_id(Kind.ACTIVITY, id))

    @strawberry.field(
        description="Activities: `from` and `to` bound createdAt, from included, to not; newest first by createdAt, then ID.",
        extensions=[Scope(READ)],
        metadata=costs(2),
    )
    async def activities(
        self,
        info: Info,
        of: Annotated[ActivityScope, strawberry.argument(description="Whose.")],
        from_: Annotated[
            datetime | None, strawberry.argument(name="from", description="Created at this moment or later.")
        ] = None,
        to: Annotated[datetime | None, strawberry.argument(description="Created before this moment.")] = None,
        first: First = PAGE,
        after: After = None,
    ) -> Connection[Activity] | None:
        return await _activities(info.context, of, Window(from_, to), page_size(first), after)

    @strawberry.field(description="What became of a write, or null.", extensions=[Scope(READ)], metadata=costs(0))
    async def receipt(
        self, info: Info, by: Annotated[ReceiptRef, strawberry.argument(description="Which write.")]
    ) -> Receipt | None:
        return await read_receipt(info.context, by)

    @strawberry.field(
        description="The writes of this key (of all keys, with the scope receipts:read-all), the newest first.",
        extensions=[Scope(READ)],
        metadata=costs(0),
    )
    async def receipts(
        self,
        info: Info,
        state: Annotated[WriteState | None, strawberry.argument(description="Only those in this state.")] = None,
        needs_attention: Annotated[
            bool | None, strawberry.argument(description="Only those that need a person, or don't.")
        ] = None,
        from_: Annotated[
            datetime | None, strawberry.argument(name="from", description="Stored at this moment or later.")
        ] = None,
        to: Annotated[datetime | None, strawberry.argument(description="Stored before this moment.")] = None,
        first: First = PAGE,
        after: After = None,
    ) -> Connection[Receipt] | None:
        query = ReceiptQuery(state, needs_attention, Window(from_, to))
        return await info.context.receipts.page(query, page_size(first), after)

    @strawberry.field(description="How the vendors are doing.", extensions=[Scope(READ)], metadata=costs(0))
    async def vendors(self, info: Info) -> list[VendorStatus] | None:
        return list(await info.context.vendors.statuses())

    @strawberry.field(description="Who is asking.", extensions=[Scope(READ)], metadata=costs(0))
    async def viewer(self, info: Info) -> Viewer | None:
        return info.context.viewer


async def read_receipt(context: Context, by: ReceiptRef) -> Receipt | None:
    """The receipt that is meant, if the gateway key may see it."""
    field, value = given_field(by)
    if field == "idempotency_key":
        return await context.receipts.get(None, value)
    return await context.receipts.get(_own_id(Kind.RECEIPT, value), None)


async def _or_error(work: Awaitable[Any]) -> Any:
    """An error in its place in a list, so that one that fails doesn't take the others with it."""
    try:
        return await work
    except GatewayError as error:
        return error


def _birds_own(field: str, value: Any) -> str | None:
    """The contact's own ID, where the reference is to a contact of Bird's itself."""
    if field == "vendor_record":
        is_birds = value.vendor is Vendor.BIRD and value.kind == "contact"
        return _vendors_id(value.id) if is_birds else None
    if field != "id":
        return None
    record = ids.decode(value)
    is_anothers = record is not None and record.kind in _OTHER_PARTIES
    return None if is_anothers else _own(Kind.CONTACT, value, record)


async def _identity(context: Context, by: PartyRef) -> Identity | None:
    rules = Rules("by")
    ref = rules.party(by)
    rules.finish_query()
    return await context.links.start(ref)


_OTHER_PARTIES = PARTIES - {Kind.CONTACT}


def _vendors_id(value: str) -> str:
    try:
        return ids.foreign_id("a contact", value)
    except ids.WrongId as wrong:
        raise BadUserInput(str(wrong)) from None


def _own_id(kind: Kind, value: str) -> str:
    return _own(kind, value, ids.decode(value))


def _own(kind: Kind, value: str, record: RecordId | None) -> str:
    try:
        return ids.own_id_of(kind, value, record)
    except ids.WrongId as wrong:
        raise BadUserInput(str(wrong)) from None


def _method_query(given: ContactMethodFilter | None) -> ContactMethodQuery:
    if given is None:
        return ContactMethodQuery()
    rules = Rules("filter")
    client_id = rules.foreign_id("a client", given.client_id, "clientId")
    rules.finish_query()
    return ContactMethodQuery(client_id, given.type, given.value, given.external_id, given.is_primary)


async def whose(context: Context, of: ActivityScope) -> Identity | ActivityQuery | None:
    """Whose activities are meant: a human being, or an account or opportunity; None for a record that does not exist.

    Raises BadUserInput.
    """
    field, value = given_field(of)
    rules = Rules("of")
    if field == "party":
        party = rules.party(value, "party")
        rules.finish_query()
        return await context.links.start(party)
    if field == "account_id":
        query = ActivityQuery(account_id=rules.foreign_id("an account", value, "accountId"))
    else:
        query = ActivityQuery(opportunity_id=rules.foreign_id("an opportunity", value, "opportunityId"))
    rules.finish_query()
    return query


async def _activities(
    context: Context, of: ActivityScope, window: Window, first: int, after: str | None
) -> Connection[Activity]:
    subject = await whose(context, of)
    if isinstance(subject, ActivityQuery):
        return await context.activities.page(replace(subject, window=window), first, after)
    return await context.activities.of(subject or Identity(), window, first, after)
