"""The vendors and environments, as every other module names them."""

from enum import Enum

import strawberry


@strawberry.enum(description="A vendor whose records this API serves.")
class Vendor(Enum):
    ARCHITECT = strawberry.enum_value("ARCHITECT", description="People, prospects and their logs.")
    BIRD = strawberry.enum_value("BIRD", description="Contacts.")
    ARTU = strawberry.enum_value("ARTU", description="Contact methods of clients.")
    REEVO = strawberry.enum_value("REEVO", description="Activities.")


@strawberry.enum(description="Which set of vendor accounts a gateway key reaches. The two never mix.")
class Environment(Enum):
    TEST = strawberry.enum_value("TEST", description="Test accounts, or the built-in sandboxes.")
    LIVE = strawberry.enum_value("LIVE", description="The vendors' live accounts.")
