"""Finds the one record of a vendor that a party is, before anything is written."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from schema.context import Info
from schema.errors import MutationError, NotFound, Refusal
from schema.types.identity import Identity
from schema.types.refs import PartyRef


async def resolve(
    info: Info,
    parties: Sequence[tuple[PartyRef, list[str]]],
    find: Callable[[Identity], Awaitable[list[str]]],
    what: str,
) -> list[list[str]]:
    """The vendor's own IDs for each party, at least one. Raises Refusal with every party (and its path) that has none.

    All are looked up at once; of those for which that fails, the first in the order of the input is told.
    """
    looked_up = await asyncio.gather(*(_ids(info, party, find) for party, _ in parties), return_exceptions=True)
    found = [_returned(each) for each in looked_up]
    missing: list[MutationError] = [
        NotFound(
            message=f"No {what} was found for this party. Make one there first, or give another reference.", path=path
        )
        for own_ids, (_, path) in zip(found, parties, strict=True)
        if not own_ids
    ]
    if missing:
        raise Refusal(*missing)
    return found


async def _ids(info: Info, party: PartyRef, find: Callable[[Identity], Awaitable[list[str]]]) -> list[str]:
    identity = await info.context.links.start(party)
    return await find(identity) if identity is not None else []


def _returned(outcome: list[str] | BaseException) -> list[str]:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
