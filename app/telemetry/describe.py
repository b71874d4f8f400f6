"""What may be told of an exception."""

from __future__ import annotations

import traceback


def describe(error: BaseException) -> dict[str, object]:
    """An exception's type and where it passed. Its text may quote a vendor, so it is left out."""
    frames = traceback.extract_tb(error.__traceback__)
    return {"error": type(error).__name__, "at": [f"{frame.filename}:{frame.lineno}" for frame in frames[-8:]]}
