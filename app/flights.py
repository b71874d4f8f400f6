"""Single flight: the same read asked for at the same time is one call to the vendor.

Two requests ask at the same time if the later one had begun when the answer to the earlier one arrived: then it might as
well have been its own answer. What is asked after a write of this gateway never shares an answer from before.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from app.current import Current, current


class Sized(Protocol):
    @property
    def content(self) -> bytes: ...


T = TypeVar("T", bound=Sized)


@dataclass
class _Flight(Generic[T]):
    task: asyncio.Task[T]
    deadline: float
    landed: float | None = None

    def serves(self, request: Current) -> bool:
        """Whether a request may share the answer; a call that failed serves only those who waited.

        It may be cut at the deadline of whoever asked first: nobody joins who has more than twice the time.
        """
        if self.landed is None:
            now = asyncio.get_running_loop().time()
            return self.deadline == request.deadline or 2 * (self.deadline - now) >= request.deadline - now
        return request.began <= self.landed and not self.task.cancelled() and self.task.exception() is None


class Flights(Generic[T]):
    """The reads under way, and their answers for as long as a request that overlapped with them may ask. `shared` is told of each."""

    def __init__(
        self, *, most: int = 512, most_bytes: int = 16 * 1024 * 1024, shared: Callable[[], None] = lambda: None
    ) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._shared = shared
        self._bytes = 0
        self._flights: OrderedDict[Hashable, _Flight[T]] = OrderedDict()

    async def share(self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer to a question, asked now only if nobody's answer to it serves."""
        flight = self._flights.get(question)
        if flight is None or not flight.serves(current()):
            flight = self._start(question, ask)
        else:
            self._shared()
        return await asyncio.shield(flight.task)

    def forget(self) -> None:
        """Lets nobody share what was asked until now."""
        self._flights.clear()
        self._bytes = 0

    async def close(self) -> None:
        """Ends what is still under way."""
        tasks = [flight.task for flight in self._flights.values() if flight.landed is None]
        self._flights.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, question: Hashable, ask: Callable[[], Coroutine[Any, Any, T]]) -> _Flight[T]:
        self._drop(question)
        flight = self._flights[question] = _Flight(asyncio.create_task(ask()), current().deadline)
        flight.task.add_done_callback(lambda _: self._land(question, flight))
        return flight

    def _land(self, question: Hashable, flight: _Flight[T]) -> None:
        flight.landed = asyncio.get_running_loop().time()
        failed = flight.task.cancelled() or flight.task.exception() is not None
        if self._flights.get(question) is not flight:
            return
        if failed:
            del self._flights[question]
            return
        self._bytes += len(flight.task.result().content)
        while self._flights and (self._bytes > self._most_bytes or len(self._flights) > self._most):
            self._drop(next(iter(self._flights)))

    def _drop(self, question: Hashable) -> None:
        flight = self._flights.pop(question, None)
        if flight is not None and flight.landed is not None:
            self._bytes -= len(flight.task.result().content)
