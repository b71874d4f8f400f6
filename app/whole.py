"""Two extensions of ASGI for requests and answers that are one piece, as nearly all here are.

`http.request.whole` holds the whole `body`, which `receive` gives too. `http.response.whole`: `send` takes
status, headers and body in one message, which becomes one write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REQUEST = "http.request.whole"
RESPONSE = "http.response.whole"
HEADED = frozenset({RESPONSE, "http.response.start", "websocket.accept", "websocket.http.response.start"})
"""Messages that hold headers, and all but `websocket.accept`, which is 101, a status."""


def in_parts(message: Mapping[str, Any]) -> tuple[Any, Any]:
    """A whole response in the two messages that every server takes."""
    start = {"type": "http.response.start", "status": message["status"], "headers": message["headers"]}
    return start, {"type": "http.response.body", "body": message["body"]}
