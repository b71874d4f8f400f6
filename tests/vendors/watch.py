"""Looks for what must not be seen: in every log record of every logger, in plain and in base64."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from app.telemetry import JsonLines


class Everything(logging.Handler):
    """Keeps all that is logged, as the product writes it and as Python would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.text: list[str] = []
        self._forms = (JsonLines(), logging.Formatter("%(name)s %(message)s %(args)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.text += [form.format(record) for form in self._forms]


@contextmanager
def everything_logged() -> Iterator[Everything]:
    """Listens at level DEBUG until the block ends; begins after the gateway has set up its own logging."""
    root, handler = logging.getLogger(), Everything()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def seen(forbidden: Iterable[str], *places: str | bytes) -> list[str]:
    """Those of the forbidden that stand in one of the places, in plain, in other case, or in base64."""
    shown = [place if isinstance(place, bytes) else place.encode() for place in places]
    lowered = [place.lower() for place in shown]
    return [
        word
        for word in forbidden
        if any(word.lower().encode() in place for place in lowered)
        or any(form in place for form in _in_base64(word.encode()) for place in shown)
    ]


def _in_base64(word: bytes) -> list[bytes]:
    """The part of the base64 of anything around the word that the word alone decides, at its three offsets."""
    forms = []
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + word).rstrip(b"=")
        forms.append(encoded[(0, 2, 3)[offset] : len(encoded) - 1])
    return [variant for form in forms for variant in (form, form.replace(b"+", b"-").replace(b"/", b"_"))]
