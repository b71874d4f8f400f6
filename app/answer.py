"""Reads a vendor's answer whole, up to a size that this gateway takes."""

from __future__ import annotations

import time
import zlib
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from app.call import Answer, CallFailed, Reason
from app.transport.seam import Reply

LARGEST_ANSWER = 4 * 1024 * 1024
"""In bytes, decompressed."""

_LONGEST_WAIT = 3600.0


def read_answer(reply: Reply) -> Answer:
    """The answer with its body decompressed, up to the cap. Raises CallFailed, httpx.DecodingError."""
    headers, content = reply.headers, reply.content
    if b"content-encoding" in headers:
        content = _inflated(content, headers[b"content-encoding"])
    if len(content) > LARGEST_ANSWER:
        raise CallFailed(Reason.TOO_LARGE, sent=True)
    wait = _seconds(headers[b"retry-after"]) if b"retry-after" in headers else None
    return Answer(reply.status, wait, content)


def bounded(seconds: float) -> float:
    """A wait that a vendor asks for, within 1 s and 1 h."""
    return float(min(max(seconds, 1.0), _LONGEST_WAIT))


def _inflated(content: bytes, encoding: bytes) -> bytes:
    """`identity` was asked for, but some servers compress all the same."""
    if encoding.strip().lower() not in (b"gzip", b"deflate", b"x-gzip"):
        return content
    decompressor = zlib.decompressobj(wbits=47)  # 32 + 15: gzip or zlib, by its header
    try:
        return decompressor.decompress(content, LARGEST_ANSWER + 1)
    except zlib.error:
        raise httpx.DecodingError("broken compression") from None


def _seconds(given: bytes) -> float | None:
    """Retry-After from either of its forms (RFC 9110, section 10.2.3), within 1 s and 1 h."""
    value = given.decode("latin-1").strip()
    try:
        seconds = float(value) if value.isascii() and value.isdigit() else _moment(value).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return round(bounded(seconds), 3)


def _moment(date: str) -> datetime:
    """A date in any of the three forms (RFC 9110, section 5.6.7): the one without a zone is in UTC too. Raises ValueError."""
    moment = parsedate_to_datetime(date)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
