"""Looks for what must not be seen: in every log record of every logger, in every form."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from app.telemetry import JsonLines
from tests.canaries.forms import forms


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
    """Those of the forbidden that stand in one of the places, in whatever form."""
    shown = [place if isinstance(place, bytes) else place.encode() for place in places]
    return [word for word in forbidden if any(form in place for form in forms(word) for place in shown)]
