"""What was made of a vendor's answers, beside their very bytes: an answer that says the same again is not read again.

Nobody is answered from here: the vendor is asked each time, and only to read the same bytes once more is saved.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import BaseModel

from app import wire

MOST_BYTES = 11 * 1024 * 1024
"""That the answers of all vendors take, with all that is made of them."""

BYTES_PER_BYTE = 4
"""What an answer takes with what is made of it, for each of its bytes: a contact whose links are asked for takes most."""

BYTES_EACH = 1_500
"""Bytes that any answer takes, with its question; measured, rounded up."""

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Reading(Generic[T]):
    """How an answer is read: as which model, and what is made of that. Nothing else may have a part in it."""

    model: type[BaseModel]
    make: Callable[[Any], T]
    is_kept: bool = True

    def of(self, content: bytes) -> T:
        """Raises wire.Unreadable."""
        return self.make(wire.read(self.model, content))


@cache
def whole(model: type[M]) -> Reading[M]:
    """The answer as its model has it: read anew each time, for models are large, and what they answer is rarely asked again."""
    return Reading(model, lambda answer: answer, is_kept=False)


class _Kept(NamedTuple):
    reading: Reading[Any]
    content: bytes
    made: Any
    size: int


class Readings:
    """What was last made of the answer to each question, up to so many bytes of answers.

    It is shared by all who are answered the same: nobody may change it.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()

    def read(self, question: Hashable, content: bytes, reading: Reading[T]) -> T:
        """What is made of an answer. Raises wire.Unreadable."""
        if not reading.is_kept:
            return reading.of(content)
        kept = self._kept.get(question)
        if kept is not None and kept.reading is reading and kept.content == content:
            self._kept.move_to_end(question)
            made: T = kept.made
            return made
        made = reading.of(content)
        self._keep(question, _Kept(reading, content, made, _size(question, content)))
        return made

    def _keep(self, question: Hashable, kept: _Kept) -> None:
        before = self._kept.pop(question, None)
        self._kept[question] = kept
        self._bytes += kept.size - (before.size if before else 0)
        while self._bytes > self._most_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size


def _size(question: Hashable, content: bytes) -> int:
    return BYTES_EACH + BYTES_PER_BYTE * (len(str(question)) + len(content))
