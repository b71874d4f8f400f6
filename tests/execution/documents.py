"""Documents made at random over any schema: fragments, merged fields, aliases, directives, variables and their values.

hypothesis-graphql makes documents of fields and arguments; what it leaves out is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationType,
    Undefined,
    get_named_type,
    is_composite_type,
)

MakeLeaf = Callable[[Random], Any]

LEAVES: Mapping[str, MakeLeaf] = {
    "String": lambda random: random.choice(["", "a", 'q"\\n', "é\u2028"]),
    "ID": lambda random: random.choice(["1", "x", 7]),
    "Int": lambda random: random.choice([0, 1, 5, 20, -3]),
    "Float": lambda random: random.choice([0.5, 2, -1.25]),
    "Boolean": lambda random: random.random() < 0.5,
}


class Name(str):
    __slots__ = ()
    """An enum's value, which is written without quotes."""


@dataclass(frozen=True)
class Document:
    text: str
    variables: dict[str, Any]


@dataclass
class Maker:
    """Makes documents. `leaves` makes values by the name of a scalar; `wrongs` is how often a variable's value is wrong."""

    schema: GraphQLSchema
    random: Random
    leaves: Mapping[str, MakeLeaf] = field(default_factory=dict)
    wrongs: float = 0.02
    depth: int = 4

    def __post_init__(self) -> None:
        self._definitions: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._fragments: dict[str, str] = {}
        self._count = 0

    def document(self, operation: OperationType = OperationType.QUERY) -> Document:
        root = self.schema.get_root_type(operation)
        assert root is not None
        selected = self._selection(root, self.depth)
        definitions = ", ".join(self._definitions.values())
        head = f"{operation.value} Made{f'({definitions})' if definitions else ''}"
        return Document("\n".join([f"{head} {selected}", *self._fragments.values()]), self._values)

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _next(self, stem: str) -> str:
        self._count += 1
        return f"{stem}{self._count}"

    def _selection(self, type_: GraphQLNamedType, depth: int) -> str:
        fields = {} if isinstance(type_, GraphQLUnionType) else dict(type_.fields)  # type: ignore[attr-defined]  # composite
        names = [name for name, each in fields.items() if depth > 0 or not is_composite_type(get_named_type(each.type))]
        chosen = self.random.sample(names, min(len(names), self.random.randrange(1, 5)))
        parts = [self._field(name, fields[name], depth) for name in chosen]
        if self._chance(0.2) and parts:
            parts.append(self.random.choice(parts))
        if depth > 0:
            parts.extend(self._fragment(type_, depth) for _ in range(self.random.choice([0, 0, 1, 2])))
        if not parts or self._chance(0.2):
            parts.append("__typename")
        self.random.shuffle(parts)
        return "{ " + " ".join(parts) + " }"

    def _field(self, name: str, definition: GraphQLField, depth: int) -> str:
        arguments = self._arguments(definition.args)
        alias = f"{self._next('a')}: " if arguments or self._chance(0.2) else ""
        named = get_named_type(definition.type)
        beneath = f" {self._selection(named, depth - 1)}" if is_composite_type(named) else ""
        return f"{alias}{name}{arguments}{self._condition()}{beneath}"

    def _fragment(self, type_: GraphQLNamedType, depth: int) -> str:
        narrowed = self._narrowed(type_)
        selected = self._selection(narrowed, depth - 1)
        condition = f" on {narrowed.name}"
        if self._chance(0.5):
            bare = narrowed is type_ and self._chance(0.5)
            return f"...{'' if bare else condition}{self._condition()} {selected}"
        name = self._next("F")
        self._fragments[name] = f"fragment {name}{condition} {selected}"
        return " ".join(f"...{name}{self._condition()}" for _ in range(self.random.choice([1, 1, 2])))

    def _narrowed(self, type_: GraphQLNamedType) -> GraphQLNamedType:
        """A type that has objects in common with another."""
        if isinstance(type_, GraphQLObjectType):
            return self._one_of([type_, type_, *type_.interfaces])
        assert isinstance(type_, GraphQLInterfaceType | GraphQLUnionType)
        possible = self.schema.get_possible_types(type_)
        wider = [each for one in possible for each in one.interfaces]
        return self._one_of([type_, *possible, *possible, *wider])

    def _one_of(self, types: Sequence[GraphQLNamedType]) -> GraphQLNamedType:
        return self.random.choice(types)

    def _condition(self) -> str:
        if not self._chance(0.12):
            return ""
        names = self.random.choice([["skip"], ["include"], ["skip", "include"]])
        return "".join(f" @{name}(if: {self._boolean()})" for name in names)

    def _boolean(self) -> str:
        if self._chance(0.3):
            return self.random.choice(["true", "false"])
        existing = [name for name in self._definitions if name.startswith("b")]
        name = self.random.choice(existing) if existing and self._chance(0.6) else self._next("b")
        if name not in self._definitions:
            default = self.random.choice(["!", "!", " = true", " = false", "! = true"])
            self._definitions[name] = f"${name}: Boolean{default}"
            if "=" not in default or self._chance(0.5):
                self._values[name] = self._chance(0.5) if self._chance(0.98) else None
        return f"${name}"

    def _arguments(self, arguments: Mapping[str, GraphQLArgument]) -> str:
        given = [
            f"{name}: {self._value(each.type, each.default_value is not Undefined)}"
            for name, each in arguments.items()
            if self._must(each) or self._chance(0.4)
        ]
        return f"({', '.join(given)})" if given else ""

    def _must(self, each: Any) -> bool:
        return isinstance(each.type, GraphQLNonNull) and each.default_value is Undefined

    def _value(self, type_: Any, has_default: bool = False) -> str:
        if self._chance(0.4):
            return self._variable(type_, has_default)
        return self._literal(type_)

    def _variable(self, type_: Any, has_default: bool) -> str:
        name = self._next("v")
        value = self._json(type_)
        shown = str(type_)
        if has_default and shown.endswith("!") and self._chance(0.3):
            shown = shown[:-1]
        default = f" = {_print(self._json(type_))}" if self._chance(0.3) else ""
        self._definitions[name] = f"${name}: {shown}{default}"
        if not self._chance(0.3) or (shown.endswith("!") and not default):
            self._values[name] = value if not self._chance(self.wrongs) else self._wrong()
        return f"${name}"

    def _wrong(self) -> Any:
        return self.random.choice([None, "wrong", 5, -1.5, True, [], {}, {"text": 1, "nope": 2}, [None], 2**40])

    def _literal(self, type_: Any) -> str:
        if isinstance(type_, GraphQLNonNull):
            return self._literal(type_.of_type)
        if isinstance(type_, GraphQLList):
            return f"[{', '.join(self._value(type_.of_type) for _ in range(self.random.randrange(3)))}]"
        if isinstance(type_, GraphQLInputObjectType):
            names = self._chosen(type_)
            inner = ", ".join(f"{name}: {self._member(type_, name)}" for name in names)
            return f"{{{inner}}}"
        return _print(self._json_non_null(type_))

    def _member(self, type_: GraphQLInputObjectType, name: str) -> str:
        member = type_.fields[name]
        if _is_one_of(type_):
            return self._value(GraphQLNonNull(_bare(member.type)))
        return self._value(member.type, member.default_value is not Undefined)

    def _chosen(self, type_: GraphQLInputObjectType) -> list[str]:
        if _is_one_of(type_):
            return [self.random.choice(list(type_.fields))]
        deep = self._count > 200  # a type that holds itself has an end
        return [name for name, each in type_.fields.items() if self._must(each) or (not deep and self._chance(0.4))]

    def _json(self, type_: Any) -> Any:
        self._count += 1
        if isinstance(type_, GraphQLNonNull):
            return self._json_non_null(type_.of_type)
        return None if self._chance(0.1) else self._json_non_null(type_)

    def _json_non_null(self, type_: Any) -> Any:
        type_ = _bare(type_)
        if isinstance(type_, GraphQLList):
            if self._chance(0.1):
                return self._json_non_null(type_.of_type)
            return [self._json(type_.of_type) for _ in range(self.random.randrange(3))]
        if isinstance(type_, GraphQLInputObjectType):
            one_of = _is_one_of(type_)
            return {
                name: (self._json_non_null if one_of else self._json)(type_.fields[name].type)
                for name in self._chosen(type_)
            }
        if isinstance(type_, GraphQLEnumType):
            return Name(self.random.choice(list(type_.values)))
        return {**LEAVES, **self.leaves}[type_.name](self.random)


def _bare(type_: Any) -> Any:
    return type_.of_type if isinstance(type_, GraphQLNonNull) else type_


def _is_one_of(type_: GraphQLInputObjectType) -> bool:
    return bool(getattr(type_.extensions.get("strawberry-definition"), "is_one_of", False))


def _print(value: Any) -> str:
    """A value as a literal."""
    if isinstance(value, Name):
        return value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {_print(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_print, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value) if type(value) in (int, float) else {None: "null", True: "true", False: "false"}[value]
