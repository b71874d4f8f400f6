"""A schema that has every feature, over objects that are wrong now and then: the same ones at the same path, every time."""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import Enum
from random import Random
from typing import Annotated, Any, Generic, NewType, TypeVar
from zlib import crc32

import strawberry
from aiodataloader import DataLoader
from strawberry.extensions import FieldExtension
from strawberry.permission import BasePermission
from strawberry.schema.config import StrawberryConfig
from strawberry.types.scalar import ScalarDefinition

from schema.access import Guard
from schema.build import Schema

T = TypeVar("T")


@dataclass
class World:
    """How often something is wrong, what was done, and what was read, in order."""

    faults: float = 0.0
    done: list[Any] = field(default_factory=list)
    read: list[Any] = field(default_factory=list)
    loader: DataLoader[int, Any] | None = None

    def __post_init__(self) -> None:
        self.loader = DataLoader(self._load)

    @property
    def context(self) -> World:
        return self

    @property
    def ties(self) -> bool:
        return bool(self.read)

    async def _load(self, keys: list[int]) -> list[Any]:
        self.read.append(keys)
        await asyncio.sleep(0.5)
        return [Broken(f"no {key}") if key > 5 else None if key == 0 else f"loaded {key}" for key in keys]


Info = strawberry.Info[World, None]


class Broken(Exception):
    """What resolvers raise."""


class Odd:
    """Nothing that any type could answer."""

    def __repr__(self) -> str:
        return "Odd()"


def _path(info: Info) -> str:
    return "/".join(map(str, info.path.as_list()))


def _random(info: Info) -> Random:
    return Random(_path(info))  # noqa: S311  # not for secrets


async def pause(info: Info) -> None:
    """For a time that the path decides, so that no two things happen at once."""
    await asyncio.sleep(crc32(_path(info).encode()) / 2**32)


def now_and_then(info: Info, random: Random) -> None:
    if random.random() < info.context.faults:
        raise Broken(f"broken at {_path(info)}")


@strawberry.enum
class Colour(Enum):
    RED = "red"
    GREEN = strawberry.enum_value("green", name="VERT")
    BLUE = 3


Even = NewType("Even", int)
Shout = NewType("Shout", str)
Plain = NewType("Plain", object)
Trimmed = NewType("Trimmed", str)


def _even(value: Any) -> int:
    if not isinstance(value, int) or value % 2:
        raise ValueError(f"not even: {value}")
    return value


SCALARS: dict[object, ScalarDefinition] = {
    Even: strawberry.scalar(name="Even", serialize=lambda value: value if value % 2 == 0 else None, parse_value=_even),
    Shout: strawberry.scalar(name="Shout", serialize=lambda value: str(value).upper(), parse_value=str),
    Trimmed: strawberry.scalar(name="Trimmed", serialize=lambda value: value.strip() if type(value) is str else value),
    Plain: strawberry.scalar(name="Plain", parse_value=lambda value: value),
}


@strawberry.interface
class Named:
    name: str
    nickname: str | None = None

    @strawberry.field
    async def greeting(self, info: Info, word: str = "Hello") -> str:
        await pause(info)
        now_and_then(info, _random(info))
        return f"{word}, {self.name}"


@strawberry.interface
class Aged:
    age: int | None = None


@strawberry.type
class Leafy:
    text: str
    number: int
    ratio: float
    truth: bool
    key: strawberry.ID
    colour: Colour
    moment: dt.datetime
    day: dt.date | None
    unique: uuid.UUID
    price: decimal.Decimal | None
    even: Even | None
    shout: Shout
    plain: Plain | None
    trimmed: Trimmed
    maybe_text: str | None
    maybe_number: int | None
    texts: list[str]
    maybe_texts: list[str | None] | None
    grid: list[list[int]]
    maybe_grid: list[list[int | None] | None] | None
    colours: list[Colour]


@strawberry.type
class Edge(Generic[T]):
    cursor: str
    node: T


@strawberry.type
class Page(Generic[T]):
    edges: list[Edge[T]]
    nodes: list[T] | None


@strawberry.type
class Stone:
    weight: float
    leafy: Leafy | None
    twin: Annotated[Stone, strawberry.lazy("tests.execution.small")] | None = None


class Denied(BasePermission):
    message = "not for you"

    async def has_permission(self, source: Any, info: Info, **arguments: Any) -> bool:  # noqa: ARG002  # Strawberry's
        return _random(info).random() >= info.context.faults


class Louder(FieldExtension):
    """Changes an argument on the way in and the value on the way out."""

    async def resolve_async(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        return f"{await next_(source, info, **{**arguments, 'word': arguments['word'] + '?'})}!"


class Twice(FieldExtension):
    def resolve(self, next_: Callable[..., Any], source: Any, info: Info, **arguments: Any) -> Any:
        return next_(source, info, **arguments) * 2


class Forbidden(Guard):
    """Lets nobody in where something is wrong."""

    def check(self, context: Any) -> None:
        if context.faults:
            raise PermissionError("forbidden")


def _wrong(random: Random) -> Any:
    return random.choice(
        [None, Broken("a value"), Odd(), "text", 2**40, float("nan"), True, [1, None], {"a": 1}, b"bytes", 1.5]
    )


def leafy(random: Random, faults: float) -> Leafy:
    made = Leafy(
        text="t",
        number=random.randrange(100),
        ratio=random.random(),
        truth=random.random() < 0.5,
        key=strawberry.ID("k"),
        colour=random.choice(list(Colour)),
        moment=dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC),
        day=random.choice([None, dt.date(2026, 1, 2)]),
        unique=uuid.UUID(int=7),
        price=random.choice([None, decimal.Decimal("1.50")]),
        even=random.choice([None, Even(2)]),
        shout=Shout("loud"),
        plain=random.choice([None, Plain({"a": [1, None]}), Plain("p")]),
        trimmed=Trimmed(" trimmed "),
        maybe_text=random.choice([None, "m"]),
        maybe_number=random.choice([None, 3]),
        texts=["a", "b"],
        maybe_texts=random.choice([None, ["a", None]]),
        grid=[[1, 2], []],
        maybe_grid=random.choice([None, [[1, None], None]]),
        colours=[Colour.RED, Colour.BLUE],
    )
    for name in vars(made):
        if random.random() < faults / 2:
            setattr(made, name, _wrong(random))
    for name in ("texts", "grid", "maybe_grid", "colours"):
        if random.random() < faults and isinstance(getattr(made, name), list):
            getattr(made, name).append(_wrong(random))
    if random.random() < faults / 5:
        del made.__dict__["maybe_text"]
    return made


def stone(random: Random, faults: float, depth: int = 2) -> Any:
    if random.random() < faults:
        return random.choice([None, Broken("a stone"), "no stone"])
    twin = stone(random, faults, depth - 1) if depth and random.random() < 0.5 else None
    return Stone(weight=1.0, leafy=random.choice([None, leafy(random, faults)]), twin=twin)


def person(random: Random, faults: float) -> Any:
    if random.random() < faults:
        made = random.choice([None, Broken("a person"), stone(random, 0.0), _later])
        return made("Late") if made is _later else made
    name: Any = "Ada" if random.random() >= faults else _wrong(random)
    if random.random() < 0.3:
        return Robot(name=name, age=random.choice([None, 3]), battery=0.5)
    return Person(name=name, nickname=random.choice([None, "A"]), age=5, home=stone(random, faults))


async def _later(value: str) -> str:
    return value


def people(random: Random, faults: float) -> Any:
    if random.random() < faults:
        return random.choice([None, "people", Broken("people"), 5])
    made = [person(random, faults) for _ in range(random.randrange(4))]
    return random.choice([made, tuple(made)])


@strawberry.type
class Person(Named, Aged):
    home: Stone | None

    @strawberry.field
    async def friend(self, info: Info) -> Annotated[Person, strawberry.lazy("tests.execution.small")] | None:
        await pause(info)
        now_and_then(info, _random(info))
        found = person(_random(info), info.context.faults)
        return found if isinstance(found, Person) or info.context.faults else None

    @strawberry.field
    async def best_friend(self, info: Info) -> Annotated[Person, strawberry.lazy("tests.execution.small")]:
        await pause(info)
        now_and_then(info, _random(info))
        return Person(name="Best", home=stone(_random(info), info.context.faults))

    @strawberry.field
    def friends(self, info: Info) -> list[Named]:
        now_and_then(info, _random(info))
        found: list[Named] = people(_random(info), info.context.faults)
        return found

    @strawberry.field
    async def circle(self, info: Info) -> Page[Person] | None:
        await pause(info)
        made = [Person(name=f"P{n}", home=None) for n in range(3)]
        if _random(info).random() < info.context.faults:
            made[1] = None  # type: ignore[call-overload]  # on purpose
        return Page(edges=[Edge(cursor="c", node=each) for each in made], nodes=made)

    @strawberry.field
    def loaded(self, info: Info, key: int = 1) -> str | None:
        assert info.context.loader is not None
        return info.context.loader.load(key)  # type: ignore[return-value]  # a future of it

    @strawberry.field
    async def calm(self) -> str:
        return self.name


@strawberry.type
class Robot(Named, Aged):
    battery: float


Found = Annotated[Person | Robot | Stone, strawberry.union("Found")]


@strawberry.input
class Inner:
    number: int = 7
    even: Even | None = None
    colours: list[Colour] = strawberry.field(default_factory=lambda: [Colour.RED])


@strawberry.input
class Filter:
    text: str
    inner: Inner | None = strawberry.UNSET
    inners: list[Inner | None] | None = None
    plain: Plain | None = None
    key: strawberry.ID | None = None
    ratio: float = 0.5
    moment: dt.datetime | None = None
    strict: bool | None = strawberry.UNSET


@strawberry.input(one_of=True)
class Either:
    text: str | None = strawberry.UNSET
    inner: Inner | None = strawberry.UNSET


@strawberry.input
class Tree:
    """Holds itself."""

    name: str
    branches: list[Tree] | None = None


@strawberry.input
class Change:
    text: strawberry.Maybe[str | None]


@strawberry.type
class Query:
    version: str = strawberry.field(resolver=lambda: "1")

    @strawberry.field
    def leafy(self, info: Info, seed: int = 0) -> Leafy:
        return leafy(_seeded(info, seed), info.context.faults)

    @strawberry.field
    async def maybe_leafy(self, info: Info, seed: int | None = 1) -> Leafy | None:
        await pause(info)
        return leafy(_seeded(info, seed), info.context.faults)

    @strawberry.field
    async def person(self, info: Info, seed: int = 0) -> Person | None:
        await pause(info)
        now_and_then(info, _seeded(info, seed))
        return Person(name="Root", home=stone(_seeded(info, seed), info.context.faults))

    @strawberry.field
    async def must_person(self, info: Info) -> Person:
        await pause(info)
        now_and_then(info, _random(info))
        return Person(name="Must", home=None)

    @strawberry.field
    def named(self, info: Info, seed: int = 0) -> Named | None:
        found: Named | None = person(_seeded(info, seed), info.context.faults)
        return found

    @strawberry.field
    async def aged(self, info: Info) -> list[Aged]:
        await pause(info)
        found: list[Aged] = people(_random(info), info.context.faults)
        return found

    @strawberry.field
    async def found(self, info: Info) -> list[Found | None] | None:
        await pause(info)
        random, faults = _random(info), info.context.faults
        return [random.choice([person, stone])(random, faults) for _ in range(4)]

    @strawberry.field
    def streamed(self, info: Info) -> list[int | None]:
        async def numbers() -> AsyncIterator[int]:
            for number in range(3):
                await pause(info)
                yield number

        return numbers()  # type: ignore[return-value]  # graphql-core takes it

    @strawberry.field
    def waiting(self, info: Info) -> list[int]:
        async def number(value: int) -> Any:
            await asyncio.sleep(value / 7)
            return value if random.random() >= faults else _wrong(random)

        random, faults = _random(info), info.context.faults
        return [number(1), 2, number(3)]  # type: ignore[list-item]  # graphql-core awaits items

    @strawberry.field
    def echo(self, info: Info, filter: Filter, other: Filter | None = None) -> str:  # its name
        info.context.done.append(("echo", filter, other))
        return repr((filter, other))

    @strawberry.field
    def either(self, by: Either) -> str | None:
        return repr(by)

    @strawberry.field
    async def echoes(
        self,
        words: list[str] = ["x"],  # noqa: B006  # Strawberry copies it
        colour: Colour = Colour.GREEN,
        grid: list[list[int] | None] | None = None,
        moment: dt.datetime | None = None,
        even: Even | None = None,
        plain: Plain | None = None,
        flag: bool | None = strawberry.UNSET,
        ratio: float | None = 1.0,
        from_: Annotated[int | None, strawberry.argument(name="from")] = None,
    ) -> str:
        return repr((words, colour, grid, moment, even, plain, flag, ratio, from_))

    @strawberry.field
    def tree(self, of: Tree) -> str:
        return repr(of)

    @strawberry.field
    def change(self, change: Change) -> str | None:
        return repr(change)

    @strawberry.field(permission_classes=[Denied])  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def secret(self, info: Info) -> str | None:
        await pause(info)
        return "secret"

    @strawberry.field(extensions=[Forbidden(), Forbidden()])  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def guarded(self, info: Info, word: str = "hey") -> str | None:
        await pause(info)
        return word

    @strawberry.field(extensions=[Forbidden(), Louder()])  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def guarded_and_loud(self, word: str = "hey") -> str | None:
        return word

    @strawberry.field(extensions=[Louder()])  # type: ignore[untyped-decorator]  # Strawberry's overloads
    async def loud(self, word: str = "hey") -> str:
        return word

    @strawberry.field(extensions=[Twice()])  # type: ignore[untyped-decorator]  # Strawberry's overloads
    def twice(self, word: str = "ho") -> str:
        return word

    @strawberry.field
    def told(self, info: Info) -> str:
        facts = (info.field_name, info.python_name, _path(info), sorted(info.variable_values), info.root_value)
        return repr((*facts, len(info.selected_fields), info.operation.operation.value))


def _seeded(info: Info, seed: int | None) -> Random:
    return Random(f"{seed}/{_path(info)}")  # noqa: S311  # not for secrets


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def add(self, info: Info, number: int) -> int | None:
        info.context.done.append(("begin", number))
        await pause(info)
        now_and_then(info, _random(info))
        info.context.done.append(("end", number))
        return number

    @strawberry.mutation
    def person(self, info: Info) -> Person | None:
        info.context.done.append("person")
        return Person(name="Made", home=stone(_random(info), info.context.faults))

    @strawberry.mutation
    async def must(self, info: Info) -> Person:
        await pause(info)
        info.context.done.append("must")
        now_and_then(info, _random(info))
        return Person(name="Must", home=None)


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def count(self) -> AsyncIterator[int]:
        yield 1


def small_schema() -> Schema:
    return Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Robot],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
