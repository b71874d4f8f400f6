"""The gateway's schema over ports that make everything up: the same answers, faults and delays for the same questions."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random
from typing import Any
from zlib import crc32

from strawberry.types.base import StrawberryList, StrawberryOptional, get_object_definition
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition
from strawberry.types.lazy_type import LazyType
from strawberry.types.union import StrawberryUnion

from app.loaders import OneByOne
from schema import ids
from schema.context import Context
from schema.errors import InvalidInput, MutationError, NotFound, OutcomeUnknown, Refusal, VendorUnavailable
from schema.ids import Kind
from schema.ports import WholeIdentity, Written
from schema.types.activity import Activity
from schema.types.connection import Connection, Edge, PageInfo
from schema.types.contact import Contact, ContactIdentifier
from schema.types.contact_method import ContactMethod
from schema.types.identity import Identity
from schema.types.node import Node, VendorRecord
from schema.types.person import Person, PersonLog, Prospect, ProspectLog
from schema.types.receipt import Receipt, ReceiptEvent
from schema.types.status import VendorStatus, Viewer
from schema.vendor import Environment, Vendor

UUID = "11111111-2222-3333-4444-555555555555"
OWN: dict[Kind, tuple[str, ...]] = {
    Kind.PERSON: ("prospect_1",),
    Kind.PROSPECT: ("prospect_2",),
    Kind.RECEIPT: ("r-1",),
}
OWN |= {Kind.PERSON_LOG: ("prospect_1", "accountlog_1"), Kind.PROSPECT_LOG: ("prospect_2", "accountlog_2")}
IDS = [ids.encode(kind, *OWN.get(kind, (UUID,))) for kind in Kind]

LEAVES: dict[str, Callable[[Random], Any]] = {
    "ID": lambda random: random.choice([*IDS, UUID, "prospect_1", "nonsense"]),
    "DateTime": lambda random: random.choice(["2026-01-15T10:30:00Z", "2026-02-01T00:00:00+02:00"]),
    "EmailAddress": lambda random: random.choice(["ada@example.com", "not one"]),
    "PhoneNumber": lambda _: "+31612345678",
    "URL": lambda _: "https://www.linkedin.com/in/ada",
    "JSON": lambda random: random.choice([{"a": 1, "b": [None, "x"]}, {}, "text", 2**70]),
    "Int": lambda random: random.choice([1, 3, 20, 100, 0]),
}


PORTS = [
    each.name for each in dataclasses.fields(Context) if each.name not in {"viewer", "request_id", "idempotency_key"}
]


class World:
    """One request's ports; `faults` is how often something goes wrong."""

    def __init__(self, faults: float, *, scopes: tuple[str, ...] = ("*",)) -> None:
        self.faults = faults
        self.asked: Counter[str] = Counter()
        self.done: list[str] = []
        self.read: list[str] = []
        self.ties = False
        viewer = Viewer(key_id="k", name="Tester", environment=Environment.TEST, scopes=list(scopes))
        ports: dict[str, Any] = {name: Port(self, name, ANSWERS.get(name, {})) for name in PORTS}
        self.context = Context(viewer=viewer, request_id="q", idempotency_key=None, **ports)


class Port:
    """A port whose every method answers what `answers` makes, after a while, or fails."""

    def __init__(self, world: World, name: str, answers: dict[str, Callable[[Random, float], Any]]) -> None:
        self._world = world
        self._name = name
        self._answers = answers
        self._loader: OneByOne[tuple[str, str], Any] = OneByOne()

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*arguments: Any, **named: Any) -> Any:
            question = f"{self._name}.{method}{_shown((arguments, named))}"
            if method == "of":
                self._world.ties = True
                return await self._loader.load((method, question), self._load)
            return await self._load((method, question))

        return ask

    async def _load(self, asked: tuple[str, str]) -> Any:
        method, question = asked
        self._world.asked[question] += 1  # so that the same question twice is not answered at once
        await asyncio.sleep(1 + crc32(question.encode()) / 2**32 + self._world.asked[question] / 2**20)
        (self._world.done if method in {"write", "settle"} else self._world.read).append(question)
        random, faults = Random(question), self._world.faults  # noqa: S311  # not for secrets
        if random.random() < faults:
            return _fail(random)
        return self._answers[method](random, faults)


def _shown(value: Any) -> str:
    """A question, without what has an address in memory."""
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, dict):
        return _shown(tuple(value.items()))
    if callable(value) and not isinstance(value, type):
        return "function"
    record = getattr(value, "id", None)
    return repr(record if isinstance(record, str) else value if not isinstance(value, Node) else type(value))


def _fail(random: Random) -> Any:
    unavailable = VendorUnavailable(message="Ask again later.", vendor=Vendor.BIRD, retry_after_seconds=2.0)
    raise random.choice(
        [
            Refusal(unavailable),
            Refusal(NotFound(message="There is none.", path=["input"])),
            RuntimeError("unforeseen"),
            ValueError("a secret"),
        ]
    )


def made(type_: Any, random: Random, faults: float) -> Any:
    """A value of a Strawberry type, wrong now and then."""
    if random.random() < faults / 6:
        return random.choice([None, RuntimeError("a value"), 5, "text", 2**40, {}, [None]])
    match type_:
        case StrawberryOptional():
            return None if random.random() < 0.3 else made(type_.of_type, random, faults)
        case StrawberryList():
            return [made(type_.of_type, random, faults) for _ in range(random.randrange(3))]
        case LazyType():
            return made(type_.resolve_type(), random, faults)
        case StrawberryUnion():
            return made(random.choice(type_.types), random, faults)
    return _named(type_, random, faults)


def _named(type_: Any, random: Random, faults: float) -> Any:
    if isinstance(type_, StrawberryEnumDefinition):
        return random.choice(list(type_.wrapped_cls))
    if has_enum_definition(type_):
        return random.choice(list(type_))  # type: ignore[call-overload]  # an enum
    if type_ is MutationError:
        return made(random.choice([NotFound, InvalidInput, OutcomeUnknown]), random, faults)
    if get_object_definition(type_) is not None:
        return _record(type_, random, faults)
    return _leaf(type_, random)


def _record(type_: Any, random: Random, faults: float) -> Any:
    definition = get_object_definition(type_, strict=True)
    values = {
        each.python_name: made(each.resolve_type(type_definition=definition), random, faults)
        for each in definition.fields
        if each.base_resolver is None
    }
    hidden = {each.name for each in dataclasses.fields(type_) if each.init} - values.keys()
    record = type_(**values, **{name: _HIDDEN[name](random) for name in hidden})
    if type_.__name__ in set(Kind):
        kind = Kind(type_.__name__)
        record.id = ids.encode(kind, *OWN.get(kind, (UUID,))) if random.random() >= faults / 6 else None
    return record


_HIDDEN: dict[str, Callable[[Random], Any]] = {
    "identity": lambda _: Identity(email_addresses=("ada@example.com",)),
    "person_id": lambda _: "prospect_1",
    "prospect_id": lambda _: "prospect_2",
    "own_id": lambda _: "r-1",
    "result_id": lambda random: random.choice([None, *IDS]),
    "reevo_contact_id": lambda random: random.choice([None, UUID]),
    "featured_identifiers": lambda _: [],
    "write_start": lambda random: lambda: random.choice([None, "start"]),
    "write_end": lambda _: lambda: "end",
}


def _leaf(type_: Any, random: Random) -> Any:
    if type_ is datetime:
        return datetime(2026, 1, 2, random.randrange(24), tzinfo=UTC)
    plain = {bool: random.random() < 0.5, int: random.randrange(9), float: random.random()}
    if getattr(type_, "__supertype__", None) is object:
        return {"a": [1, None]}
    return plain.get(type_, f"text {random.randrange(9)}")


def page(type_: Any) -> Callable[[Random, float], Any]:
    def make(random: Random, faults: float) -> Any:
        nodes = [made(type_, random, faults) for _ in range(random.randrange(4))]
        if random.random() < faults / 2:
            nodes.append(None)
        edges = [Edge(node=node, write_cursor=_cursor(random, faults)) for node in nodes]
        return Connection(make_edges=lambda: edges, nodes=nodes, page_info=made(PageInfo, random, faults))

    return make


def _cursor(random: Random, faults: float) -> Callable[[], Any]:
    cursor = random.choice(["c", None, 5]) if random.random() < faults else "c"
    return lambda: cursor


def one(type_: Any) -> Callable[[Random, float], Any]:
    return lambda random, faults: None if random.random() < 0.1 else made(type_, random, faults)


def several(type_: Any) -> Callable[[Random, float], Any]:
    return lambda random, faults: [made(type_, random, faults) for _ in range(random.randrange(3))]


def identity(random: Random, _: float) -> Any:
    record = VendorRecord(vendor=Vendor.BIRD, kind="contact", id=UUID)
    return None if random.random() < 0.1 else Identity(records=(record,), email_addresses=(f"{random.random()}",))


def written(random: Random, faults: float) -> Any:
    receipt = made(Receipt, random, faults)
    result = random.choice([None, made(Contact, random, faults)])
    return Written(result=result, receipt=receipt)


ANSWERS: dict[str, dict[str, Callable[[Random, float], Any]]] = {
    "links": {
        "start": identity,
        "whole": lambda random, faults: WholeIdentity(identity(random, faults) or Identity(), "Ada"),
        "is_known": lambda random, _: random.random() < 0.9,
        "people": several(Person),
        "prospects": several(Prospect),
        "contacts": several(Contact),
    },
    "people": {"get": one(Person), "named": one(Person), "page": page(Person)},
    "prospects": {"get": one(Prospect), "named": one(Prospect), "page": page(Prospect)},
    "person_logs": {"get": one(PersonLog), "page": page(PersonLog)},
    "prospect_logs": {"get": one(ProspectLog), "page": page(ProspectLog)},
    "contact_book": {"get": one(Contact), "page": page(Contact), "identifiers": several(ContactIdentifier)},
    "contact_methods": {
        "get": one(ContactMethod),
        "page": page(ContactMethod),
        "of": page(ContactMethod),
        "clients": lambda *_: [UUID],
    },
    "activities": {
        "get": one(Activity),
        "page": page(Activity),
        "of": page(Activity),
        "contact_ids": lambda *_: [UUID],
        "contact_identities": lambda random, faults: [identity(random, faults) or Identity()],
    },
    "ledger": {"write": written},
    "receipts": {
        "get": one(Receipt),
        "page": page(Receipt),
        "events": several(ReceiptEvent),
        "settle": one(Receipt),
    },
    "vendors": {"statuses": several(VendorStatus)},
}
