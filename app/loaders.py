"""Batching within one request: what is asked for in the same tick is asked for once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from aiodataloader import DataLoader

from app.current import current
from schema.errors import GatewayError, Refusal

K = TypeVar("K")
V = TypeVar("V")


def one_by_one(fetch: Callable[[K], Awaitable[V]]) -> DataLoader[K, V]:
    """A loader for a vendor that reads one record per call: no key twice, all keys at once, each with its own error."""

    async def fetch_all(keys: list[K]) -> list[Any]:
        current().owns(asyncio.current_task())
        return list(await asyncio.gather(*(_or_error(fetch, key) for key in keys)))

    return DataLoader(fetch_all)


def many_at_once(fetch: Callable[[Sequence[K]], Awaitable[Mapping[K, V]]]) -> DataLoader[K, V | None]:
    """A loader for a source that reads many records per call."""

    async def fetch_all(keys: list[K]) -> list[V | None]:
        current().owns(asyncio.current_task())
        return align(keys, await fetch(keys))

    return DataLoader(fetch_all)


def align(keys: Sequence[K], found: Mapping[K, V]) -> list[V | None]:
    """What was found, in the order of the keys, None where nothing was."""
    return [found.get(key) for key in keys]


def refusal_or_raise(outcome: V | BaseException) -> V | Refusal:
    """One outcome of gather(return_exceptions=True): a value or a refusal; anything else is raised."""
    if isinstance(outcome, BaseException) and not isinstance(outcome, Refusal):
        raise outcome
    return outcome


async def _or_error(fetch: Callable[[K], Awaitable[V]], key: K) -> V | GatewayError:
    try:
        return await fetch(key)  # begun here, so that nothing is left unawaited where the request ends before
    except GatewayError as error:
        return error
