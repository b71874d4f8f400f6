"""The input rules that logs of people and of prospects share: the vendor has one record under two names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schema.drafts import LogDraft
from schema.ids import Kind
from schema.rules import Rules

if TYPE_CHECKING:
    from schema.mutations.create_person_log import CreatePersonLogInput
    from schema.mutations.create_prospect_log import CreateProspectLogInput

LONGEST_NAME = 255
LONGEST_SOURCE = 100


def log_draft(
    given: CreatePersonLogInput | CreateProspectLogInput, kind: Kind, party_id: str | None, *, kebab: bool
) -> LogDraft:
    """The draft of a log, or a Refusal with every broken rule. `kebab`: source and type must be in kebab case."""
    rules = Rules()
    id_field = f"{kind.value.lower()}Id"
    if not any(v is not None for v in (party_id, given.email_address, given.phone_number, given.linkedin_profile_url)):
        rules.broken(f"Give at least one of {id_field}, emailAddress, phoneNumber and linkedinProfileUrl.")
    check_name = rules.kebab if kebab else rules.text
    draft = LogDraft(
        party_id=rules.record_id(kind, party_id, id_field),
        email=rules.email(given.email_address, "emailAddress"),
        phone=rules.phone(given.phone_number, "phoneNumber"),
        linkedin_url=rules.url(given.linkedin_profile_url, "linkedinProfileUrl"),
        name=rules.text(given.name, "name", most=LONGEST_NAME),
        source=check_name(given.source, "source", most=LONGEST_SOURCE) or "",
        type=check_name(given.type, "type", most=LONGEST_SOURCE) or "",
        payload=rules.json_object(rules.required(given.payload, {}, "payload"), "payload") or {},
        idempotency_key=rules.text(given.idempotency_key, "idempotencyKey", most=255),
    )
    rules.finish()
    return draft
