"""What the vendors of the benchmark hold: contacts whose records at every vendor carry the same twelve digits.

nginx answers by those digits alone (stub.conf), so that it is never the bottleneck; gateways see the vendors' own wire shapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WORKSPACE = "a1405560-c8d3-4b1a-877d-3f449ad95352"
PAGES = 16
"""Pages of contacts: as many different lists can be asked for at the same time, so that no two requests share a call."""

PAGE = 20
METHODS = 3
ACTIVITIES = 5
CREATED = "2026-01-15T10:30:00.000Z"
UPDATED = "2026-01-16T10:30:00.000Z"


def digits(number: int) -> str:
    return f"{number:012d}"


def contact_id(number: str) -> str:
    """A contact's ID at Bird."""
    return f"00000000-0000-4000-8000-{number}"


def client_id(number: str) -> str:
    """The same human being's ID at Artu."""
    return f"10000000-0000-4000-8000-{number}"


def reevo_id(number: str) -> str:
    """And at Reevo."""
    return f"20000000-0000-4000-8000-{number}"


def email(number: str) -> str:
    return f"c{number}@example.com"


def contact(number: str) -> dict[str, Any]:
    """As Bird has it. The attributes say who it is elsewhere: what this gateway finds out, its peers read there."""
    return {
        "id": contact_id(number),
        "computedDisplayName": f"Ada {number}",
        "workspaceId": WORKSPACE,
        "featuredIdentifiers": [{"key": "emailaddress", "value": email(number)}],
        "identifierCount": 1,
        "attributes": {
            "displayName": f"Ada {number}",
            "emailaddress": [email(number)],
            "client": client_id(number),
            "reevo": reevo_id(number),
        },
        "listIds": ["123e4567-e89b-12d3-a456-426614174000"],
        "accountIds": ["223e4567-e89b-12d3-a456-426614174000"],
        "companyRefs": ["acme"],
        "isAnonymous": False,
        "createdAt": CREATED,
        "updatedAt": UPDATED,
    }


def method(number: str, index: int) -> dict[str, Any]:
    """As Artu has it; the first is the e-mail address that the contact has too."""
    return {
        "id": f"3000000{index}-0000-4000-8000-{number}",
        "clientId": client_id(number),
        "type": "EMAIL" if index == 0 else "OTHER",
        "value": email(number) if index == 0 else f"@ada{index}-{number}",
        "isVerified": True,
        "verifiedAt": CREATED,
        "createdAt": CREATED,
        "updatedAt": UPDATED,
        "isPrimary": index == 0,
        "label": "Work",
        "externalId": f"crm-{index}",
        "metadata": {"source": "crm"},
    }


def activity(number: str, index: int) -> dict[str, Any]:
    """As Reevo has it, every attribute in its envelope."""
    values = {
        "type": "MANUAL_ACTIVITY",
        "sub_type": "CALL",
        "status": "DONE",
        "priority": "HIGH",
        "display_name": f"Follow-up {index}",
        "ended_at": CREATED,
        "location": "Utrecht",
    }
    return {
        "id": f"4000000{index}-0000-4000-8000-{number}",
        "created_at": CREATED,
        "updated_at": UPDATED,
        "record_type": "activity",
        "attributes": {name: {"value": value, "value_type": "string"} for name, value in values.items()},
        "metadata": None,
    }


def reevo_contact(number: str) -> dict[str, Any]:
    attributes = {"display_name": {"value": f"Ada {number}"}, "primary_email": {"value": email(number)}}
    return {"id": reevo_id(number), "record_type": "contact", "created_at": CREATED, "attributes": attributes}


def answers(number: str) -> Mapping[str, str]:
    """The bodies that nginx answers with, by their names in stub.conf; `number` may be a variable of nginx."""
    activities = [activity(number, index) for index in range(ACTIVITIES)]
    methods = [method(number, index) for index in range(METHODS)]
    pagination = {"hasMore": False, "nextCursor": None, "totalCount": METHODS}
    return {
        "CONTACT": _json(contact(number)),
        "METHODS": _json({"data": methods, "pagination": pagination}),
        "ACTIVITIES": _json({"data": activities, "next_cursor": None}),
    }


def made() -> Mapping[str, str]:
    """What a write is answered with; nginx puts in an ID of its own."""
    log = {"personId": "prospect_$request_id", "personLogId": "prospectlog_$request_id", "createdAt": CREATED}
    new = contact("$request_id") | {"id": "$request_id", "computedDisplayName": "Ada Example"}
    return {"LOGGED": _json({**log, "createdPerson": True, "source": "bench", "type": "bench"}), "MADE": _json(new)}


def write_files(folder: Path) -> None:
    """The static answers: pages of contacts, and all contacts at Reevo."""
    for page in range(PAGES):
        results = [contact(digits(page * PAGE + index)) for index in range(PAGE)]
        following = f"p{page + 1}" if page + 1 < PAGES else None
        (folder / f"p{page}.json").write_text(_json({"results": results, "nextPageToken": following}), "utf-8")
    (folder / "reevo.json").write_text(found(*numbers()), "utf-8")


def found(*numbers: str) -> str:
    """What Reevo answers when it is asked who somebody is."""
    return _json({"data": [reevo_contact(number) for number in numbers], "next_cursor": None})


def numbers() -> Sequence[str]:
    """The digits of all contacts."""
    return [digits(number) for number in range(PAGES * PAGE)]


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
