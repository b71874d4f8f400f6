"""syncContactMethods: creates, changes and deletes contact methods of one client, all or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import strawberry

from schema.access import Scope
from schema.context import Info
from schema.costs import costs
from schema.drafts import ContactMethodDraft, SyncDraft
from schema.errors import InvalidInput, MutationError, Refusal
from schema.ids import Kind
from schema.mutations.delivery import written
from schema.mutations.outcome import settled
from schema.mutations.parties import resolve
from schema.ports import Synced
from schema.rules import Rules
from schema.scalars import JSON
from schema.types.contact_method import ContactMethod, ContactMethodType
from schema.types.receipt import Delivery, Receipt, WriteOperation
from schema.types.refs import PartyRef, given_field, name_of

MOST_ITEMS = 250


@strawberry.input(one_of=True, description="Points at the client. Exactly one field is given.")
class ClientRef:
    client_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Artu's own ID of the client."
    )
    party: PartyRef | None = strawberry.field(
        default=strawberry.UNSET,
        description="A party that is linked to the client.",
    )


@strawberry.input(
    description="One contact method. With an `id` or a known `externalId` it changes that one, what is left out stays; else "
    "it creates one."
)
class ContactMethodItem:
    id: strawberry.ID | None = strawberry.field(
        default=None, description="Which to change or delete, by ID of this API or Artu's own."
    )
    type: ContactMethodType | None = strawberry.field(default=None, description="The kind. Needed to create.")
    value: str | None = strawberry.field(default=None, description="The address or number. Needed to create.")
    is_primary: bool | None = strawberry.field(
        default=None, description="Whether to use it first among those of its kind; the others then are not."
    )
    label: str | None = strawberry.field(default=None, description="A name for it, such as Work.")
    external_id: str | None = strawberry.field(default=None, description="Its ID in the caller's own system.")
    metadata: JSON | None = strawberry.field(default=None, description="The caller's own notes: a JSON object.")
    delete: bool = strawberry.field(default=False, description="Deletes it. Needs `id` or `externalId`.")


@strawberry.input(description="What shall become of one client's contact methods.")
class SyncContactMethodsInput:
    client: ClientRef = strawberry.field(
        description="Whose contact methods: the vendor's client ID, or any party that is already linked to one."
    )
    items: list[ContactMethodItem] = strawberry.field(description="What to create, change and delete. At most 250.")
    replace: bool = strawberry.field(
        default=False, description="Also deletes every contact method of the client that no item names."
    )
    confirm_delete_all: bool = strawberry.field(
        default=False, description="Must be true when `replace` with no items would delete everything."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes the mutation safe to repeat. 1 to 255 characters."
    )
    delivery: Delivery = strawberry.field(default=Delivery.WAIT, description="When to answer.")


@strawberry.type(description="What became of syncContactMethods.")
class SyncContactMethodsPayload:
    created: list[ContactMethod] = strawberry.field(default_factory=list, description="Those that were created.")
    updated: list[ContactMethod] = strawberry.field(default_factory=list, description="Those that an item named.")
    deleted_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Those that were deleted, by ID of this API."
    )
    receipt: Receipt | None = strawberry.field(default=None, description="The gateway's memory of this write.")
    errors: list[MutationError] = strawberry.field(description="Why it was not done. Empty when it was.")


@strawberry.mutation(
    description="Creates, changes and deletes contact methods of one client at Artu, all or nothing.",
    extensions=[Scope("contact-methods:write")],
    metadata=costs(2),
)
async def sync_contact_methods(
    info: Info,
    input: Annotated[
        SyncContactMethodsInput, strawberry.argument(description="What shall become of one client's contact methods.")
    ],
) -> SyncContactMethodsPayload | None:
    return await settled(SyncContactMethodsPayload, _sync(info, input))


async def _sync(info: Info, given: SyncContactMethodsInput) -> SyncContactMethodsPayload:
    draft, party = sync_draft(given)

    async def resolve_client() -> SyncDraft:
        return draft if party is None else replace(draft, client_id=await _one_client(info, party))

    done = await written(info, WriteOperation.SYNC_CONTACT_METHODS, draft, given.delivery, resolve_client)
    if done.result is None:
        return SyncContactMethodsPayload(receipt=done.receipt, errors=[])
    synced: Synced = done.result
    return SyncContactMethodsPayload(
        created=synced.created,
        updated=synced.updated,
        deleted_ids=synced.deleted_ids,
        receipt=done.receipt,
        errors=[],
    )


async def _one_client(info: Info, party: PartyRef) -> str:
    path = ["input", "client", "party"]
    [clients] = await resolve(info, [(party, path)], info.context.contact_methods.clients, "client at Artu")
    if len(clients) > 1:
        raise Refusal(InvalidInput(message="This party is more than one client of Artu: give the clientId.", path=path))
    return clients[0]


def sync_draft(given: SyncContactMethodsInput) -> tuple[SyncDraft, PartyRef | None]:
    """The draft of a sync, and the party whose client it is for, if one was given; or a Refusal with every broken rule."""
    rules = Rules()
    items = rules.at_most(MOST_ITEMS, given.items, "items")
    if given.replace and not given.items and not given.confirm_delete_all:
        rules.broken(
            "Replacing with no items deletes everything: confirm with true if that is meant.", "confirmDeleteAll"
        )
    field, ref = given_field(given.client)
    party = rules.party(ref, "client", "party") if field == "party" else None
    draft = SyncDraft(
        party=name_of(party) if party else None,
        client_id="" if party else rules.foreign_id("a client", ref, "client", "clientId") or "",
        items=tuple(_item(rules, item, n) for n, item in enumerate(items)),
        replace=given.replace,
        idempotency_key=rules.text(given.idempotency_key, "idempotencyKey", most=255),
    )
    _check_distinct(rules, draft)
    rules.finish()
    return draft, party


def _item(rules: Rules, item: ContactMethodItem, n: int) -> ContactMethodDraft:
    path = ("items", n)
    names_one = item.id is not None or item.external_id is not None
    if item.delete and not names_one:
        rules.broken("An item to delete needs an id or an externalId.", *path)
    if not item.delete and not names_one:
        rules.required(item.type, None, *path, "type")
        rules.required(item.value, "", *path, "value")
    return ContactMethodDraft(
        id=rules.record_id(Kind.CONTACT_METHOD, item.id, *path, "id"),
        type=item.type,
        value=rules.text(item.value, *path, "value"),
        is_primary=item.is_primary,
        label=item.label,
        external_id=rules.text(item.external_id, *path, "externalId"),
        metadata=rules.json_object(item.metadata, *path, "metadata"),
        delete=item.delete,
    )


def _check_distinct(rules: Rules, draft: SyncDraft) -> None:
    ids = [(item.id, ("items", n, "id")) for n, item in enumerate(draft.items) if item.id]
    external = [
        (item.external_id, ("items", n, "externalId")) for n, item in enumerate(draft.items) if item.external_id
    ]
    rules.distinct(ids, "Another item names the same id: merge the two.")
    rules.distinct(external, "Another item names the same externalId: merge the two.")
