"""What is needed to kill a gateway in the middle of writes: a vendor that keeps its own list of effects, and an audit against it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

PERSON_LOGS = "/v0/person_logs"
WORKSPACE = "a1405560-c8d3-4b1a-877d-3f449ad95352"
CONTACTS = f"/workspaces/{WORKSPACE}/contacts"
_PATIENCE = 30.0


class Moment(Enum):
    """When the gateway is killed, as a write reaches the vendor."""

    CONNECTING = "while the connection is made"
    FIRST_BYTE = "when the first byte has come, and the vendor never reads on"
    TAKEN = "when the request has come, and the vendor applies it after the gateway's death"
    APPLIED = "when it is applied, and not answered"
    ANSWERING = "as the answer leaves the vendor"
    ANSWERED = "when the caller has the answer"


@dataclass(frozen=True)
class Effect:
    """One thing that was made at the vendor. `mark` is what the caller called the write."""

    mark: str
    record_id: str
    at: datetime
    identifiers: Sequence[Mapping[str, str]] = ()


@dataclass
class Truth:
    """Architect and Bird behind one port. `effects` only grows; `taken` are the marks of the requests that were read whole.

    Bird takes every contact, also one whose identifiers are taken: a doubled write must show. Until `release` a request is
    held at `moment`; from then on there is no holding.
    """

    moment: Moment
    effects: list[Effect] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    misused_keys: list[str] = field(default_factory=list)
    """Vendor keys that came with another body than before."""
    _by_key: dict[str, tuple[Any, Effect]] = field(default_factory=dict)
    _reached: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _released: asyncio.Event = field(default_factory=asyncio.Event)

    async def reached(self, number: int) -> None:
        """Waits until so many requests have come to the moment."""
        async with asyncio.timeout(_PATIENCE):
            for _ in range(number):
                await self._reached.acquire()

    def release(self) -> None:
        self._released.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request on each connection. One that dies before it is whole has no effect."""
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(1)
        if self.moment in (Moment.CONNECTING, Moment.FIRST_BYTE) and not self._released.is_set():
            await self._hold()
            return
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        body = json.loads(await reader.readexactly(_length(head)) or "null")
        answer = await self._answer(method, path, body)
        writer.write(answer)
        await writer.drain()
        if self.moment is Moment.ANSWERING:
            self._reached.release()

    async def _answer(self, method: str, path: str, body: Any) -> bytes:
        if method == "GET":
            return _response(200, {"results": self._identifiers(path)})
        if path == f"{CONTACTS}/search":
            return _response(200, {"results": self._search(body["identifier"])})
        mark = body["payload"]["mark"] if path == PERSON_LOGS else body["displayName"]
        self.taken.append(mark)
        await self._hold_at(Moment.TAKEN)
        made = self._log(mark, body) if path == PERSON_LOGS else self._contact(mark, body)
        await self._hold_at(Moment.APPLIED)
        return _response(201, made)

    def _log(self, mark: str, body: Any) -> dict[str, Any]:
        key = body["idempotencyKey"]
        if key not in self._by_key:
            self._by_key[key] = (body, self._apply(mark, f"log_{len(self.effects)}"))
        before, effect = self._by_key[key]
        if before != body:
            self.misused_keys.append(key)
        return {"personId": "person_1", "personLogId": effect.record_id, "createdAt": effect.at.isoformat()}

    def _contact(self, mark: str, body: Any) -> dict[str, Any]:
        return _contact(self._apply(mark, str(uuid.uuid4()), body["identifiers"]))

    def _apply(self, mark: str, record_id: str, identifiers: Sequence[Mapping[str, str]] = ()) -> Effect:
        effect = Effect(mark, record_id, datetime.now(UTC), identifiers)
        self.effects.append(effect)
        return effect

    def _search(self, identifier: Mapping[str, str]) -> list[dict[str, Any]]:
        return [_contact(each) for each in self.effects if identifier in each.identifiers]

    def _identifiers(self, path: str) -> list[Mapping[str, str]]:
        return [one for each in self.effects if f"/{each.record_id}/" in path for one in each.identifiers]

    async def _hold_at(self, moment: Moment) -> None:
        if self.moment is moment and not self._released.is_set():
            await self._hold()

    async def _hold(self) -> None:
        self._reached.release()
        await self._released.wait()


@dataclass(frozen=True)
class Told:
    """What a caller was told of a write: the state of its receipt, and the vendor's ID of the record that it was given."""

    mark: str
    state: str | None
    record_id: str | None
    replayed: bool | None


@dataclass(frozen=True)
class Tally:
    """The writes of an audit by what is wrong with them, by their marks; what is in doubt is not wrong."""

    writes: int = 0
    doubled: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    disagreeing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.writes + other.writes,
            self.doubled + other.doubled,
            self.lost + other.lost,
            self.disagreeing + other.disagreeing,
            self.unknown + other.unknown,
        )

    def __str__(self) -> str:
        return (
            f"{self.writes} writes: {len(self.doubled)} doubled, {len(self.lost)} lost, "
            f"{len(self.disagreeing)} disagreements, {len(self.unknown)} unknown {list(self.unknown)}"
        )


def audit(effects: Iterable[Effect], receipts: Mapping[str, str], told: Iterable[Told]) -> Tally:
    """Compares the vendor's list with the receipts (states by mark) and with all that callers were told."""
    made = Counter(each.mark for each in effects)
    records = {(each.mark, each.record_id) for each in effects}
    said = [*told, *(Told(mark, state, None, None) for mark, state in receipts.items())]
    lost = {each.mark for each in said if each.state == "SUCCEEDED" and made[each.mark] == 0}
    refused = {each.mark for each in said if each.state == "FAILED" and made[each.mark] > 0}
    mistaken = {each.mark for each in said if each.record_id is not None and (each.mark, each.record_id) not in records}
    turned = {
        each.mark for each in said if each.state in ("SUCCEEDED", "FAILED") and receipts.get(each.mark) != each.state
    }
    unlisted = set(made) - set(receipts)
    return Tally(
        writes=len(set(made) | set(receipts)),
        doubled=tuple(sorted(mark for mark, number in made.items() if number > 1)),
        lost=tuple(sorted(lost)),
        disagreeing=tuple(sorted(refused | mistaken | turned | unlisted)),
        unknown=tuple(sorted(mark for mark, state in receipts.items() if state == "UNKNOWN")),
    )


def _contact(effect: Effect) -> dict[str, Any]:
    return {
        "id": effect.record_id,
        "computedDisplayName": effect.mark,
        "featuredIdentifiers": list(effect.identifiers),
        "identifierCount": len(effect.identifiers),
        "createdAt": effect.at.isoformat(),
    }


def _length(head: str) -> int:
    return next(
        (int(line.partition(":")[2]) for line in head.split("\r\n") if line.lower().startswith("content-length:")), 0
    )


def _response(status: int, content: Any) -> bytes:
    body = json.dumps(content).encode()
    head = f"HTTP/1.1 {status} OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}connection: close\r\n\r\n".encode() + body
