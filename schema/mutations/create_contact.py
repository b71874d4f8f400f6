"""createContact: makes a contact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import strawberry

from schema.access import Scope
from schema.context import Info
from schema.costs import costs
from schema.drafts import ContactDraft
from schema.errors import MutationError
from schema.mutations.delivery import written
from schema.mutations.outcome import settled
from schema.rules import MOST_ENTRIES, Rules
from schema.scalars import JSON, EmailAddress, PhoneNumber
from schema.types.contact import Contact, ContactIdentifier
from schema.types.receipt import Delivery, Receipt, WriteOperation

EMAIL_KEY = "emailaddress"
PHONE_KEY = "phonenumber"
MOST_MEMBERSHIPS = 10


@strawberry.input(description="What identifies the contact elsewhere.")
class ContactIdentifierInput:
    key: str = strawberry.field(description="What kind of identifier it is. 1 to 64 characters.")
    value: str = strawberry.field(description="The identifier. 1 to 500 characters.")


@strawberry.input(description="The contact to make.")
class CreateContactInput:
    display_name: str = strawberry.field(description="A name to show. 1 to 150 characters.")
    email_addresses: list[EmailAddress] | None = strawberry.field(
        default=None, description="E-mail addresses. At most 100."
    )
    phone_numbers: list[PhoneNumber] | None = strawberry.field(default=None, description="Phone numbers. At most 100.")
    identifiers: list[ContactIdentifierInput] | None = strawberry.field(
        default=None, description="Other identifiers. None may be given twice. At most 100."
    )
    attributes: JSON | None = strawberry.field(
        default=None,
        description="What else is known: a flat JSON object of booleans, numbers, strings and arrays of them.",
    )
    list_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Lists to put the contact on, by Bird's own IDs. At most 10."
    )
    account_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="The contact's accounts, by Bird's own IDs. At most 10."
    )
    company_refs: list[str] | None = strawberry.field(default=None, description="References to companies. At most 100.")
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes the mutation safe to repeat. 1 to 255 characters."
    )
    delivery: Delivery = strawberry.field(default=Delivery.WAIT, description="When to answer.")


@strawberry.type(description="What became of createContact.")
class CreateContactPayload:
    contact: Contact | None = strawberry.field(default=None, description="The contact that was made.")
    receipt: Receipt | None = strawberry.field(default=None, description="The gateway's memory of this write.")
    errors: list[MutationError] = strawberry.field(description="Why it was not done. Empty when it was.")


@strawberry.mutation(description="Makes a contact at Bird.", extensions=[Scope("contacts:write")], metadata=costs(1))
async def create_contact(
    info: Info,
    input: Annotated[CreateContactInput, strawberry.argument(description="The contact to make.")],
) -> CreateContactPayload | None:
    return await settled(CreateContactPayload, _create(info, input))


async def _create(info: Info, given: CreateContactInput) -> CreateContactPayload:
    done = await written(info, WriteOperation.CREATE_CONTACT, contact_draft(given), given.delivery)
    return CreateContactPayload(contact=done.result, receipt=done.receipt, errors=[])


def contact_draft(given: CreateContactInput) -> ContactDraft:
    """The draft of a contact, or a Refusal with every broken rule."""
    rules = Rules()
    identifiers = list(_identifiers(rules, given))
    rules.distinct(
        [((i.key, _as_compared(i)), path) for i, path in identifiers],
        "This identifier is given twice: leave one out.",
    )
    draft = ContactDraft(
        display_name=rules.text(given.display_name, "displayName", most=150) or "",
        identifiers=tuple([identifier for identifier, _ in identifiers]),
        identifier_paths=tuple([tuple(map(str, path)) for _, path in identifiers]),
        attributes=rules.attributes(given.attributes, "attributes"),
        list_ids=_memberships(rules, "a list", given.list_ids, "listIds"),
        account_ids=_memberships(rules, "an account", given.account_ids, "accountIds"),
        company_refs=tuple(rules.at_most(MOST_ENTRIES, given.company_refs, "companyRefs")),
        idempotency_key=rules.text(given.idempotency_key, "idempotencyKey", most=255),
    )
    rules.finish()
    return draft


def _identifiers(rules: Rules, given: CreateContactInput) -> Iterator[tuple[ContactIdentifier, tuple[object, ...]]]:
    for n, email in enumerate(rules.at_most(MOST_ENTRIES, given.email_addresses, "emailAddresses")):
        path = ("emailAddresses", n)
        yield ContactIdentifier(key=EMAIL_KEY, value=rules.email(email, *path) or ""), path
    for n, phone in enumerate(rules.at_most(MOST_ENTRIES, given.phone_numbers, "phoneNumbers")):
        path = ("phoneNumbers", n)
        yield ContactIdentifier(key=PHONE_KEY, value=rules.phone(phone, *path) or ""), path
    for n, identifier in enumerate(rules.at_most(MOST_ENTRIES, given.identifiers, "identifiers")):
        path = ("identifiers", n)
        rules.text(identifier.key, *path, "key", most=64)
        rules.text(identifier.value, *path, "value", most=500)
        yield ContactIdentifier(key=identifier.key, value=identifier.value), path


def _as_compared(identifier: ContactIdentifier) -> str:
    """E-mail addresses are the same in any case; other systems' identifiers may differ by nothing else."""
    return identifier.value.casefold() if identifier.key == EMAIL_KEY else identifier.value


def _memberships(rules: Rules, what: str, ids: Sequence[str] | None, name: str) -> tuple[str, ...]:
    allowed = rules.at_most(MOST_MEMBERSHIPS, ids, name)
    return tuple(rules.foreign_id(what, own, name, n, uuid=False) or "" for n, own in enumerate(allowed))
