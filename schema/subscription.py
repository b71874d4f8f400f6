"""The subscriptions: what is told as it happens, over graphql-transport-ws or server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated

import strawberry

from schema.access import READ, Scope
from schema.context import Info
from schema.costs import costs
from schema.errors import NotFound, Refusal
from schema.query import ActivityScope, ReceiptRef, read_receipt, whose
from schema.types.activity import Activity
from schema.types.receipt import Receipt


@strawberry.type(description="What can be followed.")
class Subscription:
    @strawberry.subscription(
        description="The receipt as it is, then again at each change of state; completes when the state is final.",
        extensions=[Scope(READ)],
        metadata=costs(0),
    )
    async def receipt_changed(
        self, info: Info, by: Annotated[ReceiptRef, strawberry.argument(description="Which write.")]
    ) -> AsyncGenerator[Receipt, None]:
        receipt = await read_receipt(info.context, by)
        if receipt is None:
            raise Refusal(NotFound(message="There is no such receipt, or this key may not see it.", path=["by"]))
        return info.context.live.receipt(receipt)

    @strawberry.subscription(
        description="Activities of a party, an account or an opportunity as they appear, from now on. Those that this "
        "gateway logs are told at once; others as soon as the vendor is next asked.",
        extensions=[Scope(READ)],
        metadata=costs(2),
    )
    async def activity_logged(
        self, info: Info, of: Annotated[ActivityScope, strawberry.argument(description="Whose.")]
    ) -> AsyncGenerator[Activity, None]:
        subject = await whose(info.context, of)
        if subject is None:
            raise Refusal(NotFound(message="The record pointed at does not exist.", path=["of", "party"]))
        return info.context.live.activities(subject)
