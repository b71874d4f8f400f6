"""The forms in which a word may stand where it should not: as it is, in other case, encoded, escaped."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import quote, quote_plus


@lru_cache
def forms(word: str) -> frozenset[bytes]:
    """What to look for: whatever holds the word in one of these forms holds one of these, whatever stands around it."""
    return frozenset((*_texts(word), *_base64s(word.encode())))


def _texts(word: str) -> Iterator[bytes]:
    """As programs, URLs, JSON, HTML and dumps have it, whether they escape what they must or everything."""
    escaped = (quote(word), quote(word, safe=""), quote_plus(word), json.dumps(word)[1:-1], html.escape(word))
    for text in (word, word.lower(), word.upper(), word.replace("/", "\\/"), *escaped):
        yield text.encode()
    for before, digits in ((before, digits) for before in ("", "%", "\\x", "\\u00") for digits in ("02x", "02X")):
        yield "".join(f"{before}{byte:{digits}}" for byte in word.encode()).encode()


def _base64s(word: bytes) -> Iterator[bytes]:
    """The part of the base64 (RFC 4648) of anything around the word that the word alone decides, at its three offsets."""
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + word).rstrip(b"=")
        is_open = (offset + len(word)) % 3 != 0
        decided = encoded[(0, 2, 3)[offset] : len(encoded) - is_open]
        yield decided
        yield decided.replace(b"+", b"-").replace(b"/", b"_")
