"""What was handed in to memory and is not stored yet: a read that can't wait for it adds it to what is stored."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.links.identifiers import Identifier
from app.links.record import Key, Lookup, Record, merged
from schema.vendor import Environment, Vendor


@dataclass
class Batch:
    """What is handed in while the one before is being stored: what is gone is deleted, then the news are stored."""

    gone: dict[tuple[Environment, Key], None] = field(default_factory=dict)
    """In order."""
    news: dict[tuple[Environment, Key], list[Record]] = field(default_factory=dict)
    lookups: dict[tuple[Environment, Vendor, Identifier], bool] = field(default_factory=dict)
    began: Mapping[Environment, int] = field(default_factory=dict)
    """What `Recollection.now` was when the batch was begun to be stored."""
    stored: asyncio.Event = field(default_factory=asyncio.Event)
    is_overtaken: bool = False
    """Whether something was read without waiting for it."""
    _carriers: dict[tuple[Environment, Identifier], dict[Key, None]] = field(default_factory=dict)
    """The records of `news` by what they carry, in order."""

    def is_empty(self) -> bool:
        return not (self.gone or self.news or self.lookups)

    def add(self, environment: Environment, record: Record) -> None:
        """Hands in a record."""
        self.news.setdefault((environment, record.key), []).append(record)
        for each in record.links:
            self._carriers.setdefault((environment, each), {})[record.key] = None

    def drop(self, environment: Environment, key: Key) -> None:
        """Hands in that a record is gone, with what was handed in of it before."""
        self.gone[environment, key] = None
        for record in self.news.pop((environment, key), ()):
            for each in record.links:
                self._carriers[environment, each].pop(key, None)

    def parts(self) -> list[Batch]:
        """The same, each thing by itself."""
        gone = [Batch(gone={where: None}) for where in self.gone]
        news = [Batch(news={where: seen}, began=self.began) for where, seen in self.news.items()]
        lookups = [Batch(lookups={question: answer}, began=self.began) for question, answer in self.lookups.items()]
        return [*gone, *news, *lookups]

    def add_records(self, environment: Environment, keys: Sequence[Key], found: dict[Key, Record]) -> None:
        """Makes of what was found in the database what will be found once this is stored; so do the others."""
        self._forget(environment, keys, found)
        for key, seen in self._seen(environment, keys):
            found[key] = merged(found.get(key), seen)

    def add_carriers(
        self, environment: Environment, identifiers: Sequence[Identifier], found: dict[Identifier, list[Key]]
    ) -> None:
        """Of what is not gone it adds only: who carries an identifier no longer is told until this is stored."""
        for each in identifiers:
            kept = [key for key in found.pop(each, ()) if (environment, key) not in self.gone]
            if keys := dict.fromkeys([*kept, *self._carriers.get((environment, each), ())]):
                found[each] = list(keys)

    def add_identifiers(
        self, environment: Environment, keys: Sequence[Key], found: dict[Key, list[Identifier]]
    ) -> None:
        """Adds only, too."""
        self._forget(environment, keys, found)
        for key, seen in self._seen(environment, keys):
            links = [each for record in seen for each in record.links]
            found[key] = list(dict.fromkeys([*found.get(key, ()), *links]))

    def add_lookups(
        self,
        environment: Environment,
        questions: Sequence[tuple[Vendor, Identifier]],
        found: dict[tuple[Vendor, Identifier], Lookup],
    ) -> None:
        """As if they had been asked now, as they will be stored."""
        asked_ms = time.time_ns() // 1_000_000
        for vendor, each in questions:
            is_known = self.lookups.get((environment, vendor, each))
            if is_known is not None:
                found[vendor, each] = Lookup(asked_ms, is_known)

    def add_targets(
        self, environment: Environment, keys: Sequence[Key], relation: str, found: dict[Key, list[str]]
    ) -> None:
        self._forget(environment, keys, found)
        for key, seen in self._seen(environment, keys):
            own_ids = [own_id for record in seen for name, _, own_id in record.relations if name == relation]
            if own_ids:
                found[key] = list(dict.fromkeys([*found.get(key, ()), *own_ids]))

    def _forget(self, environment: Environment, keys: Sequence[Key], found: dict[Key, Any]) -> None:
        for key in keys if self.gone else ():
            if (environment, key) in self.gone:
                found.pop(key, None)

    def _seen(self, environment: Environment, keys: Sequence[Key]) -> Iterator[tuple[Key, list[Record]]]:
        for key in keys:
            if seen := self.news.get((environment, key)):
                yield key, seen


def stored() -> Batch:
    """One that nobody need wait for."""
    batch = Batch()
    batch.stored.set()
    return batch
