"""By when a caller wants an answer: the header X-Request-Timeout-Ms."""

from __future__ import annotations

from app.bad_request import BadRequest
from app.head import Head

HEADER = b"x-request-timeout-ms"
MOST_SECONDS = 30.0


def read_seconds(head: Head, default: float) -> float:
    """Seconds from now: as the header says, thirty if it says more, `default` without it. Raises BadRequest."""
    if HEADER not in head.headers:
        return default
    given = head.headers[HEADER].decode("latin-1")
    if not (given.isascii() and given.isdigit() and given.strip("0")):
        raise BadRequest(
            400, "BAD_REQUEST", "Send X-Request-Timeout-Ms as a whole number of milliseconds from 1 to 30000."
        )
    digits = given.lstrip("0")
    return min(int(digits) / 1000, MOST_SECONDS) if len(digits) < 9 else MOST_SECONDS
