"""One call to a vendor: its turn, its deadline, its repeats, its failure as an error for the caller.

    exchange()  one request, one Answer, or CallFailed (which knows whether a byte of the request left)
    read()      a query, asked again where that is worth it: what fails is a Refusal (VendorUnavailable, RateLimited, …)
    find()      the same, with None for 404
    write()     a write, sent once: what fails is a Refusal that says whether the vendor may have applied it

No vendor's URL, header, body or key stands in any error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel

from app import wire
from app.answer import LARGEST_ANSWER, read_answer
from app.breaker import Breakers, CircuitOpen, Clock
from app.budget import RetryBudget
from app.bulkhead import Bulkhead, BulkheadFull
from app.call import Answer, Call, CallFailed, Hook, Reason
from app.current import Current, current
from app.cutoff import Cutoff, Deadlines
from app.echo import Echo
from app.failures import translate
from app.first_byte import Trace
from app.flights import Flights
from app.gate import Gate, VendorGate
from app.readings import Reading, Readings
from app.retries import wait_before_repeat
from app.telemetry import Telemetry, VendorCalls
from app.transport.seam import Http
from app.verdict import Complaint, Verdicts, gateway_overloaded
from schema.errors import MutationError, Refusal, VendorUnavailable
from schema.vendor import Vendor

LONGEST_QUESTION = 8_192
"""In bytes: longer ones are not held on to when they have been answered."""

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
N = TypeVar("N")


class Rest:
    """Calls one vendor in one environment, over one pool of connections.

    `clock` and `pause` are time as it passes and as it is waited for, in seconds.
    """

    def __init__(
        self,
        vendor: Vendor,
        http: Http,
        complaint: Callable[[Any], Complaint],
        *,
        timeout: float,
        concurrency: int = 20,
        clock: Clock = time.monotonic,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        calls: VendorCalls | None = None,
        readings: Readings | None = None,
    ) -> None:
        """`readings` may be shared with other vendors."""
        self._vendor = vendor
        self._http = http
        self._verdicts = Verdicts(vendor, complaint)
        self._timeout = timeout
        self._bulkhead = Bulkhead(concurrency, clock)
        self._breakers = Breakers(timeout / 2, clock)
        self._budget = RetryBudget(clock)
        self._deadlines = Deadlines()
        self._clock = clock
        self._pause = pause
        self._calls = calls or Telemetry().vendor(vendor.value, "", "")
        self._flights: Flights[Answer] = Flights(shared=self._calls.shared)
        self._readings = readings or Readings()

    @property
    def is_available(self) -> bool:
        """Whether calls are made: not while one of its circuits is open."""
        return self._breakers.are_closed

    def tell_circuits(self) -> None:
        """Tells telemetry in what state they are: a circuit changes also by the mere passing of time."""
        for operation, state in self._breakers.states().items():
            self._calls.breaker(operation, state)

    def gate(self, operation: str) -> Gate:
        """Whether a write of this operation may be sent now."""
        return VendorGate(
            self._breakers[operation],
            self._bulkhead,
            self._budget,
            self._verdicts,
            self._calls,
            timeout=self._timeout,
        )

    def read(self, call: Call, reading: Reading[T]) -> Awaitable[T]:
        """What is made of a query's answer. Raises Refusal."""
        return self._query(call, reading, self._refuse)

    def find(self, call: Call, reading: Reading[T]) -> Awaitable[T | None]:
        """The same, or None if the vendor answers 404. Raises Refusal."""
        return self._query(call, reading, lambda _: None)

    async def write(
        self,
        call: Call,
        model: type[M],
        hook: Hook | None = None,
        echoes: Callable[[M], Iterable[Echo]] = lambda _: (),
    ) -> M:
        """What a write is answered, as `model`. `hook` runs before the first byte leaves; `echoes` are what the answer repeats
        of the request. Raises Refusal.
        """
        try:
            answer = await self.exchange(call, hook)
        except CallFailed as failure:
            raise Refusal(
                self._verdicts.unknown(failure.reason) if failure.sent else self._verdicts.unavailable(failure.reason)
            ) from None
        finally:
            self._flights.forget()  # what is asked from now on shall see the write
        if answer.status not in (200, 201):
            raise Refusal(self._verdicts.of_write(answer, call))
        try:
            made = wire.read(model, answer.content)
        except wire.Unreadable:
            raise self._doubt(call, Reason.UNREADABLE) from None
        if not all(each.is_ours for each in echoes(made)):
            self._http.renew()  # one of its connections is out of step, and answers each with what is another's
            raise self._doubt(call, Reason.OF_ANOTHER)
        return made

    def _doubt(self, call: Call, reason: Reason) -> Refusal:
        """What a write comes to whose answer says nothing of it; the circuit is told."""
        self._breakers[call.operation].blame()
        return Refusal(self._verdicts.unknown(reason))

    def exchange(self, call: Call, hook: Hook | None = None) -> Awaitable[Answer]:
        """One request and its complete answer. Raises CallFailed, or Refusal where it may not be made now."""
        return self._exchange(call, current(), Trace(hook))

    async def ask(self, call: Call, request: Current) -> Answer:
        """A read, asked again where that is worth it and there is time. Raises CallFailed and Refusal."""
        repeats = 0
        while True:
            ended: Answer | CallFailed
            try:
                answer = ended = await self._exchange(call, request, None)
                if answer.status < 400:
                    return answer
            except CallFailed as failure:
                ended = failure
            wait = self._wait_before_repeat(repeats, ended, request)
            if wait is not None:
                await self._pause(wait)
            elif isinstance(ended, CallFailed):
                raise ended
            else:
                return ended
            repeats += 1

    async def _query(self, call: Call, reading: Reading[T], missing: Callable[[Call], N]) -> T | N:
        """`missing` says what a 404 comes to."""
        request = current()
        if not request.room.is_taken and (wait := request.room.take()) is not None:  # only its first call asks
            raise Refusal(gateway_overloaded(wait))
        method, path, query, content = question = call.question()
        is_short = len(method) + len(path) + len(query) + len(content or b"") <= LONGEST_QUESTION
        ask = partial(self.ask, call, request)
        try:
            answer = await (self._flights.share(question, ask) if is_short else ask())
        except CallFailed as failure:
            raise Refusal(self._verdicts.unavailable(failure.reason)) from None
        except TimeoutError:  # whoever waits for another's call has a deadline too
            raise Refusal(self._verdicts.unavailable(Reason.TOO_SLOW)) from None
        if answer.status == 404:
            return missing(call)
        if not 200 <= answer.status < 300:
            raise Refusal(self._verdicts.of_query(answer, call))
        try:
            if not is_short:
                return reading.of(answer.content)
            return self._readings.read((self, question), answer.content, reading)
        except wire.Unreadable:
            self._breakers[call.operation].blame()
            raise Refusal(self._verdicts.unavailable(Reason.UNREADABLE)) from None

    def _refuse(self, call: Call) -> NoReturn:
        raise Refusal(self._verdicts.rejected(404, Complaint(), call))

    async def _exchange(self, call: Call, request: Current, trace: Trace | None) -> Answer:
        """`trace` is None for a read: whether a byte of it left is of no interest."""
        started, seconds = self._clock(), request.remaining_for_call(self._timeout)
        try:
            with Cutoff(self._deadlines, seconds):
                entered = self._bulkhead.enter()
                if entered is None:
                    entered = await self._bulkhead.turn(request.id, seconds)
                try:
                    answer = await self._try(call, trace)
                finally:
                    self._bulkhead.leave(entered)
        except CallFailed as failure:
            self._calls.called(call.operation, call.method, failure.reason.name, self._clock() - started)
            raise
        except CircuitOpen as shut:
            self._calls.limited("circuit")
            raise Refusal(self._verdicts.circuit_open(shut.seconds)) from None
        except BulkheadFull as full:
            self._calls.limited("queue")
            raise Refusal(self._verdicts.overloaded(full.seconds)) from None
        except TimeoutError as error:
            self._calls.called(call.operation, call.method, Reason.TOO_SLOW.name, self._clock() - started)
            raise CallFailed(Reason.TOO_SLOW, sent=_sent(trace, error)) from None
        self._calls.called(call.operation, call.method, str(answer.status), self._clock() - started)
        return answer

    async def _try(self, call: Call, trace: Trace | None) -> Answer:
        """Tells the circuit how it went; what the hook or the gateway itself is to blame for says nothing of the vendor."""
        breaker = self._breakers[call.operation]
        ticket, is_good = breaker.begin(), None
        self._budget.sent()
        if trace is not None:
            trace.begin()
        try:
            answer = read_answer(await self._http.exchange(call, trace, LARGEST_ANSWER))
            is_good = answer.is_sound
        except CallFailed:
            is_good = False
            raise
        except Exception as error:  # noqa: BLE001  # what nobody foresaw must not hide whether a write was sent
            failure = CallFailed(translate(error), sent=_sent(trace, error))
            is_ours = (trace is not None and trace.kept_back) or failure.reason is Reason.NOT_CALLED
            is_good = None if is_ours else False
            raise failure from None
        finally:
            breaker.end(ticket, is_good=is_good)
        return answer

    def _wait_before_repeat(self, repeats: int, ended: Answer | CallFailed, request: Current) -> float | None:
        asked = self._verdicts.wait_asked(ended) if isinstance(ended, Answer) else None
        wait = wait_before_repeat(repeats, ended, asked)
        is_in_time = wait is not None and wait < request.remaining_for_repeat(self._timeout)
        return wait if is_in_time and self._budget.withdraw() else None


def _sent(trace: Trace | None, error: Exception) -> bool:
    return trace is None or trace.sent(error)


class NotConfigured(Rest):
    """Stands in for a vendor without credentials."""

    is_available = False

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._flights = Flights()

    async def _exchange(self, *_: Any) -> NoReturn:
        raise Refusal(self.refusal())

    def gate(self, operation: str) -> Gate:  # noqa: ARG002  # the same for every write
        return self

    def refusal(self) -> MutationError:
        """Fills app.gate.Gate."""
        return VendorUnavailable(
            code="VENDOR_NOT_CONFIGURED",
            message=f"{self._vendor.value.capitalize()} is not configured in this environment. Ask the gateway's operator.",
            vendor=self._vendor,
            retryable=False,
        )

    def may_repeat(self) -> bool:
        return False
