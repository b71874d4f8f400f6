"""How long to wait: Retry-After in both of its forms, and Architect's own field, within one second and one hour."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from app.call import Call
from app.rest import Rest
from app.transport.through_httpx import ThroughHttpx
from app.vendor import VendorSpec
from app.vendors.architect import SPEC as ARCHITECT
from app.vendors.bird import SPEC as BIRD
from app.vendors.bird import wire
from schema.errors import RateLimited, Refusal, VendorUnavailable


async def refused(
    spec: VendorSpec, status: int, headers: Mapping[str, str], content: Any = None, *, method: str = "write"
) -> Any:
    """The one error that a call comes to."""

    def handle(_: httpx.Request) -> httpx.Response:
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return httpx.Response(status, headers=raw, stream=httpx.ByteStream(body))

    async with httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://vendor") as http:
        rest = Rest(spec.vendor, ThroughHttpx(http), spec.complaint, timeout=5)
        with pytest.raises(Refusal) as refusal:
            await getattr(rest, method)(Call("POST", "/"), wire.Contact)
    [error] = refusal.value.errors
    return error


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 30 ", 30.0),
        ("0", 1.0),
        ("1000000000", 3600.0),
        ("9" * 5000, 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 1.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +9999", None),
    ],
)
async def test_retry_after_is_read_where_it_can_be(value: str, seconds: float | None) -> None:
    """Seconds or a date; 0 and the past are one second, far off is one hour, and garbage is not known."""
    error = await refused(BIRD, 429, {"retry-after": value})
    assert error == RateLimited(
        message="Bird asks for patience. Try again later.", retry_after_seconds=seconds, retryable=True
    )


async def test_a_date_is_as_far_off_as_it_is() -> None:
    """To the second of an HTTP date."""
    soon = datetime.now(UTC) + timedelta(seconds=90)
    error = await refused(BIRD, 429, {"retry-after": format_datetime(soon, usegmt=True)})
    assert 60 < error.retry_after_seconds <= 90


@pytest.fixture(params=["UTC", "Asia/Kolkata", "America/Caracas"])
def _somewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A time zone for the gateway."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("_somewhere")
@pytest.mark.parametrize("form", ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"])
async def test_a_date_is_in_utc_whatever_its_form(form: str) -> None:
    """All three of RFC 9110, section 5.6.7, wherever the gateway is."""
    soon = datetime.now(UTC) + timedelta(seconds=90)
    error = await refused(BIRD, 429, {"retry-after": soon.strftime(form)})
    assert 60 < error.retry_after_seconds <= 90


async def test_a_missing_header_is_not_known() -> None:
    """Null, not a guess."""
    assert (await refused(BIRD, 429, {})).retry_after_seconds is None


@pytest.mark.parametrize("status", [421, 425])
async def test_a_write_that_was_provably_not_applied_may_wait_as_told(status: int) -> None:
    """Misdirected and too early carry the header too."""
    error = await refused(BIRD, status, {"retry-after": "3"})
    assert (type(error), error.retryable, error.retry_after_seconds) == (VendorUnavailable, True, 3.0)


async def test_a_read_that_meets_an_overload_waits_as_told() -> None:
    """503 with Retry-After."""
    error = await refused(BIRD, 503, {"retry-after": "3"}, method="read")
    assert (type(error), error.retryable, error.retry_after_seconds) == (VendorUnavailable, True, 3.0)


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        (b"12", 12.0),
        (b"0.25", 1.0),
        (b"1000000000", 3600.0),
        (b"1" + b"0" * 400, 3600.0),
        (b"1e999", 3600.0),
        (b"0", 5.0),
        (b"-3", 5.0),
        (b"NaN", 5.0),
        (b"true", 5.0),
        (b'"12"', 5.0),
        (b"null", 5.0),
    ],
)
async def test_architects_own_field_comes_first_where_it_is_a_number(asked: bytes, seconds: float) -> None:
    """Within the same bounds; anything else falls back to the header."""
    body = b'{"code": "RATE_LIMIT_EXCEEDED", "details": {"retryAfter": %b}}' % asked
    assert (await refused(ARCHITECT, 429, {"retry-after": "5"}, body)).retry_after_seconds == seconds
