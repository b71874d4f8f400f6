"""Which of the two media types an answer has (RFC 9110, section 12.5.1; GraphQL over HTTP, Accept)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache, wraps
from typing import NamedTuple, TypeVar

T = TypeVar("T")

JSON_TYPE = "application/json"
RESPONSE_TYPE = "application/graphql-response+json"

LONGEST_KEPT = 500
"""Of a header, in bytes."""

_EXACT, _SUBTYPE, _ANY = 3, 2, 1
_RANGES = {
    JSON_TYPE: (JSON_TYPE, _EXACT),
    RESPONSE_TYPE: (RESPONSE_TYPE, _EXACT),
    "application/*": (None, _SUBTYPE),
    "*/*": (None, _ANY),
}


class _Range(NamedTuple):
    media_type: str | None
    specificity: int
    quality: float
    place: int


def kept(read: Callable[[bytes | None], T]) -> Callable[[bytes | None], T]:
    """Keeps what is made of a header: most clients send the same few. What is long is made anew, for it could be anything."""
    keeping = lru_cache(maxsize=256)(read)

    @wraps(read)
    def read_or_kept(header: bytes | None) -> T:
        return keeping(header) if header is None or len(header) <= LONGEST_KEPT else read(header)

    return read_or_kept


def parameters(parts: Iterable[str]) -> dict[str, str]:
    """The parameters of a media range, `name=value` each, without the space around them."""
    pairs = (part.partition("=")[::2] for part in parts)
    return {name.strip(): value.strip() for name, value in pairs}


def quality(given: dict[str, str]) -> float | None:
    """How much a range with these parameters is wanted, from 0, which is not at all, to 1; None if that can't be read."""
    try:
        found = float(given.get("q", "1"))
    except ValueError:
        return None
    return found if 0 <= found <= 1 else None


def names(accept: bytes | None, media_type: str) -> bool:
    """Whether a client that sends this header names a media type as one it takes; a wildcard names none."""
    return any(_is_wanted(each, media_type) for each in (accept or b"").decode("latin-1").lower().split(","))


@kept
def negotiate(accept: bytes | None) -> str | None:
    """The media type to answer in, or None if none of ours is acceptable.

    Without the header it is GraphQL's own, as the specification has it since 2025. Where only a wildcard fits it is JSON,
    which is what clients that send `*/*` expect.
    """
    if accept is None or not accept.strip():
        return RESPONSE_TYPE
    ranges = [found for place, each in enumerate(accept.decode("latin-1").split(",")) if (found := _read(each, place))]
    best: tuple[float, int, int] = (0.0, 0, 0)
    chosen = None
    for media_type in (JSON_TYPE, RESPONSE_TYPE):
        fitting = [each for each in ranges if each.media_type in {None, media_type}]
        closest = max(fitting, key=lambda each: (each.specificity, each.quality), default=None)
        if closest is None or closest.quality <= 0:
            continue
        rank = (closest.quality, closest.specificity, -closest.place)
        if rank > best or chosen is None:
            best, chosen = rank, media_type
    return chosen


def _is_wanted(media_range: str, media_type: str) -> bool:
    name, *rest = (part.strip() for part in media_range.split(";"))
    return name == media_type and bool(quality(parameters(rest)))


def _read(text: str, place: int) -> _Range | None:
    """One range of the header; None for one that can't be ours, or can't be read."""
    name, *rest = (part.strip().lower() for part in text.split(";"))
    media_type, specificity = _RANGES.get(name, (None, 0))
    given = parameters(rest)
    if not specificity or given.get("charset", "utf-8").strip('"') not in {"utf-8", "utf8"}:
        return None
    wanted = quality(given)
    return None if wanted is None else _Range(media_type, specificity, wanted, place)
