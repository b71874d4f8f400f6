"""The five writes as a faulty vendor sees them: which one a request is, what it is called, and the documented answer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

WORKSPACE = "a1405560-c8d3-4b1a-877d-3f449ad95352"
_AT = "2026-01-15T10:30:00.000Z"
_PATHS = {
    "/v0/person_logs": "createPersonLog",
    "/v0/prospect_logs": "createProspectLog",
    f"/workspaces/{WORKSPACE}/contacts": "createContact",
    "/api/v2/activity": "logActivity",
}
_SYNC = re.compile(r"/clients/([0-9a-f-]+)/contact-methods/sync")
MARK = re.compile(rb'"([a-z0-9-]+-at-[a-z0-9]+)"')
"""What a write is called, somewhere in its body: the name of a fault, and a word of its own."""

_OF_ANOTHER = {
    "createPersonLog": {"source": "another"},
    "createProspectLog": {"prospectId": "prospect_2", "type": "another"},
    "createContact": {"workspaceId": "5d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f11"},
    "syncContactMethods": {"clientId": "5d0b7e0e-9f0c-4d0c-8a57-1d7a3b0c9f11"},
}
"""What an answer to another request says of it; one to logActivity says nothing of its request."""

_KEY = re.compile(rb'"idempotencyKey":"([^"]+)"')


@dataclass(frozen=True)
class Operation:
    """One of the five. `takes_key`: repeats with the same idempotency key have one effect. `client_id`: whose sync it is."""

    name: str
    client_id: str = ""

    @property
    def takes_key(self) -> bool:
        return self.name in ("createPersonLog", "createProspectLog")

    def key(self, body: bytes) -> str | None:
        found = _KEY.search(body) if self.takes_key else None
        return found[1].decode() if found else None

    def answer(self, record_id: str, mark: str) -> dict[str, Any]:
        """The documented answer."""
        if self.takes_key:
            party = "person" if self.name == "createPersonLog" else "prospect"
            made = {f"{party}Id": "prospect_1", f"{party}LogId": record_id, "createdAt": _AT}
            return made | {"source": mark, "type": "webhook"}
        if self.name == "createContact":
            made = {"id": record_id, "workspaceId": WORKSPACE, "computedDisplayName": mark, "createdAt": _AT}
            return made | {"featuredIdentifiers": []}
        if self.name == "logActivity":
            return {"data": {"id": record_id, "created_at": _AT, "updated_at": _AT, "attributes": {}}}
        made = {"id": record_id, "clientId": self.client_id, "type": "other", "value": "x", "label": mark}
        return {"created": [made | {"createdAt": _AT}], "updated": [], "deleted": []}

    def without(self, answer: dict[str, Any], *names: str) -> dict[str, Any]:
        """The answer with these fields gone from its record."""
        if self.name == "syncContactMethods":
            return answer | {"created": [_less(each, names) for each in answer["created"]]}
        if self.name == "logActivity":
            return {"data": _less(answer["data"], names)}
        return _less(answer, names)

    def plus(self, answer: dict[str, Any], **more: Any) -> dict[str, Any]:
        """The answer with these fields in its record."""
        if self.name == "syncContactMethods":
            return answer | {"created": [each | more for each in answer["created"]]}
        if self.name == "logActivity":
            return {"data": answer["data"] | more}
        return answer | more

    def of_another(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The answer as one to another request."""
        return self.plus(answer, **_OF_ANOTHER[self.name])


def operation_at(method: str, path: str) -> Operation | None:
    """The write that a request is; None if it is a read."""
    sync = _SYNC.fullmatch(path)
    if method != "POST" or (sync is None and path not in _PATHS):
        return None
    return Operation("syncContactMethods", sync[1]) if sync else Operation(_PATHS[path])


def nothing_found(path: str) -> dict[str, Any]:
    """What a read is answered: the vendor shows nothing of what it has."""
    return {"results": []} if path.startswith("/workspaces/") else {"data": []}


def _less(record: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}
