"""Magic values with which a sandbox misbehaves on request, so that partners can test their own error handling."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response


class Fault(StrEnum):
    """What a write meets whose source, display name, subject or label is one of these values.

    `-applied` means that the sandbox keeps the record although the answer does not say so.
    """

    UNAUTHORIZED = "sandbox-401"
    NOT_FOUND = "sandbox-404"
    CONFLICT = "sandbox-409"
    MISDIRECTED = "sandbox-421"
    RATE_LIMITED = "sandbox-429"
    ERROR = "sandbox-500"
    ERROR_APPLIED = "sandbox-500-applied"
    OVERLOADED = "sandbox-503"
    TIMEOUT = "sandbox-timeout"
    TIMEOUT_APPLIED = "sandbox-timeout-applied"
    RESET = "sandbox-reset"
    RESET_APPLIED = "sandbox-reset-applied"
    TRUNCATED_APPLIED = "sandbox-truncated-applied"
    HTML = "sandbox-html"
    EMPTY_APPLIED = "sandbox-empty-applied"
    NO_ID_APPLIED = "sandbox-no-id-applied"
    ODD_FORMATS = "sandbox-odd-formats"
    REDIRECT = "sandbox-redirect"


_STATUS = {
    Fault.UNAUTHORIZED: 401,
    Fault.NOT_FOUND: 404,
    Fault.CONFLICT: 409,
    Fault.MISDIRECTED: 421,
    Fault.RATE_LIMITED: 429,
    Fault.ERROR: 500,
    Fault.ERROR_APPLIED: 500,
    Fault.OVERLOADED: 503,
}
_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d:\d\d).*Z")
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER on, zero seconds: close() sends RST


def requested(*values: object) -> Fault | None:
    """The fault that one of `values` asks for, or None."""
    return next((Fault(value) for value in values if isinstance(value, str) and value in set(Fault)), None)


async def answer(
    fault: Fault | None,
    request: Request,
    apply: Callable[[], Response],
    refuse: Callable[[int], Response],
) -> Response:
    """The answer to a write: `apply()` as it should be, or what `fault` makes of it.

    `apply` does the write and gives the documented answer; `refuse` gives the vendor's own error form for a status.
    """
    if fault is None:
        return apply()
    if fault.endswith("-applied") or fault is Fault.ODD_FORMATS:
        applied = apply()
        return applied if applied.status_code >= 400 else await _spoil(fault, request, applied, refuse)
    return await _spoil(fault, request, Response(), refuse)


async def _spoil(fault: Fault, request: Request, applied: Response, refuse: Callable[[int], Response]) -> Response:
    if fault in _STATUS:
        return refuse(_STATUS[fault])
    if fault in (Fault.TIMEOUT, Fault.TIMEOUT_APPLIED):
        return await _never(request)
    if fault in (Fault.RESET, Fault.RESET_APPLIED):
        return await _reset(request)
    return _odd_answer(fault, applied)


def _odd_answer(fault: Fault, applied: Response) -> Response:
    match fault:
        case Fault.TRUNCATED_APPLIED:
            return Response(
                bytes(applied.body)[: len(applied.body) // 2], applied.status_code, media_type="application/json"
            )
        case Fault.EMPTY_APPLIED:
            return Response(status_code=204)
        case Fault.NO_ID_APPLIED:
            return _rewritten(applied, drop_ids=True)
        case Fault.ODD_FORMATS:
            return _rewritten(applied, drop_ids=False)
        case Fault.REDIRECT:
            return RedirectResponse("/elsewhere", 307)
        case _:
            return Response("<html><body>Sign in to the network</body></html>", media_type="text/html")


async def _never(request: Request) -> Response:
    """Keeps the caller waiting until it gives up."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response(status_code=499)


async def _reset(request: Request) -> Response:
    """Cuts the connection with a TCP reset; without a real socket beneath, behaves as a time-out."""
    transport = request.scope.get("state", {}).get("transport")
    if transport is not None:
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
    return await _never(request)


def _rewritten(applied: Response, *, drop_ids: bool) -> Response:
    return JSONResponse(_rewrite(json.loads(bytes(applied.body)), drop_ids=drop_ids), applied.status_code)


def _rewrite(value: Any, *, drop_ids: bool) -> Any:
    if isinstance(value, list):
        return [_rewrite(item, drop_ids=drop_ids) for item in value]
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if not (drop_ids and _is_id(k))}
        return {
            k: f"odd.{v}" if _is_id(k) and isinstance(v, str) else _rewrite(v, drop_ids=drop_ids)
            for k, v in kept.items()
        }
    if isinstance(value, str) and (date := _DATE.fullmatch(value)):
        return "{2}/{1}/{0} {3}".format(*date.groups())
    return value


def _is_id(key: str) -> bool:
    return key in {"id", "personLogId", "prospectLogId"}
