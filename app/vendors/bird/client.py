"""The calls to Bird (docs.bird.com/api/contacts-api)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from app.call import Call, Hook
from app.echo import Echo
from app.gate import Gate
from app.readings import Reading, whole
from app.rest import Rest
from app.vendors.bird import wire
from app.wire import segment

T = TypeVar("T")
LARGEST_PAGE = 100
_CREATE = "contacts.create"


class BirdClient:
    """Bird's contacts of one workspace."""

    def __init__(self, rest: Rest, workspace_id: str) -> None:
        self._rest = rest
        self._workspace_id = workspace_id
        self._contacts = f"/workspaces/{segment(workspace_id)}/contacts"

    async def create_contact(
        self,
        body: wire.NewContact,
        locate: Callable[[Sequence[str]], list[str] | None],
        hook: Hook | None = None,
    ) -> wire.Contact:
        call = Call("POST", self._contacts, body.to_json(), locate=locate, operation=_CREATE)
        return await self._rest.write(call, wire.Contact, hook, self._echoes)

    @property
    def gate(self) -> Gate:
        return self._rest.gate(_CREATE)

    def get_contact(self, contact_id: str, reading: Reading[T]) -> Awaitable[T | None]:
        """`reading`: of a wire.Contact."""
        path = f"{self._contacts}/{segment(contact_id)}"
        return self._rest.find(Call("GET", path, operation="contacts.get"), reading)

    def list_contacts(self, page_token: str | None, limit: int, reading: Reading[T]) -> Awaitable[T]:
        """`reading`: of a wire.ContactPage."""
        call = Call("GET", self._contacts, query=_paging(page_token, limit), operation="contacts.list")
        return self._rest.read(call, reading)

    async def search_contacts(self, key: str, value: str) -> wire.ContactPage:
        body = wire.Search(identifier=wire.Identifier(key=key, value=value))
        call = Call("POST", f"{self._contacts}/search", body.to_json(), operation="contacts.search")
        return await self._rest.read(call, whole(wire.ContactPage))

    async def list_identifiers(self, contact_id: str, page_token: str | None) -> wire.IdentifierPage:
        path = f"{self._contacts}/{segment(contact_id)}/identifiers"
        call = Call("GET", path, query=_paging(page_token, LARGEST_PAGE), operation="contacts.identifiers")
        return await self._rest.read(call, whole(wire.IdentifierPage))

    def _echoes(self, made: wire.Contact) -> tuple[Echo]:
        """Names and identifiers are stored as Bird likes them, so they tell nothing."""
        return (Echo(self._workspace_id, made.workspace_id),)


def _paging(page_token: str | None, limit: int) -> dict[str, str | int]:
    return {"limit": limit} if page_token is None else {"limit": limit, "pageToken": page_token}
