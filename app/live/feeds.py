"""What can be followed, as the schema's port."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from app.live.activities import ActivityFeed, Subject
from app.live.receipts import ReceiptWatch, follow
from schema.ports import Receipts
from schema.types.activity import Activity
from schema.types.receipt import Receipt
from schema.vendor import Environment


@dataclass(frozen=True)
class Feeds:
    """Fills schema.ports.Live for one subscription."""

    environment: Environment
    receipts: Receipts
    watch: ReceiptWatch
    feed: ActivityFeed

    def receipt(self, receipt: Receipt) -> AsyncGenerator[Receipt, None]:
        return follow(self.receipts, self.watch, receipt)

    def activities(self, subject: Subject) -> AsyncGenerator[Activity, None]:
        return self.feed.follow(self.environment, subject)
