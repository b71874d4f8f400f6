"""Makes documents and bodies up, by the grammar and by the schema, and spoils most of them a little.

The same seed makes the same requests, so that one which breaks something can be made again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
    is_required_input_field,
)

TOKENS = ["{", "}", "(", ")", "[", "]", ":", "$", "@", "!", "=", "|", "&", "...", "on", "query", "mutation", "fragment", "subscription", "true", "null", "-0", "1e9", '"x"', '"""y"""', "#z\n", "é", "\u0000", "__typename", "__schema", "first", "id"]  # fmt: skip
WRONG = ["null", "true", "5", "-1", "1.5", "1e400", '"x"', '""', "[]", "{}", "ENUM", "$v", "$missing", "[[[]]]", "{a: 1}", '"\\u0000"', '"../.."', "99999999999999999999"]  # fmt: skip
JSON_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    10**20 - 1,
    "",
    "x",
    "\u0000",
    "../..",
    "é😀",
    [],
    {},
    [[1]],
    {"a": {"b": []}},
    "x" * 300,
]
SPOILERS: list[bytes] = [b"{", b"}", b"[", b"]", b'"', b"\\", b":", b",", b"\x00", b"\xff", b"\xed\xa0\x80", b"1" * 25, b"\\ud800", b"NaN", b" "]  # fmt: skip


@dataclass
class Grammar:
    """Requests for one schema."""

    schema: GraphQLSchema
    random: Random

    def body(self) -> bytes:
        """A request's body."""
        request: dict[str, Any] = {"query": self.document()}
        if self._is(0.7):
            request["variables"] = {
                name: self.random.choice(JSON_VALUES) for name in ("v", "w", "missing") if self._is(0.6)
            }
        if self._is(0.2):
            request[self.random.choice(["operationName", "extensions", "variables", "query", "id"])] = (
                self.random.choice(JSON_VALUES)
            )
        body = json.dumps(request, ensure_ascii=self._is(0.5)).encode()
        return self._spoiled(body) if self._is(0.2) else body

    def document(self) -> str:
        """A document: half of them could be run."""
        root = self.random.choice([*["query"] * 6, *["mutation"] * 3, "subscription"])
        kind = {"query": self.schema.query_type, "mutation": self.schema.mutation_type}.get(
            root
        ) or self.schema.query_type
        variables = (
            f"($v: {self.random.choice(['Int', 'ID!', 'String', '[ID!]!', 'Boolean = true', 'Nothing'])})"
            if self._is(0.08)
            else ""
        )
        assert kind is not None  # a schema has queries
        text = f"{root} {self.random.choice(['', 'Q'])} {variables} {self._selections(kind, 0)}"
        if "...F" in text or self._is(0.03):
            text += f" fragment F on {self._type_name()} {self._selections(kind, 3)}"
        return self._stirred(text) if self._is(0.25) else text

    def _selections(self, kind: GraphQLNamedType, depth: int) -> str:
        fields: dict[str, GraphQLField] = getattr(kind, "fields", {})
        parts = [self._field(name, fields[name], depth) for name in self._some(list(fields), 3 if depth < 3 else 1)]
        if self._is(0.02):
            parts.append(f"... on {self._type_name()} {self._directive()} {{ __typename }}")
        if self._is(0.02):
            parts.append(f"...F {self._directive()}")
        if self._is(0.1) or not parts:
            parts.append("__typename")
        return "{ " + " ".join(parts) + " }"

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        alias = f"{self.random.choice('abcdefghijkl')}{depth}: " if self._is(0.1) else ""
        named = get_named_type(field.type)
        below = (
            self._selections(named, depth + 1) if is_composite_type(named) and depth < 6 and not self._is(0.005) else ""
        )
        return f"{alias}{name}{self._arguments(field)} {self._directive()} {below}"

    def _arguments(self, field: GraphQLField) -> str:
        given = [
            f"{name}: {self._value(each.type, 0)}"
            for name, each in field.args.items()
            if (is_required_argument(each) and not self._is(0.01)) or self._is(0.3)
        ]
        return f"({', '.join(given)})" if given else ""

    def _value(self, kind: GraphQLInputType, depth: int) -> str:
        if self._is(0.02) or depth > 4:
            return self.random.choice(WRONG)
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type, depth)
        if isinstance(kind, GraphQLList):
            return "[" + ", ".join(self._value(kind.of_type, depth + 1) for _ in range(self.random.randrange(3))) + "]"
        if isinstance(kind, GraphQLEnumType):
            return str(self.random.choice(list(kind.values)))
        if isinstance(kind, GraphQLInputObjectType):
            return self._input(kind, depth)
        return {"Int": "3", "Boolean": "true", "Float": "1.5", "JSON": "{a: [1]}"}.get(kind.name, '"x@example.com"')

    def _input(self, kind: GraphQLInputObjectType, depth: int) -> str:
        required = [name for name, each in kind.fields.items() if is_required_input_field(each)]
        names = (
            [self.random.choice(list(kind.fields))]
            if kind.is_one_of
            else [*required, *self._some(list(kind.fields), 1)]
        )
        return "{" + ", ".join(f"{name}: {self._value(kind.fields[name].type, depth + 1)}" for name in names) + "}"

    def _directive(self) -> str:
        if not self._is(0.02):
            return ""
        return self.random.choice(
            ["@skip(if: true)", "@include(if: $v)", "@include(if: false)", "@defer", "@skip", "@x", "@oneOf"]
        )

    def _type_name(self) -> str:
        return self.random.choice(list(self.schema.type_map))

    def _stirred(self, text: str) -> str:
        words = text.split(" ")
        for _ in range(self.random.randrange(1, 4)):
            place = self.random.randrange(len(words))
            words[place : place + self.random.randrange(2)] = self.random.choice(
                [[self.random.choice(TOKENS)], [words[self.random.randrange(len(words))]], []]
            )
            words.append("")
        return " ".join(words)

    def _spoiled(self, body: bytes) -> bytes:
        place = self.random.randrange(len(body) + 1)
        return self.random.choice(
            [
                body[:place] + self.random.choice(SPOILERS) + body[place:],
                body[:place],
                body[:place] + body[place + 1 :],
                body[place:],
                b"[" + body + b"]",
            ]
        )

    def _some(self, names: list[str], most: int) -> list[str]:
        return self.random.sample(names, min(len(names), self.random.randrange(most) + 1)) if names else []

    def _is(self, chance: float) -> bool:
        return self.random.random() < chance
