"""Calls of resolvers as Strawberry makes them, with all that can be known before worked out before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from inspect import iscoroutinefunction
from types import FunctionType
from typing import Any, NoReturn, TypeAlias, TypeGuard

import strawberry
from graphql import FieldNode, GraphQLField, Undefined, get_argument_values
from strawberry.extensions.field_extension import FieldExtension, build_field_extension_resolvers
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from app.execution.answering import Answering
from app.execution.info import Info, ResolveInfo
from app.execution.inputs import Coerce, Unfit, converter
from app.execution.literals import Constant, Read, argument_reader
from app.execution.positions import Position
from app.execution.source import Source
from schema.access import Guard
from schema.build import Schema

Call: TypeAlias = Callable[[Any, Answering, Position], Any]
"""Resolves a field of a source at a position; the value may have to be awaited."""


@dataclass(frozen=True)
class Arguments:
    """What a resolver is given, by its names in Python: what is the same for every request, and how the rest is read."""

    constants: Mapping[str, Any]
    read: Callable[[Answering], dict[str, Any]] | None


@dataclass(frozen=True)
class Resolver:
    """A field's resolver, as far as it is the same for every document."""

    field: StrawberryField
    function: Callable[..., Any]
    converters: Mapping[str, tuple[str, Coerce | None]]
    """By argument, its name in Python."""
    guards: tuple[Callable[[Any], None], ...]
    """The checks of its extensions, the innermost first, where they are all guards; else there are `steps`."""
    steps: tuple[Callable[..., Any], ...]
    """Of extensions, the innermost first."""
    maps: tuple[Callable[[dict[str, Any]], dict[str, Any]], ...]
    """Of extensions, over the arguments."""
    sources: tuple[str, ...]
    """Parameters that take the source, besides self."""

    @property
    def is_coroutine(self) -> bool:
        """Whether what a call returns is always to be awaited."""
        return not self.steps and not self.maps and iscoroutinefunction(self.function)


def plain_resolver(schema: Schema, definition: GraphQLField) -> Resolver | None:
    """The resolver of a field that does nothing but what Strawberry's own do; None for any other."""
    field = definition.extensions.get("strawberry-definition")
    is_changed = schema.exception_handlers or schema.config.info_class is not strawberry.Info
    if is_changed or not _is_strawberrys(definition.resolve) or not _is_plain(field):
        return None
    try:
        return _resolver(schema, field)
    except Unfit:
        return None


def is_attribute_field(schema: Schema, definition: GraphQLField) -> bool:
    """Whether a field is no more than an attribute of its source."""
    field = definition.extensions.get("strawberry-definition")
    return (
        isinstance(field, StrawberryField)
        and type(field).get_result is StrawberryField.get_result
        and field.is_basic_field
        and field.default_resolver is getattr
        and not schema.exception_handlers
        and _is_strawberrys(definition.resolve)
    )


def _is_strawberrys(resolve: Any) -> bool:
    """Whether Strawberry made it, and nobody wrapped it."""
    return str(getattr(resolve, "__qualname__", "")).startswith("GraphQLCoreConverter.from_resolver.")


def _is_plain(field: Any) -> TypeGuard[StrawberryField]:
    return (
        isinstance(field, StrawberryField)
        and type(field).get_result is StrawberryField.get_result
        and type(field.base_resolver) is StrawberryResolver
        and isinstance(field.base_resolver.wrapped_func, FunctionType)
    )


def _resolver(schema: Schema, field: StrawberryField) -> Resolver:
    base: Any = field.base_resolver
    names = schema.config.name_converter
    parameters = (base.parent_parameter, base.root_parameter)
    extended = [each for each in field.extensions if type(each).map_arguments is not FieldExtension.map_arguments]
    are_guards = iscoroutinefunction(base.wrapped_func) and not extended and all(map(_only_checks, field.extensions))
    return Resolver(
        field=field,
        function=base.wrapped_func,
        converters={
            names.from_argument(each): (each.python_name, converter(schema, each.type)) for each in field.arguments
        },
        guards=tuple(each.check for each in field.extensions if isinstance(each, Guard)) if are_guards else (),
        steps=() if are_guards else tuple(build_field_extension_resolvers(field)),
        maps=tuple(each.map_arguments for each in extended),
        sources=tuple(each.name for each in parameters if each),
    )


def _only_checks(extension: FieldExtension) -> bool:
    """Whether an extension's check is all that it does."""
    return isinstance(extension, Guard) and type(extension).resolve_async is Guard.resolve_async


def resolver_call(
    schema: Schema, resolver: Resolver, definition: GraphQLField, node: FieldNode, source: Source
) -> Call:
    """Calls a resolver with the arguments of a node."""
    arguments = _arguments(schema, resolver, definition, node)
    if resolver.steps or resolver.maps:
        return _chained_call(resolver, arguments)
    return _direct_call(resolver, arguments, source)


def _direct_call(resolver: Resolver, arguments: Arguments, source: Source) -> Call:
    base: Any = resolver.field.base_resolver
    given = {name: source.bind(value) for name, value in arguments.constants.items()}
    given |= dict.fromkeys(resolver.sources, "o")
    if base.info_parameter:
        given[base.info_parameter.name] = f"{source.bind(Info)}(a, p, {source.bind(resolver.field)})"
    passed = [f"{name}={value}" for name, value in given.items()]
    lines = []
    if arguments.read is not None:  # first: what is wrong with them is told before what is forbidden
        lines.append(f"g = {source.bind(arguments.read)}(a)")
        passed.append("**g")
    for check in reversed(resolver.guards):
        lines.append(f"try: {source.bind(check)}(a.context)")
        lines.append(f"except Exception as e: return {source.bind(_refuse)}(e)")
    if base.self_parameter:
        passed.insert(0, "o")
    lines.append(f"return {source.bind(resolver.function)}({', '.join(passed)})")
    return source[source.function("o, a, p", lines)]


async def _refuse(error: Exception) -> NoReturn:
    """As an extension would: to whoever awaits it, after all that is not awaited."""
    raise error


def _chained_call(resolver: Resolver, arguments: Arguments) -> Call:
    base: Any = resolver.field.base_resolver
    info_name = base.info_parameter and base.info_parameter.name
    takes_self = base.self_parameter is not None
    field, function = resolver.field, resolver.function

    def call(source: Any, answering: Answering, position: Position) -> Any:
        info = Info(answering, position, field)
        given = dict(arguments.constants)
        if arguments.read is not None:
            given |= arguments.read(answering)
        for change in resolver.maps:
            given = change(given)
        for name in resolver.sources:
            given[name] = source
        if info_name and info_name != "info":
            given[info_name] = info

        def innermost(_: Any, info: Any, **given: Any) -> Any:
            if info_name == "info":
                given["info"] = info
            return function(source, **given) if takes_self else function(**given)

        chain = reduce(lambda inner, step: partial(step, inner), resolver.steps, innermost)
        return chain(source, info, **given)

    return call


def _arguments(schema: Schema, resolver: Resolver, definition: GraphQLField, node: FieldNode) -> Arguments:
    if not definition.args:
        return Arguments({}, None)

    def read_slowly(answering: Answering) -> dict[str, Any]:
        values = get_argument_values(definition, node, answering.executor.variable_values, hide_suggestions=True)
        converter = schema.schema_converter
        return convert_arguments(values, resolver.field.arguments, converter.scalar_registry, schema.config)

    try:
        constants, varying = _readers(resolver, definition, node)
    except Exception:  # noqa: BLE001  # what is wrong with a constant is said when its field is resolved
        return Arguments({}, read_slowly)

    def read_quickly(answering: Answering) -> dict[str, Any]:
        given = {}
        try:
            for name, convert, read in varying:
                value = read(answering.variables)
                if value is not Undefined:
                    given[name] = value if convert is None else convert(value)
        except Exception:  # noqa: BLE001  # whatever it is, graphql-core says it better
            return {name: value for name, value in read_slowly(answering).items() if name not in constants}
        return given

    return Arguments(constants, read_quickly if varying else None)


def _readers(
    resolver: Resolver, definition: GraphQLField, node: FieldNode
) -> tuple[dict[str, Any], list[tuple[str, Coerce | None, Read]]]:
    """The arguments that are the same for every request, and how the others are read."""
    written = {each.name.value: each.value for each in node.arguments or ()}
    constants, varying = {}, []
    for name, argument in definition.args.items():
        python_name, convert = resolver.converters[name]
        read = argument_reader(argument, written.get(name))
        if not isinstance(read, Constant):
            varying.append((python_name, convert, read))
        elif read.value is not Undefined:
            constants[python_name] = read.value if convert is None else convert(read.value)
    return constants, varying


def slow_call(definition: GraphQLField, node: FieldNode) -> Call:
    """Calls any resolver, in the way of graphql-core."""

    def call(source: Any, answering: Answering, position: Position) -> Any:
        has_arguments = definition.args or node.arguments
        values = (
            get_argument_values(definition, node, answering.executor.variable_values, hide_suggestions=True)
            if has_arguments
            else {}
        )
        resolve: Any = definition.resolve or answering.executor.field_resolver
        return resolve(source, ResolveInfo(answering, position), **values)

    return call
