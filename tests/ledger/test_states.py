"""What becomes of a write: every evidence, in every situation, leads to exactly one state."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.call import Call
from app.failures import PROVABLY_UNSENT, REASONS
from app.ledger.states import (
    FINAL,
    LONGEST_DOUBT,
    Transition,
    after_attempt,
    after_doubt,
    after_loss,
    is_blocking,
    milliseconds_until_look,
    out_of_time,
)
from app.rest import Rest
from app.transport.through_httpx import ThroughHttpx
from app.vendors.bird import SPEC, wire
from schema import errors
from schema.errors import (
    IdempotencyConflict,
    InvalidInput,
    MutationError,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Refusal,
    VendorRejected,
    VendorUnavailable,
    WriteInProgress,
)
from schema.types.receipt import WriteState
from schema.vendor import Vendor
from tests.vendors.test_translation import error as httpx_error
from tests.vendors.upstream import fixture

STATUSES = range(100, 600)
RECORD = fixture("bird/contact")
UNAPPLIED = {421, 425, 429}
REFUSED = (set(range(300, 500)) - {303, 408} - UNAPPLIED) | {501, 505}
NOT_CALLED = {httpx.UnsupportedProtocol, httpx.InvalidURL}
SECONDS_LEFT = (-math.inf, -1.0, 0.0, 0.1, 30.0, math.inf, math.nan)
Respond = Callable[[httpx.Request], httpx.Response]


class _Unforeseen(MutationError):
    """An error that somebody adds one day."""


ERRORS: list[MutationError] = [
    InvalidInput(message="m", path=["input"]),
    NotFound(message="m", path=["input"]),
    VendorRejected(message="m", vendor=Vendor.BIRD, status=422),
    VendorUnavailable(message="m", vendor=Vendor.BIRD),
    OutcomeUnknown(message="m", vendor=Vendor.BIRD),
    IdempotencyConflict(message="m"),
    WriteInProgress(message="m"),
    RateLimited(message="m"),
]
"""One of each type."""

UNFORESEEN = [MutationError(code="NEW", message="m"), _Unforeseen(code="NEW", message="m", retryable=True)]
PROOFS_OF_NO = (VendorRejected, NotFound)
PROOFS_OF_NOT_APPLIED = (VendorUnavailable, RateLimited)


def by_the_rules(status: int, *, in_doubt: bool, seconds_left: float) -> WriteState:
    """What a status means for a write, by the table of the rules; the body is the record."""
    if status in (200, 201):
        return WriteState.SUCCEEDED
    if in_doubt or status not in UNAPPLIED | REFUSED:
        return WriteState.UNKNOWN
    if status in UNAPPLIED and seconds_left > 1:
        return WriteState.PENDING
    return WriteState.FAILED


async def test_every_status_leads_where_the_rules_say() -> None:
    """All five hundred, through the verdict of the call itself, in doubt or not, with time left or without."""
    verdicts = {status: await outcome(_answering(status)) for status in STATUSES}
    situations = list(product(STATUSES, (False, True), (0.0, 30.0)))
    found = {each: _attempt(verdicts[each[0]], each[1], each[2]).to for each in situations}
    expected = {each: by_the_rules(each[0], in_doubt=each[1], seconds_left=each[2]) for each in situations}
    assert found == expected


@pytest.mark.parametrize("content", [b"", b"{", b"<html>", b"[]", b"{}"])
@pytest.mark.parametrize("status", [200, 201])
async def test_a_success_without_the_record_is_unknown(status: int, content: bytes) -> None:
    """Something was done, or not."""
    verdict = await outcome(_answering(status, content))
    assert _attempt(verdict, False, 30.0).to is WriteState.UNKNOWN


@pytest.mark.parametrize("kind", [*sorted(REASONS, key=str), ValueError, KeyError, RuntimeError, OSError])
async def test_every_exception_leads_where_its_proof_does(kind: type[Exception]) -> None:
    """What is raised before anything could leave is unsent; anything else, known or not, leaves doubt."""
    verdict = await outcome(_failing(kind))
    expected = WriteState.PENDING if issubclass(kind, PROVABLY_UNSENT) else WriteState.UNKNOWN
    assert _attempt(verdict, False, 30.0).to is (WriteState.FAILED if kind in NOT_CALLED else expected)
    assert _attempt(verdict, True, 30.0).to is WriteState.UNKNOWN


def test_the_errors_of_these_tests_are_all_there_are() -> None:
    """A new type of error fails here until its meaning for a write is decided."""
    known = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, MutationError)}
    assert {type(each) for each in ERRORS} == known - {MutationError}


@pytest.mark.parametrize("error", ERRORS + UNFORESEEN, ids=lambda error: type(error).__name__)
def test_every_error_in_every_situation_has_one_transition(error: MutationError) -> None:
    """In doubt or not, whatever time is left, retryable or not, after any number of attempts."""
    for in_doubt, left, attempts, retryable in product((False, True), SECONDS_LEFT, (0, 1, 50), (False, True)):
        given_error = dataclasses.replace(error, retryable=retryable)
        found = after_attempt(given_error, in_doubt=in_doubt, attempts=attempts, seconds_left=left)
        assert found.to is _by_the_proof(given_error, in_doubt, attempts, left)
        assert (found.error, bool(found.reason)) == (given_error, True)


def _by_the_proof(error: MutationError, in_doubt: bool, attempts: int, seconds_left: float) -> WriteState:
    if in_doubt:
        return WriteState.UNKNOWN
    if isinstance(error, PROOFS_OF_NO):
        return WriteState.FAILED
    if not isinstance(error, PROOFS_OF_NOT_APPLIED):
        return WriteState.UNKNOWN
    is_in_time = seconds_left > min(0.25 * 2**attempts, 60)
    return WriteState.PENDING if error.retryable and is_in_time else WriteState.FAILED


@pytest.mark.parametrize(("in_doubt", "left"), list(product((False, True), SECONDS_LEFT)))
def test_a_documented_success_is_a_success_in_every_situation(in_doubt: bool, left: float) -> None:
    """Also of a write in doubt, and after its time: a late answer counts."""
    found = after_attempt(None, in_doubt=in_doubt, attempts=1, seconds_left=left)
    assert (found.to, found.error) == (WriteState.SUCCEEDED, None)


@pytest.mark.parametrize("error", [VendorUnavailable(message="m", vendor=Vendor.BIRD), RateLimited(message="m")])
def test_the_waits_between_attempts_grow_up_to_a_minute(error: MutationError) -> None:
    """From a quarter of a second, doubled each time; no number of attempts makes it longer than a minute."""
    waits = [after_attempt(error, in_doubt=False, attempts=n, seconds_left=1e9).wait for n in range(12)]
    assert waits[:4] == [0.25, 0.5, 1.0, 2.0]
    assert waits == sorted(waits)
    assert waits[-1] == after_attempt(error, in_doubt=False, attempts=10**6, seconds_left=1e9).wait == 60.0


@pytest.mark.parametrize("kind", [VendorUnavailable, RateLimited])
def test_what_the_vendor_asks_for_is_waited_for(kind: Any) -> None:
    """As long as Retry-After says, if that is within the time of the write; else it fails and may be repeated."""
    vendor = {"vendor": Vendor.BIRD} if kind is VendorUnavailable else {}
    error: MutationError = kind(message="m", retry_after_seconds=7.0, **vendor)
    expected = [(8.0, WriteState.PENDING, 7.0), (7.0, WriteState.FAILED, 0.0), (6.0, WriteState.FAILED, 0.0)]
    for left, state, wait in expected:
        found = after_attempt(error, in_doubt=False, attempts=0, seconds_left=left)
        assert (found.to, found.wait) == (state, wait)
        assert is_blocking(found.to, error_is_retryable=error.retryable) is (state is WriteState.PENDING)


@pytest.mark.parametrize("state", WriteState)
def test_a_lost_write_is_in_doubt_if_it_was_being_sent(state: WriteState) -> None:
    """The process that had it is gone; nothing else is lost with a process."""
    found = after_loss(state=state)
    assert (found and found.to) == (WriteState.UNKNOWN if state is WriteState.SENDING else None)


def test_a_write_in_doubt_is_looked_at_ever_more_seldom() -> None:
    """After 5 s, 15 s, 1 min, 5 min, 15 min and 1 h, each after the last look; then hourly."""
    looks = [after_doubt(has_vendor_key=False, since_first_attempt=timedelta(0), examined=n) for n in range(7)]
    waits = [milliseconds_until_look(0) / 1000] + [each.wait for each in looks]
    assert waits == [5, 15, 60, 300, 900, 3600, 3600, 3600]
    assert {each.to for each in looks} == {WriteState.UNKNOWN}


@pytest.mark.parametrize("examined", [0, 1, 100])
@pytest.mark.parametrize("has_vendor_key", [False, True])
def test_after_a_day_of_doubt_only_a_person_can_tell(examined: int, has_vendor_key: bool) -> None:
    """Nothing is sent or looked for any more, from that moment on."""
    moment = timedelta(microseconds=1)
    for since in (LONGEST_DOUBT, LONGEST_DOUBT + moment, timedelta.max):
        found = after_doubt(has_vendor_key=has_vendor_key, since_first_attempt=since, examined=examined)
        assert (found.to, found.wait) == (WriteState.UNKNOWN, 0.0)
    before = after_doubt(has_vendor_key=has_vendor_key, since_first_attempt=LONGEST_DOUBT - moment, examined=examined)
    assert (before.to is WriteState.PENDING) is has_vendor_key
    assert (before.wait > 0) is not has_vendor_key


@pytest.mark.parametrize(("state", "retryable"), list(product(WriteState, (False, True))))
def test_only_a_failure_that_may_be_repeated_frees_its_key(state: WriteState, retryable: bool) -> None:
    """Everything else holds it."""
    assert is_blocking(state, retryable) is not (state is WriteState.FAILED and retryable)


any_error = st.sampled_from([None, *ERRORS, *UNFORESEEN])
evidence = st.tuples(
    st.sampled_from(["attempt", "loss", "look"]), any_error, st.floats(), st.timedeltas(min_value=timedelta(0))
)


@given(st.lists(evidence, max_size=30))
def test_no_way_leads_a_keyless_write_from_doubt_back_to_the_vendor(steps: list[Any]) -> None:
    """Whatever happens to it: once in doubt it is never waiting or being sent again."""
    way = _walk(steps, has_vendor_key=False)
    doubt = [state for state, in_doubt in way if in_doubt]
    assert set(doubt) <= {WriteState.UNKNOWN, WriteState.SUCCEEDED}


@given(st.lists(evidence, max_size=30), st.booleans())
def test_only_a_success_ends_a_doubt(steps: list[Any], has_vendor_key: bool) -> None:
    """No refusal of a later attempt says anything about an earlier one; and what is final stays so."""
    way = _walk(steps, has_vendor_key=has_vendor_key)
    assert all(state is not WriteState.FAILED for state, in_doubt in way if in_doubt)
    assert all(state not in FINAL for state, _ in way[:-1])
    assert [in_doubt for _, in_doubt in way] == sorted(in_doubt for _, in_doubt in way)


def test_a_write_with_a_vendor_key_is_sent_again_until_it_is_certain() -> None:
    """From doubt to the vendor and back, and out by a success: the walk above reaches these states."""
    unknown = ("attempt", ERRORS[4], 30.0, timedelta(0))
    look, success = ("look", None, 30.0, timedelta(0)), ("attempt", None, 30.0, timedelta(0))
    states = [state for state, _ in _walk([unknown, look, unknown, look, success], has_vendor_key=True)]
    doubt, again = WriteState.UNKNOWN, [WriteState.PENDING, WriteState.SENDING]
    assert states == [*again, doubt, *again, doubt, *again, WriteState.SUCCEEDED]


def _walk(steps: list[Any], *, has_vendor_key: bool) -> list[tuple[WriteState, bool]]:
    """The states that a write passes, each with whether it is in doubt; evidence that does not fit its state is left out."""
    way = [(WriteState.PENDING, False)]
    for kind, error, seconds_left, since in steps:
        state, in_doubt = way[-1]
        found: Transition | None = None
        if state is WriteState.PENDING and kind != "look":
            way.append((WriteState.SENDING, in_doubt))
        if way[-1][0] is WriteState.SENDING:
            attempt = after_attempt(error, in_doubt=in_doubt, attempts=1, seconds_left=seconds_left)
            found = after_loss(state=WriteState.SENDING) if kind == "loss" else attempt
        if state is WriteState.UNKNOWN and kind == "look":
            found = after_doubt(has_vendor_key=has_vendor_key, since_first_attempt=since, examined=0)
        if found is not None:
            way.append((found.to, in_doubt or found.to is WriteState.UNKNOWN))
    return way


async def outcome(respond: Respond) -> MutationError | None:
    """What a call of a write comes to: None if the vendor answered with the record."""
    async with httpx.AsyncClient(base_url="http://vendor", transport=httpx.MockTransport(respond)) as http:
        try:
            await Rest(SPEC.vendor, ThroughHttpx(http), SPEC.complaint, timeout=30).write(
                Call("POST", "/contacts"), wire.Contact
            )
        except Refusal as refusal:
            [error] = refusal.errors
            return error
    return None


def _attempt(error: MutationError | None, in_doubt: bool, seconds_left: float) -> Transition:
    return after_attempt(error, in_doubt=in_doubt, attempts=1, seconds_left=seconds_left)


def _answering(status: int, content: bytes | None = None) -> Respond:
    body = json.dumps(RECORD).encode() if content is None else content
    return lambda _: httpx.Response(status, stream=httpx.ByteStream(body))


def _failing(kind: type[Exception]) -> Respond:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx_error(kind)

    return fail


def test_a_vendor_that_asks_for_patience_is_given_it_also_in_doubt() -> None:
    """What is in doubt stays so, and is sent again no earlier than the vendor asks for."""
    asked = RateLimited(message="Patience.", retry_after_seconds=90.0)
    found = after_attempt(asked, in_doubt=True, attempts=0, seconds_left=0.0)
    assert found == Transition(WriteState.UNKNOWN, "still in doubt: RATE_LIMITED", asked, 90.0)
    plain = VendorUnavailable(message="Away.", vendor=Vendor.ARCHITECT)
    assert after_attempt(plain, in_doubt=True, attempts=0, seconds_left=9.0).wait == 0.0


def test_a_write_that_is_out_of_time_may_be_repeated() -> None:
    """It was provably never sent."""
    found = out_of_time(Vendor.ARTU)
    assert (found.to, found.error and found.error.retryable) == (WriteState.FAILED, True)
    assert isinstance(found.error, VendorUnavailable)
    assert not is_blocking(found.to, found.error.retryable)
