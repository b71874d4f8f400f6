"""What compiled code is made of: closures that resolve a field, and that complete what was resolved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from strawberry.execution import optimized_is_awaitable

from app.execution.answering import Answering, Complete
from app.execution.calls import Call
from app.execution.positions import Place, Position

RunField: TypeAlias = Callable[[Any, Answering, Position | None, dict[str, Any]], None]
"""Resolves a field of a source, which stands at a position, and puts what is answered into a dict; None while it waits."""


def run_field(place: Place, call: Call, complete: Complete, *, is_awaited: bool) -> RunField:
    """`is_awaited` says that what the call returns always has to be awaited."""
    key = place.key

    def run_awaited(source: Any, answering: Answering, above: Position | None, out: dict[str, Any]) -> None:
        position = (above, out, key, place)
        try:
            answering.fresh.append((call(source, answering, position), position, complete))
        except Exception as error:  # noqa: BLE001  # whatever a resolver raises is an error of its field
            answering.fail(error, position)

    def run(source: Any, answering: Answering, above: Position | None, out: dict[str, Any]) -> None:
        position = (above, out, key, place)
        try:
            value = call(source, answering, position)
            if optimized_is_awaitable(value):
                answering.fresh.append((value, position, complete))
            else:
                out[key] = complete(value, answering, position)  # type: ignore[index]  # a field has a key
        except Exception as error:  # noqa: BLE001  # whatever a resolver raises is an error of its field
            answering.fail(error, position)

    return run_awaited if is_awaited else run


def complete_slowly(value: Any, answering: Answering, position: Position) -> Any:
    """Leaves a value to graphql-core."""
    return answering.complete(value, position)


def complete_nullable(complete_value: Complete) -> Complete:
    """Completes what may be null."""

    def complete(value: Any, answering: Answering, position: Position) -> Any:
        return None if value is None else complete_value(value, answering, position)

    return complete


def complete_abstract(by_class: Mapping[type, Complete]) -> Complete:
    """Completes an object by its class."""

    def complete(value: Any, answering: Answering, position: Position) -> Any:
        return by_class.get(type(value), complete_slowly)(value, answering, position)

    return complete


def complete_list(place: Place, complete_item: Complete) -> Complete:
    """Completes a list; `place` is that of its items."""

    def complete(value: Any, answering: Answering, position: Position) -> Any:
        if type(value) is not list and type(value) is not tuple:
            return answering.complete(value, position)
        out: list[Any] = [None] * len(value)
        for index, item in enumerate(value):
            below = (position, out, index, place)
            try:
                out[index] = complete_item(item, answering, below)
            except Exception as error:  # noqa: BLE001  # what can't be answered is an error of its item
                answering.fail(error, below)
        return out

    return complete
