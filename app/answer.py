"""Reads a vendor's answer whole, up to a size that this gateway takes."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from email.utils import parsedate_to_datetime

import httpx

from app.call import Answer, CallFailed, Reason

LARGEST_ANSWER = 4 * 1024 * 1024
"""In bytes, decompressed."""

_LONGEST_WAIT = 3600.0


async def read_answer(response: httpx.Response) -> Answer:
    """The answer with its body. Raises CallFailed, and what httpx raises."""
    return Answer(response.status_code, _retry_after(response), await _content(response))


def bounded(seconds: float) -> float:
    """A wait that a vendor asks for, within 1 s and 1 h."""
    return float(min(max(seconds, 1.0), _LONGEST_WAIT))


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
    return round(bounded(seconds), 3)
