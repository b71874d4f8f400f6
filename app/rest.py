"""One call to a vendor: its turn, its deadline, its failure as an error for the caller.

    exchange()  one request, one Answer, or CallFailed (which knows whether a byte of the request left)
    read()      a query: what fails is a Refusal (VendorUnavailable, RateLimited, VendorRejected)
    find()      the same, with None for 404
    write()     a write: what fails is a Refusal that says whether the vendor may have applied it

No vendor's URL, header, body or key stands in any error.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import httpx
from pydantic import BaseModel

from app import wire
from app.answer import read_answer
from app.bulkhead import Bulkhead
from app.call import Answer, Call, CallFailed, Hook, Reason
from app.current import current
from app.failures import translate
from app.first_byte import Trace
from app.flights import Flights
from app.telemetry import Telemetry, VendorCalls
from app.verdict import Complaint, Verdicts
from schema.errors import Refusal, VendorUnavailable
from schema.vendor import Vendor

M = TypeVar("M", bound=BaseModel)


class Rest:
    """Calls one vendor in one environment, over one pool of connections."""

    def __init__(
        self,
        vendor: Vendor,
        http: httpx.AsyncClient,
        complaint: Callable[[Any], Complaint],
        *,
        timeout: float,
        concurrency: int = 20,
        calls: VendorCalls | None = None,
    ) -> None:
        self._vendor = vendor
        self._http = http
        self._verdicts = Verdicts(vendor, complaint)
        self._timeout = timeout
        self._bulkhead = Bulkhead(concurrency)
        self._calls = calls or Telemetry().vendor(vendor.value, "", "")
        self._flights: Flights[Answer] = Flights()

    async def close(self) -> None:
        """Ends the reads for which nobody waits any more."""
        await self._flights.close()

    async def read(self, call: Call, model: type[M]) -> M:
        """What a query is answered, as `model`. Raises Refusal."""
        found = await self._query(call, model)
        if found is None:
            raise Refusal(self._verdicts.rejected(404, Complaint(), call))
        return found

    async def find(self, call: Call, model: type[M]) -> M | None:
        """What a query is answered, or None if the vendor answers 404. Raises Refusal."""
        return await self._query(call, model)

    async def write(self, call: Call, model: type[M], hook: Hook | None = None) -> M:
        """What a write is answered, as `model`. `hook` runs before the first byte leaves. Raises Refusal."""
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
            return wire.read(model, answer.content)
        except wire.Unreadable:
            raise Refusal(self._verdicts.unknown(Reason.UNREADABLE)) from None

    async def exchange(self, call: Call, hook: Hook | None = None) -> Answer:
        """One request and its complete answer. Raises CallFailed."""
        trace, request = Trace(hook), current()
        started = time.monotonic()
        try:
            async with asyncio.timeout(request.remaining(self._timeout)), self._bulkhead.slot(request.id):
                answer = await self._exchange(call, trace)
        except CallFailed as failure:
            self._note(call, failure.reason.name, started)
            raise
        except Exception as error:  # noqa: BLE001  # what nobody foresaw must not hide whether a write was sent
            reason, sent = translate(error), trace.sent(error)
            self._note(call, reason.name, started)
            raise CallFailed(reason, sent=sent) from None
        self._note(call, str(answer.status), started)
        return answer

    async def _exchange(self, call: Call, trace: Trace) -> Answer:
        trace.begin()
        content = call.body.to_json() if call.body else None
        headers = {"content-type": "application/json"} if content else None
        request = self._http.build_request(
            call.method, call.path, params=call.query, content=content, headers=headers, extensions={"trace": trace}
        )
        response = await self._http.send(request, stream=True)
        try:
            return await read_answer(response)
        finally:
            await response.aclose()

    async def _query(self, call: Call, model: type[M]) -> M | None:
        try:
            answer = await self._flights.share(call.question(), lambda: self.exchange(call))
        except CallFailed as failure:
            raise Refusal(self._verdicts.unavailable(failure.reason)) from None
        if answer.status == 404:
            return None
        if not 200 <= answer.status < 300:
            raise Refusal(self._verdicts.of_query(answer, call))
        try:
            return wire.read(model, answer.content)
        except wire.Unreadable:
            raise Refusal(self._verdicts.unavailable(Reason.UNREADABLE)) from None

    def _note(self, call: Call, outcome: str, started: float) -> None:
        self._calls.called(call.operation, call.method, outcome, time.monotonic() - started)


class NotConfigured(Rest):
    """Stands in for a vendor without credentials."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._flights = Flights()

    async def exchange(self, call: Call, hook: Hook | None = None) -> NoReturn:  # noqa: ARG002  # the same for every call
        raise Refusal(
            VendorUnavailable(
                code="VENDOR_NOT_CONFIGURED",
                message=f"{self._vendor.value.capitalize()} is not configured in this environment. Ask the gateway's operator.",
                vendor=self._vendor,
                retryable=False,
            )
        )
