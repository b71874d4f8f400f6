"""What is said to a request that gets no further than the door: a status, a code, and words for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class BadRequest(Exception):
    """A request that is not answered with a result; `facts` stand beside the code in errors[].extensions."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.facts = facts or {}
