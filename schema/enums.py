"""Enum members with a description for their users."""

from __future__ import annotations

from typing import cast

import strawberry


def member(value: str, description: str) -> str:
    """A member's value, as Enum and the type checker see it, which Strawberry reads together with its description."""
    return cast(str, strawberry.enum_value(value, description=description))
