"""The vendors and environments, as every other module names them."""

import strawberry

from schema.enums import Quick, member


@strawberry.enum(description="A vendor whose records this API serves.")
class Vendor(Quick):
    ARCHITECT = member("ARCHITECT", "People, prospects and their logs.")
    BIRD = member("BIRD", "Contacts.")
    ARTU = member("ARTU", "Contact methods of clients.")
    REEVO = member("REEVO", "Activities.")


@strawberry.enum(description="Which set of vendor accounts a gateway key reaches. The two never mix.")
class Environment(Quick):
    TEST = member("TEST", "Test accounts, or the built-in sandboxes.")
    LIVE = member("LIVE", "The vendors' live accounts.")
