"""What was sent upstream, judged as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def empties(body: Any) -> list[str]:
    """The paths of all nulls and empty lists in a JSON body: vendors with a minimum of one refuse both."""
    return list(_empties(body, ""))


def _empties(value: Any, path: str) -> Iterator[str]:
    if value is None or value == []:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield from _empties(child, f"{path}/{step}")
