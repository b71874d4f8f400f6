"""How a mutation may be delivered."""

from __future__ import annotations

from schema.rules import Rules
from schema.types.receipt import Delivery


def check_delivery(rules: Rules, delivery: Delivery) -> None:
    if delivery is Delivery.BACKGROUND:
        rules.broken("Background delivery is not offered yet: use WAIT.", "delivery")
