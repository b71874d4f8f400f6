"""A call to a vendor as data: what is asked, what came back, or why nothing did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

Hook = Callable[[], Awaitable[None]]
"""Runs after the connection stands and before the first byte of a request leaves; what it raises keeps it from leaving."""


@dataclass(slots=True)  # not frozen: each call makes one, and that takes longer
class Call:
    """One request to a vendor. `locate` turns a field that it complains of into the caller's input path.

    `operation` names what it does, as in `contacts.create`: each has a circuit of its own.
    """

    method: str
    path: str
    content: bytes | None = None
    """The body as it is sent."""
    query: Mapping[str, str | int] | None = None
    locate: Callable[[Sequence[str]], list[str] | None] = lambda _: None
    missing: Sequence[str] = ("input",)
    """Where in the input stands what a 404 means."""
    operation: str = ""

    def question(self) -> tuple[str, str, str, bytes | None]:
        """What it asks: two reads that ask the same are the same."""
        return self.method, self.path, str(self.query), self.content


@dataclass(slots=True)  # not frozen: each call makes one, and that takes longer
class Answer:
    """A complete answer of a vendor, whatever its status."""

    status: int
    retry_after: float | None
    content: bytes

    @property
    def is_sound(self) -> bool:
        """Whether it is a vendor's that works: also a refusal is, but no web page in the place of a record, and no 401, which
        all calls with this key would be answered.
        """
        if 200 <= self.status < 300:
            return self.content.lstrip()[:1] in (b"{", b"[", b"n")  # null too is an answer
        return 300 <= self.status < 500 and self.status not in (401, 408)


class Reason(Enum):
    """Why a call brought no answer, in words for the caller."""

    NOT_REACHED = "could not be reached"
    NOT_TRUSTED = "could not prove who it is: its TLS certificate or protocol was not accepted"
    TOO_SLOW = "did not answer in time"
    BROKE_OFF = "broke off before its answer was complete"
    FAILED = "answered with an error of its own"
    UNREADABLE = "answered something that can't be read"
    OF_ANOTHER = "answered what belongs to another request"
    TOO_LARGE = "answered more than this gateway takes"
    NOT_CALLED = "could not be called: the gateway's settings for it are wrong"


class CallFailed(Exception):
    """A call without a complete answer. `sent`: whether a byte of the request may have left."""

    def __init__(self, reason: Reason, *, sent: bool) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.sent = sent
