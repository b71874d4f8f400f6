"""One call to a vendor: its deadline, the size of its answer, and what its failures mean.

    exchange()  one request, one Answer, or CallFailed (which knows whether a byte of the request left)
    read()      a query: what fails is a Refusal (VendorUnavailable, RateLimited, VendorRejected)
    find()      the same, with None for 404
    write()     a write: what fails is a Refusal that says whether the vendor may have applied it

No vendor's URL, header, body or key stands in any error.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, NoReturn, TypeVar

import httpx
from pydantic import BaseModel

from app import wire
from app.bulkhead import Bulkhead
from app.current import current
from app.flights import Flights
from app.telemetry import describe
from schema.errors import (
    MutationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refusal,
    VendorRejected,
    VendorUnavailable,
)
from schema.vendor import Vendor

LARGEST_ANSWER = 4 * 1024 * 1024
"""In bytes, decompressed."""

FIRST_BYTE = "http11.send_request_headers.started"
"""httpcore's trace event after the connection stands and before the first byte of the request leaves."""

_CONNECTING = "connection."
"""How the names of the events before that one begin."""

_VENDOR_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,64}")
_LONGEST_WAIT = 3600.0
_log = logging.getLogger(__name__)
M = TypeVar("M", bound=BaseModel)


class Reason(Enum):
    """Why a call brought no answer, in words for the caller."""

    NOT_REACHED = "could not be reached"
    TOO_SLOW = "did not answer in time"
    BROKE_OFF = "broke off before its answer was complete"
    FAILED = "answered with an error of its own"
    UNREADABLE = "answered something that can't be read"
    TOO_LARGE = "answered more than this gateway takes"
    NOT_CALLED = "could not be called: the gateway's settings for it are wrong"


REASONS: Mapping[type[Exception], Reason] = {
    httpx.ConnectError: Reason.NOT_REACHED,
    httpx.ConnectTimeout: Reason.NOT_REACHED,
    httpx.PoolTimeout: Reason.NOT_REACHED,
    httpx.ProxyError: Reason.NOT_REACHED,
    httpx.ReadTimeout: Reason.TOO_SLOW,
    httpx.WriteTimeout: Reason.TOO_SLOW,
    httpx.TimeoutException: Reason.TOO_SLOW,
    TimeoutError: Reason.TOO_SLOW,
    httpx.ReadError: Reason.BROKE_OFF,
    httpx.WriteError: Reason.BROKE_OFF,
    httpx.CloseError: Reason.BROKE_OFF,
    httpx.NetworkError: Reason.BROKE_OFF,
    httpx.RemoteProtocolError: Reason.BROKE_OFF,
    httpx.DecodingError: Reason.BROKE_OFF,
    httpx.StreamError: Reason.BROKE_OFF,
    httpx.StreamConsumed: Reason.BROKE_OFF,
    httpx.StreamClosed: Reason.BROKE_OFF,
    httpx.ResponseNotRead: Reason.BROKE_OFF,
    httpx.RequestNotRead: Reason.BROKE_OFF,
    httpx.LocalProtocolError: Reason.NOT_CALLED,
    httpx.ProtocolError: Reason.BROKE_OFF,
    httpx.UnsupportedProtocol: Reason.NOT_CALLED,
    httpx.TransportError: Reason.BROKE_OFF,
    httpx.TooManyRedirects: Reason.BROKE_OFF,
    httpx.RequestError: Reason.BROKE_OFF,
    httpx.HTTPStatusError: Reason.BROKE_OFF,
    httpx.HTTPError: Reason.BROKE_OFF,
    httpx.InvalidURL: Reason.NOT_CALLED,
    httpx.CookieConflict: Reason.NOT_CALLED,
}
"""Every error of httpx by its own class; the most specific one decides."""

PROVABLY_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


Hook = Callable[[], Awaitable[None]]
"""Runs after the connection stands and before the first byte of a request leaves; what it raises keeps it from leaving."""


class CallFailed(Exception):
    """A call without a complete answer. `sent`: whether a byte of the request may have left."""

    def __init__(self, reason: Reason, *, sent: bool) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.sent = sent


@dataclass(frozen=True)
class Answer:
    """A complete answer of a vendor, whatever its status."""

    status: int
    retry_after: float | None
    content: bytes


@dataclass(frozen=True)
class Complaint:
    """What a vendor's error body says, in the vendor's own terms; `field` leads to what it objects to."""

    code: str | None = None
    field: Sequence[str] | None = None
    retry_after: float | None = None


@dataclass(frozen=True)
class Call:
    """One request to a vendor. `locate` turns a field that it complains of into the caller's input path."""

    method: str
    path: str
    body: wire.Sent | None = None
    query: Mapping[str, str | int] | None = None
    locate: Callable[[Sequence[str]], list[str] | None] = lambda _: None
    missing: Sequence[str] = ("input",)
    """Where in the input stands what a 404 means."""

    def question(self) -> tuple[str, str, str, bytes | None]:
        """What it asks: two reads that ask the same are the same."""
        return self.method, self.path, str(self.query), self.body.to_json() if self.body else None


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
    ) -> None:
        self._vendor = vendor
        self._http = http
        self._complaint = complaint
        self._timeout = timeout
        self._bulkhead = Bulkhead(concurrency)
        self._flights: Flights[Answer] = Flights()

    async def close(self) -> None:
        """Ends the reads for which nobody waits any more."""
        await self._flights.close()

    async def read(self, call: Call, model: type[M]) -> M:
        """What a query is answered, as `model`. Raises Refusal."""
        found = await self._query(call, model)
        if found is None:
            raise Refusal(self._rejected(404, Complaint(), call))
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
                self._unknown(failure.reason) if failure.sent else self._unavailable(failure.reason)
            ) from None
        finally:
            self._flights.forget()  # what is asked from now on shall see the write
        if answer.status not in (200, 201):
            raise Refusal(self._verdict(answer, call))
        try:
            return wire.read(model, answer.content)
        except wire.Unreadable:
            raise Refusal(self._unknown(Reason.UNREADABLE)) from None

    async def exchange(self, call: Call, hook: Hook | None = None) -> Answer:
        """One request and its complete answer. Raises CallFailed."""
        trace, request = _Trace(hook), current()
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

    async def _exchange(self, call: Call, trace: _Trace) -> Answer:
        trace.begin()
        content = call.body.to_json() if call.body else None
        headers = {"content-type": "application/json"} if content else None
        request = self._http.build_request(
            call.method, call.path, params=call.query, content=content, headers=headers, extensions={"trace": trace}
        )
        response = await self._http.send(request, stream=True)
        try:
            return Answer(response.status_code, _retry_after(response), await _content(response))
        finally:
            await response.aclose()

    async def _query(self, call: Call, model: type[M]) -> M | None:
        try:
            answer = await self._flights.share(call.question(), lambda: self.exchange(call))
        except CallFailed as failure:
            raise Refusal(self._unavailable(failure.reason)) from None
        if answer.status == 404:
            return None
        if not 200 <= answer.status < 300:
            raise Refusal(self._query_verdict(answer, call))
        try:
            return wire.read(model, answer.content)
        except wire.Unreadable:
            raise Refusal(self._unavailable(Reason.UNREADABLE)) from None

    def _query_verdict(self, answer: Answer, call: Call) -> MutationError:
        if answer.status < 200 or answer.status == 408 or answer.status >= 500:
            return self._unavailable(Reason.FAILED, answer.retry_after)
        return self._verdict(answer, call)

    def _verdict(self, answer: Answer, call: Call) -> MutationError:
        """What an answer that is no success says of a write: refused, provably not applied, or nobody knows."""
        complaint = self._read_complaint(answer)
        if answer.status == 429:
            asked = complaint.retry_after
            return self._rate_limited(answer.retry_after if asked is None else _bounded(asked))
        if answer.status in (421, 425):
            return self._unavailable(Reason.NOT_REACHED, answer.retry_after)
        if answer.status == 404:
            return NotFound(message=f"{self._name} has no such record. Check the ID.", path=list(call.missing))
        if _is_definite_no(answer.status):
            return self._rejected(answer.status, complaint, call)
        return self._unknown(Reason.FAILED if answer.status >= 400 else Reason.UNREADABLE)

    def _read_complaint(self, answer: Answer) -> Complaint:
        try:
            return self._complaint(wire.read_json(answer.content))
        except wire.Unreadable:
            return Complaint()

    def _rejected(self, status: int, complaint: Complaint, call: Call) -> VendorRejected:
        code = complaint.code if complaint.code and _VENDOR_CODE.fullmatch(complaint.code) else None
        return VendorRejected(
            message=f"{self._name} {_REFUSALS.get(status, 'refused this')}.",
            vendor=self._vendor,
            status=status,
            vendor_code=code,
            path=(call.locate(complaint.field) if complaint.field and _is_plain(complaint.field) else None) or [],
        )

    def _rate_limited(self, retry_after: float | None) -> RateLimited:
        return RateLimited(message=f"{self._name} asks for patience. Try again later.", retry_after_seconds=retry_after)

    def _unavailable(self, reason: Reason, retry_after: float | None = None) -> VendorUnavailable:
        return VendorUnavailable(
            message=f"{self._name} {reason.value}. {_ADVICE.get(reason, 'Try again later.')}",
            vendor=self._vendor,
            retryable=reason is not Reason.NOT_CALLED,
            retry_after_seconds=retry_after,
        )

    def _unknown(self, reason: Reason) -> OutcomeUnknown:
        return OutcomeUnknown(
            message=f"{self._name} was sent the write and {reason.value}. It may or may not have been applied: look before "
            "you repeat it.",
            vendor=self._vendor,
        )

    @property
    def _name(self) -> str:
        return self._vendor.value.capitalize()

    def _note(self, call: Call, outcome: str, started: float) -> None:
        _log.info(
            "vendor call",
            extra={"vendor": self._vendor.value, "method": call.method, "outcome": outcome, "ms": _ms_since(started)},
        )


class NotConfigured(Rest):
    """Stands in for a vendor without credentials."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._flights = Flights()

    async def exchange(self, call: Call, hook: Hook | None = None) -> NoReturn:  # noqa: ARG002  # the same for every call
        raise Refusal(
            VendorUnavailable(
                code="VENDOR_NOT_CONFIGURED",
                message=f"{self._name} is not configured in this environment. Ask the gateway's operator.",
                vendor=self._vendor,
                retryable=False,
            )
        )


def translate(error: Exception) -> Reason:
    """The reason that an error of httpx (or the deadline's TimeoutError) stands for; what is none of them broke off."""
    reason = next((REASONS[kind] for kind in type(error).__mro__ if kind in REASONS), None)
    if reason is None:
        _log.error("unforeseen error of a call to a vendor", extra=describe(error))
    return reason or Reason.BROKE_OFF


class _Trace:
    """Watches httpcore's events for the moment at which the first byte of a request leaves, and runs the hook then."""

    def __init__(self, hook: Hook | None) -> None:
        self._hook = hook
        self._begun = False
        self._heard = False
        self._kept_back = False
        self._first_byte = False

    def begin(self) -> None:
        """Notes that the call is no longer waiting for its turn."""
        self._begun = True

    async def __call__(self, event: str, _: Mapping[str, Any]) -> None:
        self._heard = True
        if event.startswith(_CONNECTING) or self._kept_back or self._first_byte:
            return
        if event == FIRST_BYTE and self._hook is not None:
            self._kept_back = True
            await self._hook()
            self._kept_back = False
        self._first_byte = True  # also at an event of any other name: it may be what the first byte is called one day

    def sent(self, error: Exception) -> bool:
        """Whether a byte may have left. The events' names are no promise of httpcore's: where none came, be careful."""
        if not self._begun or self._kept_back:
            return False
        return self._first_byte if self._heard else not isinstance(error, PROVABLY_UNSENT)


_REFUSALS = {
    400: "did not accept this input",
    401: "did not accept the gateway's credentials: tell the gateway's operator",
    403: "does not allow this to the gateway's credentials: tell the gateway's operator",
    404: "has no such record, or no such workspace: check the ID and the gateway's settings",
    409: "has a record that stands in the way: something unique is taken already",
    413: "finds this too large",
    422: "did not accept this input",
}


_ADVICE = {Reason.NOT_CALLED: "Tell the gateway's operator."}


def _is_definite_no(status: int) -> bool:
    """A redirect, a refusal, or a server that says it can't: none of them applies a write (RFC 9110, section 15)."""
    return (300 <= status < 500 and status not in (408, 425)) or status in (501, 505)


async def _content(response: httpx.Response) -> bytes:
    """The decompressed body, up to the cap; `identity` was asked for, but some servers compress all the same."""
    inflate = _inflater(response.headers.get("content-encoding", "identity"))
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += inflate(chunk, LARGEST_ANSWER + 1 - len(content))
        if len(content) > LARGEST_ANSWER:
            raise CallFailed(Reason.TOO_LARGE, sent=True)
    return bytes(content)


def _inflater(encoding: str) -> Callable[[bytes, int], bytes]:
    if encoding.strip().lower() not in ("gzip", "deflate", "x-gzip"):
        return lambda chunk, _: chunk
    decompressor = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, by its header

    def inflate(chunk: bytes, room: int) -> bytes:
        try:
            return decompressor.decompress(chunk, room)
        except zlib.error:
            raise httpx.DecodingError("broken compression") from None

    return inflate


def _retry_after(response: httpx.Response) -> float | None:
    """Retry-After in seconds, from either of its forms (RFC 9110, section 10.2.3), within 1 s and 1 h."""
    value = response.headers.get("retry-after", "").strip()
    try:
        seconds = (
            float(value)
            if value.isascii() and value.isdigit()
            else parsedate_to_datetime(value).timestamp() - time.time()
        )
    except (ValueError, OverflowError):
        return None
    return round(_bounded(seconds), 3)


def _bounded(seconds: float) -> float:
    return float(min(max(seconds, 1.0), _LONGEST_WAIT))


def _is_plain(field: Sequence[str]) -> bool:
    """Whether a field's path is one of names and numbers: a vendor may put anything there."""
    return all(_VENDOR_CODE.fullmatch(step) for step in field)


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
