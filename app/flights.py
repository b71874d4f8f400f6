"""Single flight: the same read asked for at the same time is one call to the vendor.

Two requests ask at the same time if the later one had begun when the answer to the earlier one arrived: then it might as
well have been its own answer. What is asked after a write of this gateway never shares an answer from before.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

from app import errand
from app.current import Current, current


class Sized(Protocol):
    @property
    def content(self) -> bytes: ...


T = TypeVar("T", bound=Sized)


class _Flight(Generic[T]):
    """A call, and its answer once it has `landed`. `outcome` is there when somebody else waits for it, `size` is in bytes."""

    __slots__ = ("answer", "deadline", "landed", "outcome", "size")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.landed: float | None = None
        self.answer: T | None = None
        self.outcome: asyncio.Future[T] | None = None
        self.size = 0

    def serves(self, request: Current) -> bool:
        """Whether a request may share the answer.

        The call may be cut at the deadline of whoever makes it: nobody joins who has more than twice the time.
        """
        if self.landed is not None:
            return request.began <= self.landed
        now = request.loop.time()
        return self.deadline == request.deadline or 2 * (self.deadline - now) >= request.deadline - now

    def expected(self, loop: asyncio.AbstractEventLoop) -> asyncio.Future[T]:
        """What those wait for who share the call while it is under way."""
        if self.outcome is None:
            self.outcome = loop.create_future()
        return self.outcome


class Flights(Generic[T]):
    """The reads under way, and their answers for as long as a request that overlapped with them may ask. `shared` is told of each."""

    def __init__(
        self, *, most: int = 512, most_bytes: int = 1024 * 1024, shared: Callable[[], None] = lambda: None
    ) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._shared = shared
        self._bytes = 0
        self._flights: OrderedDict[Hashable, _Flight[T]] = OrderedDict()

    async def share(self, question: Hashable, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer to a question, asked now only if nobody's answer to it serves. A failure serves only those who wait."""
        request = current()
        while (flight := self._flights.get(question)) is not None and flight.serves(request):
            self._shared()
            if flight.answer is not None:
                return flight.answer
            patience = None if request.deadline >= flight.deadline else request.remaining_for_call(float("inf"))
            try:
                async with asyncio.timeout(patience):
                    return await errand.wait_for(flight.expected(request.loop))
            except errand.GivenUp:
                pass
        if flight is not None:
            self._drop(question, flight)
        flight = self._flights[question] = _Flight(request.deadline)
        try:
            answer = await ask()
        except BaseException as error:
            if self._flights.get(question) is flight:
                self._drop(question, flight)
            if flight.outcome is not None:
                errand.fail(flight.outcome, error)
            raise
        flight.landed, flight.answer = request.loop.time(), answer
        if flight.outcome is not None:
            flight.outcome.set_result(answer)
        if self._flights.get(question) is flight:
            self._keep(flight, len(answer.content))
        return answer

    def forget(self) -> None:
        """Lets nobody share what was asked until now."""
        self._flights.clear()
        self._bytes = 0

    def _keep(self, flight: _Flight[T], size: int) -> None:
        flight.size = size
        self._bytes += size
        while self._bytes > self._most_bytes or len(self._flights) > self._most:
            self._drop(*next(iter(self._flights.items())))

    def _drop(self, question: Hashable, flight: _Flight[T]) -> None:
        del self._flights[question]
        self._bytes -= flight.size
