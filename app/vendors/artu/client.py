"""The calls to Artu (docs.artu.ai/api-reference/contact-methods)."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator, Sequence
from functools import partial
from typing import TypeVar

from app.call import Call, Hook
from app.echo import Echo
from app.gate import Gate
from app.readings import Reading, whole
from app.rest import Rest
from app.vendors.artu import wire
from app.wire import segment

T = TypeVar("T")
_SYNC = "contact-methods.sync"
_INPUTS = {"items": "items", "replaceMode": "replace", "clientId": "client"}


class ArtuClient:
    """Artu's contact methods in one environment."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    async def sync(self, client_id: str, body: wire.Sync, hook: Hook | None = None) -> wire.Synced:
        path = f"/clients/{segment(client_id)}/contact-methods/sync"
        call = Call("POST", path, body.to_json(), locate=_locate, missing=_missing(body), operation=_SYNC)
        return await self._rest.write(call, wire.Synced, hook, partial(_echoes, client_id))

    @property
    def gate(self) -> Gate:
        return self._rest.gate(_SYNC)

    def list(self, body: wire.Listing, reading: Reading[T]) -> Awaitable[T]:
        """`reading`: of a wire.ContactMethodPage."""
        call = Call("POST", "/contact-methods/list", body.to_json(), operation="contact-methods.list")
        return self._rest.read(call, reading)

    async def get_primary(self, client_id: str, type_: str) -> wire.ContactMethod | None:
        """The primary contact method of a client and type; Artu answers null where there is none."""
        path = f"/clients/{segment(client_id)}/contact-methods/primary/{type_}"
        call = Call("GET", path, operation="contact-methods.primary")
        found: wire.Primary = await self._rest.read(call, whole(wire.Primary))
        return found.root


def _echoes(client_id: str, synced: wire.Synced) -> Iterator[Echo]:
    return (Echo(client_id, each.client_id) for each in (*synced.created, *synced.updated))


def _missing(body: wire.Sync) -> Sequence[str]:
    """The client, unless an item speaks of a contact method that may be what is missing."""
    return ("input",) if any(each.id or each.delete for each in body.items) else ("input", "client")


def _locate(field: Sequence[str]) -> list[str] | None:
    if field[0] not in _INPUTS:
        return None
    return ["input", _INPUTS[field[0]], *("delete" if step == "_delete" else step for step in field[1:])]
