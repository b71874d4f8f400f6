"""Turns refusals into data: the one way from a port's exception to a payload's errors."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Protocol, TypeVar

from schema.errors import MutationError, Refusal
from schema.types.receipt import Receipt


class Payload(Protocol):
    def __init__(self, *, receipt: Receipt | None, errors: list[MutationError]) -> None: ...


P = TypeVar("P", bound=Payload)


async def settled(payload: type[P], work: Awaitable[P]) -> P:
    """The payload of `work`, or an empty one with the reasons why not."""
    try:
        return await work
    except Refusal as refusal:
        return payload(receipt=refusal.receipt, errors=list(refusal.errors))
