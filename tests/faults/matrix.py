"""The fault matrix: what each fault must come to, for a write that the vendor takes a key for and for one that it doesn't.

A row is one entry in ROWS. What is neither said to be applied nor refused ends as a success where
the vendor takes a key, and stays in doubt where it doesn't. What is not about one answer is in tests/faults/test_rows.py; that
a refused key (30) opens the circuit, in tests/vendors/test_repeats.py; and a vendor that forgets keys (40), for which days have
to pass, in tests/ledger/test_key_life.py, in virtual time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.faults.faults import FAULTS

IN_TIME = 20.0
HURRIED = 3.0
"""Deadlines, in seconds: for what is answered, and for what never is."""


class Expected(NamedTuple):
    """What the partner is told, and what the vendor has seen by then."""

    state: str
    code: str | None
    retryable: bool | None
    sends: int | range
    effects: int


DONE = Expected("SUCCEEDED", None, None, 1, 1)
DONE_AGAIN = DONE._replace(sends=2)
DOUBT = Expected("UNKNOWN", "OUTCOME_UNKNOWN", retryable=False, sends=1, effects=0)
DOUBT_APPLIED = DOUBT._replace(effects=1)
REJECTED = Expected("FAILED", "VENDOR_REJECTED", retryable=False, sends=1, effects=0)
LIMITED = Expected("FAILED", "RATE_LIMITED", retryable=True, sends=1, effects=0)
UNSENT = Expected("FAILED", "VENDOR_UNAVAILABLE", retryable=True, sends=0, effects=0)
DISTRUSTED = UNSENT._replace(retryable=False)


@dataclass(frozen=True)
class Row:
    """`fault` is one of tests.faults.faults, or a port of the server for what befalls a connection. `large`: the body is
    more than fits into the buffers between the two. `is_late`: what is not applied by then will be. `spared`: the writes that
    it can't befall, and why.
    """

    number: int
    fault: str
    expected: Expected
    deadline: float = IN_TIME
    large: bool = False
    is_late: bool = False
    spared: Mapping[str, str] = field(default_factory=dict, hash=False)


CONNECTION_ROWS = (
    Row(1, "closed", UNSENT),
    Row(2, "no-such-host", UNSENT),
    Row(3, "swallowing", UNSENT, 4.0),
    Row(4, "untrusted", DISTRUSTED),
    Row(4, "expired", DISTRUSTED),
    Row(4, "wrong-name", DISTRUSTED),
    Row(4, "old-tls", DISTRUSTED),
    Row(5, "hang-up", UNSENT),
)
"""What befalls before a byte of the request has left: each needs an address of its own."""

REQUEST_ROWS = (
    Row(8, "reset-in-body", DOUBT, large=True),
    Row(9, "reset-after-body", DOUBT),
    Row(10, "close", DOUBT),
    Row(11, "silence", DOUBT, HURRIED),
    Row(11, "drip-headers", DOUBT, HURRIED),
    Row(12, "drip-body", DOUBT_APPLIED, HURRIED),
    Row(13, "reset-mid-answer", DOUBT_APPLIED),
    Row(14, "short-body", DOUBT_APPLIED),
    Row(14, "short-chunk", DOUBT_APPLIED),
    Row(14, "truncated-json", DOUBT_APPLIED),
    Row(15, "malformed-json", DOUBT_APPLIED),
    Row(15, "empty-answer", DOUBT_APPLIED),
    Row(15, "json-of-something-else", DOUBT_APPLIED),
    Row(16, "wrong-content-type", DONE),
    Row(17, "html-200", DOUBT),
    Row(18, "no-id", DOUBT_APPLIED),
    Row(19, "no-dates", DONE),
    Row(20, "more-fields", DONE),
    Row(21, "odd-dates", DONE),
    Row(22, "huge-body", DOUBT_APPLIED),
    Row(22, "huge-chunks", DOUBT_APPLIED),
    Row(22, "bomb", DOUBT_APPLIED),
    Row(22, "gzip", DONE),
    Row(23, "huge-headers", DOUBT_APPLIED),
    Row(23, "many-headers", DOUBT_APPLIED),
    Row(24, "429-soon", DONE_AGAIN),
    Row(24, "421-once", DONE_AGAIN),
    Row(24, "425-once", DONE_AGAIN),
    Row(25, "429-later", LIMITED),
    Row(25, "429-silent", LIMITED._replace(sends=range(1, 4))),
    Row(25, "429-odd", LIMITED._replace(sends=range(1, 4))),
    Row(25, "429-date", LIMITED),
    Row(25, "429-ever", LIMITED),
    Row(26, "500", DOUBT),
    Row(26, "502", DOUBT),
    Row(26, "504", DOUBT),
    Row(27, "503", DOUBT),
    Row(27, "503-wait", DOUBT),
    Row(28, "408", DOUBT),
    *(Row(29, status, REJECTED) for status in ("400", "402", "405", "410", "413", "415", "422", "451", "501", "505")),
    Row(29, "404", REJECTED._replace(code="NOT_FOUND")),
    Row(30, "401", REJECTED),
    Row(30, "403", REJECTED),
    Row(31, "409", REJECTED),
    Row(32, "200", DONE),
    Row(32, "202", DOUBT_APPLIED),
    Row(32, "204", DOUBT_APPLIED),
    *(Row(33, status, REJECTED) for status in ("301", "302", "307", "308")),
    Row(33, "303", DOUBT),
    Row(34, "100-first", DONE),
    Row(34, "102-first", DONE),
    Row(34, "103-first", DONE),
    Row(35, "no-http", DOUBT),
    Row(35, "bytes", DOUBT),
    Row(36, "more-after", DONE),
    Row(37, "answer-of-another", DOUBT_APPLIED, spared={"logActivity": "its answer repeats nothing of it"}),
    Row(38, "lying-500", DOUBT_APPLIED),
    Row(39, "late", DOUBT, HURRIED, is_late=True),
)
assert {row.fault for row in REQUEST_ROWS} == FAULTS.keys() - {"healthy", "tardy"}
