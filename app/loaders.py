"""Batching within one request: what is asked for in the same tick is asked for once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import Any, TypeVar

from aiodataloader import DataLoader

from app import errand
from app.current import current
from schema.errors import Refusal

K = TypeVar("K")
V = TypeVar("V")


class OneByOne(dict[K, "asyncio.Future[V]"]):
    """A loader for a vendor that reads one record per call: no key twice, all keys at once, each with its own error.

    There is no batch to wait for: whoever asks first fetches, where a DataLoader takes three tasks. It holds what came of
    each key, and is told with each how to fetch it: so it needs not know whose it is.
    """

    _loop: asyncio.AbstractEventLoop | None = None

    async def load(self, key: K, fetch: Callable[[K], Awaitable[V]]) -> V:
        """What is answered, now or to whoever asked before."""
        while (outcome := self.get(key)) is not None:
            try:
                return await errand.wait_for(outcome)
            except errand.GivenUp:
                pass
        if self._loop is None:
            self._loop = asyncio.get_running_loop()  # a system call each time
        outcome = self[key] = self._loop.create_future()
        try:
            found = await fetch(key)
        except BaseException as error:
            if not isinstance(error, Exception) and self.get(key) is outcome:
                del self[key]
            errand.fail(outcome, error)
            raise
        outcome.set_result(found)
        return found


def forget_loaders(port: Any) -> None:
    """Lets everything be asked anew. A port makes the loaders that know it when it needs them, as cached properties."""
    kept = getattr(port, "__dict__", {})
    for name in _cached_properties(port.__class__):
        kept.pop(name, None)
    for each in kept.values():
        if type(each) is OneByOne:
            each.clear()


@cache
def _cached_properties(kind: type[Any]) -> Sequence[str]:
    return tuple(name for name, each in vars(kind).items() if isinstance(each, cached_property))


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
