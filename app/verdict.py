"""What a vendor's answer or silence means for the caller: the one place where statuses become errors."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app import wire
from app.answer import bounded
from app.call import Answer, Call, Reason
from schema.errors import (
    MutationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    VendorRejected,
    VendorUnavailable,
)
from schema.vendor import Vendor

_VENDOR_CODE = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


@dataclass(frozen=True)
class Complaint:
    """What a vendor's error body says, in the vendor's own terms; `field` leads to what it objects to."""

    code: str | None = None
    field: Sequence[str] | None = None
    retry_after: float | None = None


class Verdicts:
    """Judges the answers of one vendor; `complaint` reads its error body, already parsed as JSON."""

    def __init__(self, vendor: Vendor, complaint: Callable[[Any], Complaint]) -> None:
        self._vendor = vendor
        self._complaint = complaint

    def of_query(self, answer: Answer, call: Call) -> MutationError:
        """What an answer that is no success says of a query."""
        if answer.status < 200 or answer.status == 408 or answer.status >= 500:
            return self.unavailable(Reason.FAILED, answer.retry_after)
        if answer.status == 303:
            return self.rejected(answer.status, self._read_complaint(answer), call)
        return self.of_write(answer, call)

    def of_write(self, answer: Answer, call: Call) -> MutationError:
        """What an answer that is no success says of a write: refused, provably not applied, or nobody knows."""
        if answer.status == 429:
            return self._rate_limited(self.wait_asked(answer))
        if answer.status in (421, 425):
            return self.unavailable(Reason.NOT_REACHED, answer.retry_after)
        if answer.status == 404:
            return self._missing(list(call.missing))
        if _is_definite_no(answer.status):
            return self.rejected(answer.status, self._read_complaint(answer), call)
        return self.unknown(Reason.FAILED if answer.status >= 400 else Reason.UNREADABLE)

    def _missing(self, path: list[str]) -> NotFound:
        """What leads to the input as a whole may name no record: then the gateway's settings may name what is not there."""
        what = _REFUSALS[404] if path == ["input"] else "has no such record. Check the ID"
        return NotFound(message=f"{self._name} {what}.", path=path)

    def _read_complaint(self, answer: Answer) -> Complaint:
        try:
            return self._complaint(wire.read_json(answer.content))
        except wire.Unreadable:
            return Complaint()

    def circuit_open(self, seconds: float) -> VendorUnavailable:
        return VendorUnavailable(
            code="CIRCUIT_OPEN",
            message=f"{self._name} has failed too often of late, so it is left alone for a while. Nothing was sent: try again "
            "after the wait.",
            vendor=self._vendor,
            retry_after_seconds=_shown(seconds),
        )

    def overloaded(self, seconds: float) -> RateLimited:
        return RateLimited(
            code="OVERLOADED",
            message=f"Too many calls wait for {self._name}. Nothing was sent: try again after the wait.",
            retry_after_seconds=_shown(seconds),
        )

    def wait_asked(self, answer: Answer) -> float | None:
        """How long a vendor asks to wait, in seconds: its own field before the header."""
        asked = self._read_complaint(answer).retry_after
        return answer.retry_after if asked is None else bounded(asked)

    def rejected(self, status: int, complaint: Complaint, call: Call) -> VendorRejected:
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

    def unavailable(self, reason: Reason, retry_after: float | None = None) -> VendorUnavailable:
        return VendorUnavailable(
            message=f"{self._name} {reason.value}. {_ADVICE.get(reason, 'Try again later.')}",
            vendor=self._vendor,
            retryable=reason not in _ADVICE,
            retry_after_seconds=retry_after,
        )

    def unknown(self, reason: Reason) -> OutcomeUnknown:
        return OutcomeUnknown(
            message=f"{self._name} was sent the write and {reason.value}. It may or may not have been applied: look before "
            "you repeat it.",
            vendor=self._vendor,
        )

    @property
    def _name(self) -> str:
        return self._vendor.value.capitalize()


def gateway_overloaded(seconds: float) -> RateLimited:
    return RateLimited(
        code="OVERLOADED",
        message="The gateway has more to do than it can. Nothing was sent: try again after the wait.",
        retry_after_seconds=seconds,
    )


_REFUSALS = {
    400: "did not accept this input",
    401: "did not accept the gateway's credentials: tell the gateway's operator",
    403: "does not allow this to the gateway's credentials: tell the gateway's operator",
    404: "has no such record, or no such workspace: check the ID and the gateway's settings",
    409: "has a record that stands in the way: something unique is taken already",
    413: "finds this too large",
    422: "did not accept this input",
}


_ADVICE = dict.fromkeys((Reason.NOT_CALLED, Reason.NOT_TRUSTED), "Tell the gateway's operator.")
"""Instead of another try, where none would end better."""


def _is_definite_no(status: int) -> bool:
    """A redirect, a refusal, or a server that says it can't: none of them applies a write (RFC 9110, section 15).

    But 303 leads from a request that was carried out to what came of it (section 15.4.4).
    """
    return (300 <= status < 500 and status not in (303, 408, 425)) or status in (501, 505)


def _shown(seconds: float) -> float:
    return round(seconds, 1)


def _is_plain(field: Sequence[str]) -> bool:
    """Whether a field's path is one of names and numbers: a vendor may put anything there."""
    return all(_VENDOR_CODE.fullmatch(step) for step in field)
