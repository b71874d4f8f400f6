"""What was done at a vendor itself: memory goes by what the vendor says now, as soon as it is read again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.vendors.artu.sandbox import SANDBOX_KEY
from schema.ids import Kind, encode
from schema.vendor import Vendor
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes
from tests.linked.vendors import behind

DESK = "desk@x.example"
OLD, NEW = ("0a5f1d0e-2a3c-4d5e-8f90-1a2b3c4d5e01", "0a5f1d0e-2a3c-4d5e-8f90-1a2b3c4d5e02")
BY_EMAIL = """query($email: EmailAddress!) {
    contact(by: { emailAddress: $email }) { displayName } profile(by: { emailAddress: $email }) { displayName }
}"""

PROFILE = "query($email: EmailAddress!) { profile(by: { emailAddress: $email }) { emailAddresses } }"


@dataclass
class Bird:
    """Bird's reads, over contacts that a test changes: names and e-mail addresses by ID. It features no more than three."""

    contacts: dict[str, tuple[str, list[str]]] = field(default_factory=dict)

    def app(self, _: object) -> Starlette:
        path = "/workspaces/{workspace}/contacts"
        routes = [
            Route(path, self.list),
            Route(f"{path}/search", self.search, methods=["POST"]),
            Route(f"{path}/{{own_id}}", self.get),
        ]
        return Starlette(routes=routes)

    async def list(self, _: Request) -> Response:
        return JSONResponse({"results": [self._shown(own_id) for own_id in self.contacts]})

    async def search(self, request: Request) -> Response:
        value = (await request.json())["identifier"]["value"]
        found = [own_id for own_id, (_, emails) in self.contacts.items() if value in emails]
        return JSONResponse({"results": [self._shown(own_id) for own_id in found]})

    async def get(self, request: Request) -> Response:
        own_id = request.path_params["own_id"]
        if own_id not in self.contacts:
            return JSONResponse({"code": "ResourceNotFound", "message": "Not found"}, 404)
        return JSONResponse(self._shown(own_id))

    def _shown(self, own_id: str) -> dict[str, Any]:
        name, emails = self.contacts[own_id]
        featured = [{"key": "emailaddress", "value": each} for each in emails[:3]]
        moments = dict.fromkeys(("createdAt", "updatedAt"), "2026-01-15T10:30:00.000Z")
        return {
            "id": own_id,
            "computedDisplayName": name,
            "featuredIdentifiers": featured,
            "identifierCount": len(emails),
        } | moments


@dataclass
class Artu:
    """A way to Artu's sandbox beside the gateway."""

    http: httpx.AsyncClient

    async def client(self, *items: dict[str, Any]) -> str:
        """A new client with these contact methods: its ID."""
        own_id = (await self.http.post("/clients", json={"type": "individual", "name": "Ada"})).json()["id"]
        await self.sync(own_id, *items)
        return str(own_id)

    async def sync(self, client_id: str, *items: dict[str, Any]) -> list[str]:
        """The IDs of what it made."""
        done = await self.http.post(f"/clients/{client_id}/contact-methods/sync", json={"items": items})
        assert done.status_code == 200, done.text
        return [each["id"] for each in done.json()["created"]]


@pytest.fixture
async def artu(tmp_path: Path) -> AsyncIterator[tuple[Gateway, Artu]]:
    """A gateway, and the Artu behind it."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        headers = {"authorization": f"Bearer {SANDBOX_KEY}", "x-environment": "test"}
        async with (
            gateway(environ, tmp_path / "switchboard.db", upstream) as served,
            httpx.AsyncClient(base_url=environ["TEST_ARTU_BASE_URL"], headers=headers) as direct,
        ):
            yield served, Artu(direct)


@pytest.fixture
async def bird(tmp_path: Path) -> AsyncIterator[tuple[Gateway, Bird]]:
    """A gateway, and the Bird behind it."""
    bird = Bird({OLD: ("Old", ["old@x.example", DESK]), NEW: ("New", ["new@x.example"])})
    async with behind(tmp_path / "switchboard.db", {Vendor.BIRD: bird.app}, {}) as served:
        yield served, bird


async def test_an_address_that_moved_leads_to_whom_it_moved_to(bird: tuple[Gateway, Bird]) -> None:
    """Once both contacts were read again, whole: who had it before is not found by it any more."""
    served, vendor = bird
    assert (await served.ask(BY_EMAIL, {"email": DESK})).data["contact"] == {"displayName": "Old"}
    vendor.contacts = {OLD: ("Old", ["old@x.example"]), NEW: ("New", ["new@x.example", DESK])}
    await served.ask("{ contacts { nodes { id } } }")
    assert (await served.ask(BY_EMAIL, {"email": DESK})).data == {
        "contact": {"displayName": "New"},
        "profile": {"displayName": "New"},
    }


async def test_an_address_that_bird_does_not_feature_stays_known(bird: tuple[Gateway, Bird]) -> None:
    """It was found by it, and what is featured says nothing against it."""
    served, vendor = bird
    vendor.contacts[OLD] = ("Old", ["a@x.example", "b@x.example", "c@x.example", DESK])
    for _ in range(2):
        assert (await served.ask(BY_EMAIL, {"email": DESK})).data["contact"] == {"displayName": "Old"}
        await served.ask("{ contacts { nodes { id } } }")


async def test_a_contact_that_bird_has_no_more_is_forgotten(bird: tuple[Gateway, Bird]) -> None:
    """Alone, once Bird was asked for it by its ID: neither that nor its address leads to anybody then."""
    served, vendor = bird
    for email in (DESK, "new@x.example"):
        assert (await served.ask(BY_EMAIL, {"email": email})).data["contact"] is not None
    del vendor.contacts[OLD]
    by_id = "query($id: ID!) { contact(by: { id: $id }) { id } profile(by: { id: $id }) { displayName } }"
    for _ in range(2):
        gone = await served.ask(by_id, {"id": encode(Kind.CONTACT, OLD)})
    assert gone.data == {"contact": None, "profile": None}
    assert (await served.ask(BY_EMAIL, {"email": DESK})).data == {"contact": None, "profile": None}
    assert (await served.ask(BY_EMAIL, {"email": "new@x.example"})).data["profile"] == {"displayName": "New"}


@pytest.mark.parametrize(
    "read", ["contactMethods(filter: { clientId: $client }) { nodes { id } }", "node(id: $id) { id }"]
)
async def test_a_contact_method_that_artu_has_no_more_is_forgotten(artu: tuple[Gateway, Artu], read: str) -> None:
    """Once its client's were all read, or it itself was asked for: its address is another client's alone."""
    served, vendor = artu
    client = await vendor.client(_email("old@x.example"))
    [method] = await vendor.sync(client, _email(DESK))
    await served.ask(PROFILE, {"email": DESK})
    await vendor.sync(client, {"id": method, "_delete": True})
    other = await vendor.client(_email("new@x.example"), _email(DESK))
    await served.ask("query($id: ID!) { contactMethods(filter: { clientId: $id }) { nodes { id } } }", {"id": other})
    own = {"id": encode(Kind.CONTACT_METHOD, method), "client": client}
    names = "$id: ID!" if "$id" in read else "$client: ID!"
    await served.ask(f"query({names}) {{ {read} }}", own)
    found = await served.ask(PROFILE, {"email": DESK})
    assert sorted(found.data["profile"]["emailAddresses"]) == [DESK, "new@x.example"]


async def test_all_contact_methods_of_a_client_are_learned(artu: tuple[Gateway, Artu]) -> None:
    """Of many too, and in one call where they are few."""
    served, vendor = artu
    many = [f"ada{number:02}@x.example" for number in range(30)]
    await vendor.client(*map(_email, many))
    found = await served.ask(PROFILE, {"email": many[0]})
    assert sorted(found.data["profile"]["emailAddresses"]) == many
    await vendor.client(_email("few@x.example"))
    await served.ask(PROFILE, {"email": "few@x.example"})
    assert served.calls().count("ARTU POST /contact-methods/list") == 2


async def test_what_more_than_twenty_clients_share_makes_nobody_of_them(artu: tuple[Gateway, Artu]) -> None:
    """One more is learned than link, however many there are."""
    served, vendor = artu
    for number in range(22):
        await vendor.client(_email(DESK), _email(f"own{number}@x.example"))
    assert (await served.ask(PROFILE, {"email": DESK})).data == {"profile": None}
    found = await served.ask(PROFILE, {"email": "own0@x.example"})
    assert sorted(found.data["profile"]["emailAddresses"]) == [DESK, "own0@x.example"]


def _email(value: str) -> dict[str, Any]:
    return {"type": "email", "value": value}
