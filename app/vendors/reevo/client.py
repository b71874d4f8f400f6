"""The calls to Reevo (help.reevo.ai, Public API v2)."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from app.call import Call, Hook
from app.gate import Gate
from app.readings import Reading, whole
from app.rest import Rest
from app.vendors.reevo import wire
from app.wire import segment

T = TypeVar("T")
LARGEST_PAGE = 100
_LOG = "activities.create"

_INPUTS = {
    "subject": "subject",
    "description": "description",
    "category": "category",
    "activity_time": "occurredAt",
    "account_id": "accountId",
    "opportunity_id": "opportunityId",
    "contact_ids": "contacts",
    "sequence_id": "sequenceId",
    "pipeline_select_list_value_id": "pipelineStageId",
}


class ReevoClient:
    """Reevo's activities and contacts in the organisation of one key."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def log_activity(self, body: wire.NewActivity, hook: Hook | None = None) -> wire.ActivityRecord:
        """Its answer repeats nothing by which it could be told from that to another request."""
        missing = _missing(body.attributes)
        call = Call("POST", "/api/v2/activity", body.to_json(), locate=_locate, missing=missing, operation=_LOG)
        return (await self._rest.write(call, wire.ActivityEnvelope, hook)).data

    @property
    def gate(self) -> Gate:
        return self._rest.gate(_LOG)

    def query_activities(self, body: wire.ActivityQuery, reading: Reading[T]) -> Awaitable[T]:
        """`reading`: of a wire.ActivityPage."""
        call = Call("POST", "/api/v2/activity/_query", body.to_json(), operation="activities.query")
        return self._rest.read(call, reading)

    async def query_contacts(self, wanted: Mapping[str, Sequence[str]]) -> wire.ContactPage:
        """Contacts of which any of these fields is one of its values; at most a hundred."""
        conditions = tuple(wire.Condition(field=f, operator="in", value=tuple(v)) for f, v in wanted.items() if v)
        filters = conditions if len(conditions) == 1 else (wire.AnyOf(conditions=conditions),)
        body = wire.ContactQuery(filters=filters, limit=LARGEST_PAGE)
        call = Call("POST", "/api/v2/contact/_query", body.to_json(), operation="contacts.query")
        return await self._rest.read(call, whole(wire.ContactPage))

    async def get_contact(self, contact_id: str) -> wire.Contact | None:
        call = Call("GET", f"/api/v2/contact/{segment(contact_id)}", operation="contacts.get")
        found = await self._rest.find(call, whole(wire.ContactEnvelope))
        return found.data if found else None


def _missing(given: wire.NewActivityAttributes) -> Sequence[str]:
    """The contacts, if nothing else is given that may be missing."""
    others = (given.account_id, given.opportunity_id, given.sequence_id, given.pipeline_select_list_value_id)
    return ("input", "contacts") if given.contact_ids and not any(others) else ("input",)


def _locate(field: Sequence[str]) -> list[str] | None:
    """Only down to the field: contacts are sent without the caller's repetitions, and so are counted otherwise."""
    name = next((step for step in field if step not in {"body", "attributes", "metadata"}), None)
    return ["input", _INPUTS[name]] if name in _INPUTS else None
