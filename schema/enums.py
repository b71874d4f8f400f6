"""Enums as the schema has them: members with a description for their users."""

from __future__ import annotations

from enum import Enum
from typing import cast

import strawberry


class Quick(Enum):
    """Members hash by identity, in C: Enum's own hash is Python, and they are keys of everything that is looked up."""

    __hash__ = object.__hash__


def member(value: str, description: str) -> str:
    """A member's value, as Enum and the type checker see it, which Strawberry reads together with its description."""
    return cast(str, strawberry.enum_value(value, description=description))
