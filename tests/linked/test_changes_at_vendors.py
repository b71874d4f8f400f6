"""What was changed at a vendor itself: memory goes by what the vendor says now, as soon as it is read again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from schema.vendor import Vendor
from tests.gateway import Gateway
from tests.linked.vendors import behind

DESK = "desk@x.example"
OLD, NEW = ("0a5f1d0e-2a3c-4d5e-8f90-1a2b3c4d5e01", "0a5f1d0e-2a3c-4d5e-8f90-1a2b3c4d5e02")
BY_EMAIL = """query($email: EmailAddress!) {
    contact(by: { emailAddress: $email }) { displayName } profile(by: { emailAddress: $email }) { displayName }
}"""


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
