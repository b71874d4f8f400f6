"""The same schema built with Strawberry as its documentation shows: types, resolvers, a client of httpx per call."""

from __future__ import annotations

import os
from enum import Enum
from typing import Any

import httpx
import strawberry
from strawberry.asgi import GraphQL

VENDORS, WORKSPACE = os.environ.get("VENDORS", ""), os.environ.get("WORKSPACE", "")


async def get(path: str) -> Any:
    async with httpx.AsyncClient(base_url=VENDORS, timeout=60) as client:
        return (await client.get(path)).raise_for_status().json()


async def post(path: str, body: Any) -> Any:
    async with httpx.AsyncClient(base_url=VENDORS, timeout=60) as client:
        return (await client.post(path, json=body)).raise_for_status().json()


@strawberry.enum
class ContactMethodType(Enum):
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    MOBILE = "MOBILE"
    FAX = "FAX"
    OTHER = "OTHER"


@strawberry.type
class ContactMethod:
    id: strawberry.ID
    type: ContactMethodType | None
    value: str
    is_primary: bool
    label: str | None
    created_at: str | None


@strawberry.type
class Activity:
    id: strawberry.ID
    subject: str | None
    type: str | None
    status: str | None
    priority: str | None
    created_at: str | None


@strawberry.type
class ContactMethodConnection:
    nodes: list[ContactMethod]


@strawberry.type
class ActivityConnection:
    nodes: list[Activity]


@strawberry.type
class Contact:
    id: strawberry.ID
    display_name: str | None
    email_addresses: list[str]
    identifier_count: int | None
    list_ids: list[strawberry.ID]
    account_ids: list[strawberry.ID]
    company_refs: list[str]
    is_anonymous: bool | None
    created_at: str | None
    updated_at: str | None
    attributes: strawberry.Private[dict[str, Any]]

    @strawberry.field
    async def contact_methods(self, first: int = 20) -> ContactMethodConnection | None:
        body = {"filter": {"clientId": self.attributes["client"]}, "limit": first}
        found = (await post("/contact-methods/list", body))["data"]
        return ContactMethodConnection(nodes=[to_method(each) for each in found])

    @strawberry.field
    async def activities(self, first: int = 20) -> ActivityConnection | None:
        body = {"contact_id": self.attributes["reevo"], "limit": first}
        found = (await post("/api/v2/activity/_query", body))["data"]
        return ActivityConnection(nodes=[to_activity(each) for each in found])


@strawberry.type
class ContactConnection:
    nodes: list[Contact]


@strawberry.type
class Person:
    id: strawberry.ID
    display_name: str | None
    name: str | None
    linkedin_profile_url: str | None
    created_at: str | None


@strawberry.type
class PersonConnection:
    nodes: list[Person]


@strawberry.type
class Problem:
    code: str


@strawberry.type
class Receipt:
    state: str


@strawberry.type
class CreateContactPayload:
    contact: Contact | None
    errors: list[Problem]
    receipt: Receipt | None


@strawberry.input
class ContactBy:
    id: strawberry.ID | None = None


@strawberry.input
class CreateContactInput:
    display_name: str
    email_addresses: list[str] | None = None


PEOPLE = [
    Person(
        id=strawberry.ID(f"person-{number:03d}"),
        display_name=f"Person {number:03d}",
        name=f"Person {number:03d}",
        linkedin_profile_url=f"https://www.linkedin.com/in/person-{number:03d}",
        created_at="2026-01-15T10:30:00.000Z",
    )
    for number in range(100)
]


@strawberry.type
class Query:
    @strawberry.field
    async def contact(self, by: ContactBy) -> Contact | None:
        return to_contact(await get(f"/workspaces/{WORKSPACE}/contacts/{by.id}"))

    @strawberry.field
    async def contacts(self, first: int = 20, after: str | None = None) -> ContactConnection:
        token = f"&pageToken={after}" if after else ""
        found = await get(f"/workspaces/{WORKSPACE}/contacts?limit={first}{token}")
        return ContactConnection(nodes=[to_contact(each) for each in found["results"]])

    @strawberry.field
    async def people(self, first: int = 20) -> PersonConnection:
        return PersonConnection(nodes=PEOPLE[:first])


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def create_contact(self, input: CreateContactInput) -> CreateContactPayload:
        identifiers = [{"key": "emailaddress", "value": each} for each in input.email_addresses or ()]
        body = {"displayName": input.display_name, "identifiers": identifiers}
        made = to_contact(await post(f"/workspaces/{WORKSPACE}/contacts", body))
        return CreateContactPayload(contact=made, errors=[], receipt=Receipt(state="SUCCEEDED"))


def to_contact(found: dict[str, Any]) -> Contact:
    return Contact(
        id=found["id"],
        display_name=found["computedDisplayName"],
        email_addresses=found["attributes"]["emailaddress"],
        identifier_count=found["identifierCount"],
        list_ids=found["listIds"],
        account_ids=found["accountIds"],
        company_refs=found["companyRefs"],
        is_anonymous=found["isAnonymous"],
        created_at=found["createdAt"],
        updated_at=found["updatedAt"],
        attributes=found["attributes"],
    )


def to_method(found: dict[str, Any]) -> ContactMethod:
    return ContactMethod(
        id=found["id"],
        type=ContactMethodType(found["type"]),
        value=found["value"],
        is_primary=found["isPrimary"],
        label=found["label"],
        created_at=found["createdAt"],
    )


def to_activity(found: dict[str, Any]) -> Activity:
    attributes = found["attributes"]
    return Activity(
        id=found["id"],
        subject=attributes["display_name"]["value"],
        type=attributes["type"]["value"],
        status=attributes["status"]["value"],
        priority=attributes["priority"]["value"],
        created_at=found["created_at"],
    )


app: GraphQL[None, None] = GraphQL(strawberry.Schema(query=Query, mutation=Mutation))
