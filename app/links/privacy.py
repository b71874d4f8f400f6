"""What is remembered of one human being, shown or forgotten on request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.database import writing
from app.links import store
from app.links.identifiers import Identifier
from app.links.record import Key, Record
from app.links.records import Records
from app.links.resolve import Circle, Links


@dataclass(frozen=True)
class Remembered:
    """All records of one human being, and the logs and activities that hang on them.

    `shared` are identifiers that so many records carry that they link none of them.
    """

    records: Sequence[Record]
    identifiers: Sequence[Identifier]
    shared: Sequence[Identifier]


async def show(records: Records, start: Circle) -> Remembered:
    """Everything remembered of the human being to whom `start` belongs."""
    circle = await Links(records, max_age_ms=0).remembered(start)
    related = await records.pointing_at(list(circle.records))
    keys = sorted({*circle.records, *related}, key=_in_order)
    known = await records.recall(keys)
    identifiers = sorted(circle.identifiers)
    shared = await records.shared(identifiers)
    return Remembered([known[key] for key in keys if key in known], identifiers, shared)


async def forget(records: Records, start: Circle) -> Remembered:
    """Deletes all of that, and what vendors were asked about it; returns what was deleted."""
    found = await show(records, start)
    own = [each for each in found.identifiers if each not in found.shared]
    async with writing(records.memory.engine).begin() as connection:
        await store.forget(connection, {(records.environment, record.key) for record in found.records})
        await store.forget_lookups(connection, records.environment, own)
    return found


def _in_order(key: Key) -> tuple[str, str, str]:
    return key.vendor.value, key.kind, key.id
