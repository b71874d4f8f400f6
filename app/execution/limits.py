"""How large a document may be: judged before it is validated, in time that grows with its text alone.

Depth, fields and aliases are those after fragments are expanded. Each fragment is measured once, however often it is spread,
and before those that spread it: a document whose expansion would be exponential costs no more than its text, and a chain of
fragments no deeper recursion than one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from app.execution.refused import Refused
from app.limits import Limits

CODE = "QUERY_TOO_COMPLEX"

# A token of the GraphQL specification, section 2.1; or a comment. Possessive, and content with a string that has no end.
_TOKEN = re.compile(
    r'#[^\n\r]*|"""(?:[^"\\]++|\\.|"(?!""))*+(?:""")?|"(?:[^"\\\n\r]++|\\.)*+"?'
    r"|\.\.\.|[A-Za-z_]\w*+|-?\d[\w.+-]*+|[!$&()\[\]{}:=@|]",
    re.DOTALL | re.ASCII,
)
_LARGEST_VALUE = 1_000_000_000  # what an expansion comes to may have hundreds of digits
_DEEPEST_INTROSPECTION = 50
_INTROSPECTION = frozenset({"__schema", "__type"})


_MESSAGES = {
    "source": "The document has {value} bytes, at most {most} are taken: send large values as variables.",
    "tokens": "The document has {value} tokens, at most {most} are taken: send large values as variables.",
    "fragments": "The document has {value} fragments, at most {most} are taken: send only those that are spread.",
    "directives": "The document has {value} directives, at most {most} are taken: leave out what is not needed.",
    "depth": "The operation is {value} levels deep, at most {most} are taken: ask for what lies deeper by its ID.",
    "aliases": "The operation has {value} aliases, at most {most} are taken: ask for several records by nodes(ids: …).",
    "fields": "The operation has {value} fields, fragments expanded, at most {most} are taken: split the request.",
    "repeats": "The operation has {value} pairs of fields of one name, at most {most} are taken: name each field once.",
    "mutations": "The operation has {value} mutations, at most {most} are taken: send the rest in further requests.",
    "cost": "The operation costs {value}, at most {most} is taken: ask for smaller pages (first), or split the request.",
}


class Size(NamedTuple):
    """What a selection set comes to once its fragments are expanded.

    `direct` are the fields at its own level. `selections` counts fragments too, which may hold nothing but fragments.
    """

    direct: int
    fields: int
    selections: int
    aliases: int
    depth: int


_NOTHING = Size(0, 0, 0, 0, 0)
_SELECTIONS_PER_FIELD = 10


def check_source(text: str, limits: Limits) -> None:
    """Raises Refused for a text that is not worth being parsed."""
    _check("source", len(text) if text.isascii() else len(text.encode()), limits.source)
    tokens = [each for each in _TOKEN.findall(text) if not each.startswith("#")]
    _check("tokens", len(tokens), limits.tokens)
    _check("fragments", tokens.count("fragment"), limits.fragments)
    _check("directives", tokens.count("@"), limits.directives)


def check_document(document: DocumentNode, limits: Limits) -> None:
    """Raises Refused if an operation in it comes to more than the limits."""
    sizes = fragment_sizes(document)
    operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    for operation in operations:
        _check_operation(operation, measure(operation.selection_set, sizes), limits)
    fragments = _fragments(document)
    if any(_is_cyclic(fragments)):
        return  # validation will say which
    for operation in operations:
        _check("repeats", _repeats([operation.selection_set], fragments), limits.repeats)


def over(limit: str, value: int, most: int) -> Refused:
    """The refusal of what goes beyond a limit."""
    value = min(value, _LARGEST_VALUE)
    extensions = {"code": CODE, "limit": limit, "value": value, "max": most}
    return Refused([GraphQLError(_MESSAGES[limit].format(value=value, most=most), extensions=extensions)])


def measure(selected: SelectionSetNode, fragments: Mapping[str, Size]) -> Size:
    """The size of a selection set, given those of the fragments that it spreads."""
    direct = fields = selections = aliases = depth = 0
    for each in selected.selections:
        inner = _inner(each, fragments)
        selections += 1 + inner.selections
        if isinstance(each, FieldNode):
            direct += 1
            fields += 1 + inner.fields
            aliases += (each.alias is not None) + inner.aliases
            depth = max(depth, _depth(each.name.value, 1 + inner.depth))
        else:
            direct += inner.direct
            fields += inner.fields
            aliases += inner.aliases
            depth = max(depth, inner.depth)
    return Size(direct, fields, selections, aliases, depth)


def _depth(field: str, depth: int) -> int:
    """Introspection is deep by nature; yet nothing may be so deep that reading it needs more stack than there is."""
    return 0 if field in _INTROSPECTION and depth <= _DEEPEST_INTROSPECTION else depth


def _inner(selection: object, fragments: Mapping[str, Size]) -> Size:
    if isinstance(selection, FragmentSpreadNode):
        return fragments.get(selection.name.value, _NOTHING)
    within = getattr(selection, "selection_set", None)
    return measure(within, fragments) if within else _NOTHING


def _check_operation(operation: OperationDefinitionNode, size: Size, limits: Limits) -> None:
    _check("depth", size.depth, limits.depth)
    _check("aliases", size.aliases, limits.aliases)
    _check("fields", size.fields, limits.fields)
    _check("fields", size.selections // _SELECTIONS_PER_FIELD, limits.fields)
    if operation.operation is OperationType.MUTATION:
        _check("mutations", size.direct, limits.mutations)


def _check(limit: str, value: int, most: int) -> None:
    if value > most:
        raise over(limit, value, most)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def fragment_sizes(document: DocumentNode) -> dict[str, Size]:
    """The size of each fragment; one that spreads itself counts as if it did not (validation refuses it)."""
    fragments = _fragments(document)
    sizes: dict[str, Size] = {}
    for name in _innermost_first(fragments):
        sizes[name] = measure(fragments[name].selection_set, sizes)
    return sizes


def _innermost_first(fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[str]:
    """The names of fragments, each after those that it spreads: a depth-first walk without recursion."""
    seen: set[str] = set()
    for first in fragments:
        if first in seen:
            continue
        seen.add(first)
        walk = [(first, _spread_in(fragments[first].selection_set))]
        while walk:
            name, spread = walk[-1]
            following = next((each for each in spread if each in fragments and each not in seen), None)
            if following is None:
                walk.pop()
                yield name
            else:
                seen.add(following)
                walk.append((following, _spread_in(fragments[following].selection_set)))


def _is_cyclic(fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[bool]:
    """For each fragment, whether it spreads one that does not come before it where those come innermost first."""
    before: set[str] = set()
    for name in _innermost_first(fragments):
        yield any(each in fragments and each not in before for each in _spread_in(fragments[name].selection_set))
        before.add(name)


def _spread_in(selected: SelectionSetNode) -> Iterator[str]:
    waiting = [selected]
    while waiting:
        for each in waiting.pop().selections:
            if isinstance(each, FragmentSpreadNode):
                yield each.name.value
            elif isinstance(each, FieldNode | InlineFragmentNode) and each.selection_set:
                waiting.append(each.selection_set)


def _repeats(level: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """How many pairs of fields share a name at a level and below: validation compares each pair."""
    named: dict[str, list[FieldNode]] = {}
    for field in _collected(level, fragments):
        named.setdefault(field.alias.value if field.alias else field.name.value, []).append(field)
    pairs = sum(len(fields) * (len(fields) - 1) // 2 for fields in named.values())
    below = [[field.selection_set for field in fields if field.selection_set] for fields in named.values()]
    return pairs + sum(_repeats(each, fragments) for each in below if each)


def _collected(level: list[SelectionSetNode], fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    waiting, spread = list(level), set[str]()
    while waiting:
        for each in waiting.pop().selections:
            if isinstance(each, FieldNode):
                yield each
            elif isinstance(each, InlineFragmentNode):
                waiting.append(each.selection_set)
            elif (
                isinstance(each, FragmentSpreadNode) and each.name.value not in spread and each.name.value in fragments
            ):
                spread.add(each.name.value)
                waiting.append(fragments[each.name.value].selection_set)
