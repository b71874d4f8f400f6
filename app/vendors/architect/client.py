"""The calls to Architect (api-docs.tryarchitect.com, Customer API v0)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from app.call import Call, Hook
from app.echo import Echo
from app.gate import Gate
from app.readings import whole
from app.rest import Rest
from app.vendors.architect import wire
from app.wire import segment
from schema.ids import Kind

_PATHS = {Kind.PERSON: "/v0/person_logs", Kind.PROSPECT: "/v0/prospect_logs"}
_CREATE = {Kind.PERSON: "person-logs.create", Kind.PROSPECT: "prospect-logs.create"}
_INPUTS = {
    "personId": "personId",
    "prospectId": "prospectId",
    "email": "emailAddress",
    "phoneNumber": "phoneNumber",
    "linkedinProfileUrl": "linkedinProfileUrl",
    "name": "name",
    "source": "source",
    "type": "type",
    "payload": "payload",
}


class ArchitectClient:
    """Architect's logs in the tenant of one key."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def create_log(self, kind: Kind, body: wire.NewLog, hook: Hook | None = None) -> wire.CreatedLog:
        """Writes a log of a person or of a prospect (`kind`)."""
        named = body.person_id or body.prospect_id
        missing = ("input", f"{kind.value.lower()}Id") if named else ("input",)
        call = Call("POST", _PATHS[kind], body.to_json(), locate=_locate, missing=missing, operation=_CREATE[kind])
        return await self._rest.write(call, wire.CreatedLog, hook, partial(_echoes, body))

    def gate(self, kind: Kind) -> Gate:
        return self._rest.gate(_CREATE[kind])

    async def get_person_log(self, person_id: str, log_id: str) -> wire.PersonLog | None:
        if {person_id, log_id} & {".", ".."}:
            return None  # no record's ID, but a step up in a path
        path = f"/v0/persons/{segment(person_id)}/logs/{segment(log_id)}"
        return await self._rest.find(Call("GET", path, operation="person-logs.get"), whole(wire.PersonLog))


def _echoes(body: wire.NewLog, created: wire.CreatedLog) -> Iterator[Echo]:
    yield Echo(body.person_id or body.prospect_id, created.party_id)
    yield Echo(body.source, created.source)
    yield Echo(body.type, created.type)


def _locate(field: Sequence[str]) -> list[str] | None:
    return ["input", _INPUTS[field[0]], *field[1:]] if field[0] in _INPUTS else None
