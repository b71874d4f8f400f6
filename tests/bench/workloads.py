"""What is asked of every contender: the same leaves over the same upstream answers, in the words of this gateway's schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench import world

CONTACT = "id displayName emailAddresses identifierCount listIds accountIds companyRefs isAnonymous createdAt updatedAt"
ONE = f"query One($id: ID!) {{ contact(by: {{id: $id}}) {{ {CONTACT} }} }}"
LIST = f"""query List($after: String) {{ contacts(first: {world.PAGE}, after: $after) {{ nodes {{ {CONTACT}
  contactMethods(first: 20) {{ nodes {{ id type value isPrimary label createdAt }} }}
  activities(first: 20) {{ nodes {{ id subject type status priority createdAt }} }} }} }} }}"""
CREATE = """mutation Create($input: CreateContactInput!) { createContact(input: $input) {
  contact { id displayName createdAt } errors { code } receipt { state } } }"""
PERSON = ("displayName", "name", "linkedinProfileUrl", "createdAt")
PEOPLE = f"query People {{ people(first: 100) {{ nodes {{ id {' '.join(PERSON)} }} }} }}"
CURSORS = """query Cursors($after: String) { contacts(first: 20, after: $after) { pageInfo { endCursor } } }"""
LOG = """mutation Log($input: CreatePersonLogInput!) { createPersonLog(input: $input) {
  personLog { id } errors { code message } } }"""
MEMORIES = 100

Leaves = Sequence[object]
Variables = Mapping[str, Any]


@dataclass(frozen=True)
class Workload:
    """One question. `clients` ask it at the same time; each costs so many `calls` upstream."""

    name: str
    title: str
    clients: int
    calls: int
    query: str
    variables: Sequence[Variables]
    """Asked in turn, so that no two requests under way are answered by one call."""
    expected: Sequence[Leaves]
    """The leaves of each answer but IDs, which every contender makes in its own way."""
    unasked: Leaves = ()
    """The last of the leaves, where a contender has no way of answering them."""


def workloads(after: Sequence[str | None]) -> Sequence[Workload]:
    """The four questions; `after` are the cursors of this contender's pages of contacts."""
    contacts = [_contact(number) for number in world.numbers()]
    drafts = [_draft(number) for number in world.numbers()]
    pages = [range(start, start + world.PAGE) for start in range(0, len(contacts), world.PAGE)]
    return [
        Workload(
            "one",
            "one contact",
            32,
            1,
            ONE,
            [{"id": world.contact_id(number)} for number in world.numbers()],
            contacts,
        ),
        Workload(
            "list",
            "20 contacts, their contact methods and activities",
            8,
            1 + 2 * world.PAGE,
            LIST,
            [{"after": cursor} for cursor in after],
            [_page(page) for page in pages],
        ),
        Workload("create", "a durable write", 32, 1, CREATE, drafts, [_created()] * len(drafts)),
        Workload("people", "500 leaves from memory", 32, 0, PEOPLE, [{}], [_people()]),
    ]


def body(query: str, variables: Variables) -> str:
    """A request's JSON in one line."""
    return json.dumps({"query": query, "variables": variables}, separators=(",", ":"))


def leaves(value: Any) -> list[object]:
    """The leaves of an answer in order, without those named `id`; empty lists and null count."""
    if isinstance(value, dict):
        return [leaf for name, each in value.items() if name != "id" for leaf in leaves(each)]
    if isinstance(value, list) and value:
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


def _contact(number: str) -> Leaves:
    seen = world.contact(number)
    names = ["computedDisplayName", "attributes", "identifierCount", "listIds", "accountIds", "companyRefs"]
    names += ["isAnonymous", "createdAt", "updatedAt"]
    return leaves([seen[name]["emailaddress"] if name == "attributes" else seen[name] for name in names])


def _page(page: range) -> Leaves:
    return [leaf for number in map(world.digits, page) for leaf in (*_contact(number), *_linked(number))]


def _linked(number: str) -> Leaves:
    methods = [world.method(number, index) for index in range(world.METHODS)]
    activities = [world.activity(number, index) for index in range(world.ACTIVITIES)]
    found: list[object] = [
        each[name] for each in methods for name in ("type", "value", "isPrimary", "label", "createdAt")
    ]
    for each in activities:
        attributes = each["attributes"]
        found += [attributes[name]["value"] for name in ("display_name", "type", "status", "priority")]
        found.append(each["created_at"])
    return found


def _draft(number: str) -> Variables:
    return {"input": {"displayName": "Ada Example", "emailAddresses": [f"new-{world.email(number)}"]}}


def _created() -> Leaves:
    return ["Ada Example", world.CREATED, [], "SUCCEEDED"]


def _people() -> Leaves:
    return [leaf for number in range(MEMORIES) for leaf in person(number)]


def person(number: int) -> Leaves:
    """The leaves of one of the people, in the order of PERSON."""
    name = f"Person {number:03d}"
    return [name, name, f"https://www.linkedin.com/in/person-{number:03d}", world.CREATED]


def person_draft(number: int) -> Variables:
    """What makes this gateway remember one of the people."""
    return {
        "input": {
            "name": f"Person {number:03d}",
            "linkedinProfileUrl": f"https://www.linkedin.com/in/person-{number:03d}",
            "source": "bench",
            "type": "bench",
            "payload": {},
        }
    }
