"""Artu: contact methods of clients."""

from collections.abc import Mapping

from pydantic import SecretStr
from starlette.types import ASGIApp

from app.sandbox.world import World
from app.vendor import HeaderAuth, VendorSpec
from app.vendors.artu import adapter, client, wire
from schema.vendor import Vendor

API_KEY = "ARTU_API_KEY"


def _auth(values: Mapping[str, SecretStr], environment: str) -> HeaderAuth:
    return HeaderAuth(
        lambda: {"authorization": f"Bearer {values[API_KEY].get_secret_value()}", "x-environment": environment}
    )


def _sandbox(world: World | None) -> ASGIApp:
    from app.vendors.artu.sandbox import create_sandbox  # noqa: PLC0415  # only who plays needs it

    return create_sandbox(world)


def _sandbox_values() -> Mapping[str, str]:
    from app.vendors.artu import sandbox  # noqa: PLC0415

    return {API_KEY: sandbox.SANDBOX_KEY}


SPEC = VendorSpec(
    vendor=Vendor.ARTU,
    base_url="https://api.artu.ai",
    variables=(API_KEY,),
    capabilities=("syncContactMethods", "contactMethod", "contactMethods"),
    auth=_auth,
    complaint=wire.read_complaint,
    paths={
        "contact-methods.sync": "/clients/{clientId}/contact-methods/sync",
        "contact-methods.list": "/contact-methods/list",
        "contact-methods.primary": "/clients/{clientId}/contact-methods/primary/{type}",
    },
    client=lambda rest, _: client.ArtuClient(rest),
    adapters={"contact_methods": adapter.ArtuContactMethodBook},
    finder="contact_methods",
    sandbox=_sandbox,
    sandbox_values=_sandbox_values,
    assumed="asks for the contact methods of many clients in one call, by the filter operator `in`",
)
