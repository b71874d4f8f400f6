"""Single flight: the same read asked for at the same time is one call to the vendor.

Two requests ask at the same time if the later one had begun when the answer to the earlier one arrived: then it might as
well have been its own answer. What is asked after a write of this gateway never shares an answer from before.

Whoever asks first makes the call itself, as if it were alone, and tells the others. If it gives up, one of them asks anew.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Protocol, TypeVar

from app.current import Current, current


class Sized(Protocol):
    @property
    def content(self) -> bytes: ...


T = TypeVar("T", bound=Sized)


class _Flight(Generic[T]):
    """One call, and those who wait for it besides the one who makes it. They are told None where it is given up."""

    __slots__ = ("answer", "deadline", "landed", "waiting")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.waiting: list[asyncio.Future[T | None]] = []
        self.answer: T | None = None
        self.landed = 0.0

    def serves(self, request: Current) -> bool:
        """Whether a request may share the answer.

        The call may be cut at the deadline of whoever makes it: nobody joins who has more than twice the time.
        """
        if self.answer is not None:
            return request.began <= self.landed
        now = asyncio.get_running_loop().time()
        return self.deadline == request.deadline or 2 * (self.deadline - now) >= request.deadline - now


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
        """The answer to a question, asked now only if nobody's answer to it serves."""
        request = current()
        while (flight := self._flights.get(question)) is not None and flight.serves(request):
            self._shared()
            answer = flight.answer if flight.answer is not None else await _told(flight)
            if answer is not None:
                return answer
        if flight is not None:
            self._drop(question, flight)
        flight = self._flights[question] = _Flight(request.deadline)
        try:
            answer = await ask()
        except BaseException as error:
            self._fail(question, flight, error)
            raise
        self._land(question, flight, answer)
        return answer

    def forget(self) -> None:
        """Lets nobody share what was asked until now."""
        self._flights.clear()
        self._bytes = 0

    def _land(self, question: Hashable, flight: _Flight[T], answer: T) -> None:
        flight.answer, flight.landed = answer, asyncio.get_running_loop().time()
        for told in flight.waiting:
            if not told.done():
                told.set_result(answer)
        if self._flights.get(question) is not flight:
            return
        self._bytes += len(answer.content)
        while self._bytes > self._most_bytes or len(self._flights) > self._most:
            self._drop(*next(iter(self._flights.items())))

    def _fail(self, question: Hashable, flight: _Flight[T], error: BaseException) -> None:
        """A failure serves only those who waited for the call; who only gives up has not failed."""
        if self._flights.get(question) is flight:
            del self._flights[question]
        for each in flight.waiting:
            if each.done():
                continue
            if isinstance(error, Exception):
                each.set_exception(error)
            else:
                each.set_result(None)

    def _drop(self, question: Hashable, flight: _Flight[T]) -> None:
        del self._flights[question]
        if flight.answer is not None:
            self._bytes -= len(flight.answer.content)


async def _told(flight: _Flight[T]) -> T | None:
    told: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
    flight.waiting.append(told)
    return await told
