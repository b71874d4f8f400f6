"""Bird: contacts of one workspace."""

from collections.abc import Mapping

from starlette.types import ASGIApp

from app.sandbox.world import World
from app.vendor import HeaderAuth, VendorSpec
from app.vendors.bird import adapter, client, wire
from schema.vendor import Vendor

ACCESS_KEY = "BIRD_ACCESS_KEY"
WORKSPACE_ID = "BIRD_WORKSPACE_ID"


def _sandbox(world: World | None) -> ASGIApp:
    from app.vendors.bird.sandbox import create_sandbox  # noqa: PLC0415  # only who plays needs it

    return create_sandbox(world)


def _sandbox_values() -> Mapping[str, str]:
    from app.vendors.bird import sandbox  # noqa: PLC0415

    return {ACCESS_KEY: sandbox.SANDBOX_KEY, WORKSPACE_ID: sandbox.WORKSPACE_ID}


SPEC = VendorSpec(
    vendor=Vendor.BIRD,
    base_url="https://api.bird.com",
    variables=(ACCESS_KEY, WORKSPACE_ID),
    capabilities=("createContact", "contact", "contacts"),
    auth=lambda values, _: HeaderAuth(lambda: {"authorization": f"AccessKey {values[ACCESS_KEY].get_secret_value()}"}),
    complaint=wire.read_complaint,
    paths={
        "contacts.create": "/workspaces/{workspaceId}/contacts",
        "contacts.get": "/workspaces/{workspaceId}/contacts/{contactId}",
        "contacts.list": "/workspaces/{workspaceId}/contacts",
        "contacts.search": "/workspaces/{workspaceId}/contacts/search",
        "contacts.identifiers": "/workspaces/{workspaceId}/contacts/{contactId}/identifiers",
    },
    client=lambda rest, values: client.BirdClient(rest, values[WORKSPACE_ID].get_secret_value() if values else ""),
    adapters={"contact_book": adapter.BirdContactBook},
    finder="contact_book",
    sandbox=_sandbox,
    sandbox_values=_sandbox_values,
)
