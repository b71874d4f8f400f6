"""The five mutations with a word of the test's own in them, and the reads that show whether the vendor has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from app.vendors.artu.sandbox import FIRST_CLIENT_ID

ACCOUNT_ID = "5d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f11"

MUTATIONS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "createPersonLog": lambda word: {"source": word, "payload": {}, "emailAddress": f"{word}@example.com"},
    "createProspectLog": lambda word: {"source": word, "payload": {}, "emailAddress": f"{word}@example.com"},
    "createContact": lambda word: {"displayName": word},
    "syncContactMethods": lambda word: {
        "client": {"clientId": FIRST_CLIENT_ID},
        "items": [{"type": "OTHER", "value": "x", "label": word}],
    },
    "logActivity": lambda word: {"subject": word, "accountId": ACCOUNT_ID},
}

SHOWN = {
    "createContact": ("{ it: contacts(first: 100) { nodes { name: displayName } } }"),
    "syncContactMethods": (
        f'{{ it: contactMethods(filter: {{clientId: "{FIRST_CLIENT_ID}"}}, first: 100) {{ nodes {{ name: label }} }} }}'
    ),
    "logActivity": (
        f'{{ it: activities(of: {{accountId: "{ACCOUNT_ID}"}}, first: 100) {{ nodes {{ name: subject }} }} }}'
    ),
}


def document(mutation: str, selection: str) -> str:
    """The mutation with its input as a variable, answered as `it`."""
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    return f"mutation($input: {kind}!) {{ it: {mutation}(input: $input) {{ {selection} }} }}"
