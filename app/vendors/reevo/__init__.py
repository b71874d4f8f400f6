"""Reevo: activities, and the contacts they are with."""

from collections.abc import Mapping

from starlette.types import ASGIApp

from app.sandbox.world import World
from app.vendor import HeaderAuth, VendorSpec
from app.vendors.reevo import adapter, client, wire
from schema.vendor import Vendor

API_KEY = "REEVO_API_KEY"


def _sandbox(world: World | None) -> ASGIApp:
    from app.vendors.reevo.sandbox import create_sandbox  # noqa: PLC0415  # only who plays needs it

    return create_sandbox(world)


def _sandbox_values() -> Mapping[str, str]:
    from app.vendors.reevo import sandbox  # noqa: PLC0415

    return {API_KEY: sandbox.SANDBOX_KEY}


SPEC = VendorSpec(
    vendor=Vendor.REEVO,
    base_url="https://api.reevo.ai",
    variables=(API_KEY,),
    capabilities=("logActivity", "activity", "activities"),
    auth=lambda values, _: HeaderAuth(lambda: {"authorization": f"Bearer {values[API_KEY].get_secret_value()}"}),
    complaint=wire.read_complaint,
    paths={
        "activities.create": "/api/v2/activity",
        "activities.query": "/api/v2/activity/_query",
        "contacts.query": "/api/v2/contact/_query",
        "contacts.get": "/api/v2/contact/{contactId}",
    },
    client=lambda rest, _: client.ReevoClient(rest),
    adapters={"activities": adapter.ReevoActivityLog},
    finder="activities",
    sandbox=_sandbox,
    sandbox_values=_sandbox_values,
)
