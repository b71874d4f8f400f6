"""The vendors and environments, as every other module names them."""

from enum import Enum

import strawberry

from schema.enums import member


class _Quick(Enum):
    """Members hash by identity, in C: Enum's own hash is Python, and they are keys of everything that is looked up."""

    __hash__ = object.__hash__


@strawberry.enum(description="A vendor whose records this API serves.")
class Vendor(_Quick):
    ARCHITECT = member("ARCHITECT", "People, prospects and their logs.")
    BIRD = member("BIRD", "Contacts.")
    ARTU = member("ARTU", "Contact methods of clients.")
    REEVO = member("REEVO", "Activities.")


@strawberry.enum(description="Which set of vendor accounts a gateway key reaches. The two never mix.")
class Environment(_Quick):
    TEST = member("TEST", "Test accounts, or the built-in sandboxes.")
    LIVE = member("LIVE", "The vendors' live accounts.")
