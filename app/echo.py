"""What an answer repeats of its request: by it an answer to another request is known, such as one that came a turn too late."""

from __future__ import annotations

from typing import NamedTuple


class Echo(NamedTuple):
    """What was sent, and what the answer says it was. Either may be missing."""

    sent: str | None
    answered: str | None

    @property
    def is_ours(self) -> bool:
        """Whether nothing speaks against it: what is missing doesn't, nor do case and the space around it."""
        return not self.sent or not self.answered or _compared(self.sent) == _compared(self.answered)


def _compared(text: str) -> str:
    return text.strip().casefold()
