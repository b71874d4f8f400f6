"""How the vendors are doing, and who is asking."""

from __future__ import annotations

import strawberry

from schema.vendor import Environment, Vendor


@strawberry.type(description="How a vendor is doing, as this gateway sees it.")
class VendorStatus:
    vendor: Vendor = strawberry.field(description="Which vendor.")
    environment: Environment = strawberry.field(description="In which environment: that of the key that asks.")
    available: bool = strawberry.field(
        description="Whether calls to it are being made. False when it is not configured, and while one of its operations is "
        "left alone because it has failed too often of late."
    )
    sandboxed: bool = strawberry.field(description="Whether the built-in sandbox stands in its place.")
    capabilities: list[str] = strawberry.field(description="The fields of this API that it serves.")


@strawberry.type(description="Who is asking.")
class Viewer:
    key_id: str = strawberry.field(description="The gateway key's ID: safe to log, not a secret.")
    name: str = strawberry.field(description="The name that the key was given.")
    environment: Environment = strawberry.field(description="Which set of vendor accounts the key reaches.")
    scopes: list[str] = strawberry.field(description="What the key may do. `*` is everything.")
