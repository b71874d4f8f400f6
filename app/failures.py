"""What the HTTP client's errors mean: each has one reason, and some prove that nothing was sent."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping

import httpx

from app.call import Reason
from app.telemetry import describe

_log = logging.getLogger(__name__)

REASONS: Mapping[type[Exception], Reason] = {
    httpx.ConnectError: Reason.NOT_REACHED,
    httpx.ConnectTimeout: Reason.NOT_REACHED,
    httpx.PoolTimeout: Reason.NOT_REACHED,
    httpx.ProxyError: Reason.NOT_REACHED,
    httpx.ReadTimeout: Reason.TOO_SLOW,
    httpx.WriteTimeout: Reason.TOO_SLOW,
    httpx.TimeoutException: Reason.TOO_SLOW,
    TimeoutError: Reason.TOO_SLOW,
    httpx.ReadError: Reason.BROKE_OFF,
    httpx.WriteError: Reason.BROKE_OFF,
    httpx.CloseError: Reason.BROKE_OFF,
    httpx.NetworkError: Reason.BROKE_OFF,
    httpx.RemoteProtocolError: Reason.BROKE_OFF,
    httpx.DecodingError: Reason.BROKE_OFF,
    httpx.StreamError: Reason.BROKE_OFF,
    httpx.StreamConsumed: Reason.BROKE_OFF,
    httpx.StreamClosed: Reason.BROKE_OFF,
    httpx.ResponseNotRead: Reason.BROKE_OFF,
    httpx.RequestNotRead: Reason.BROKE_OFF,
    httpx.LocalProtocolError: Reason.NOT_CALLED,
    httpx.ProtocolError: Reason.BROKE_OFF,
    httpx.UnsupportedProtocol: Reason.NOT_CALLED,
    httpx.TransportError: Reason.BROKE_OFF,
    httpx.TooManyRedirects: Reason.BROKE_OFF,
    httpx.RequestError: Reason.BROKE_OFF,
    httpx.HTTPStatusError: Reason.BROKE_OFF,
    httpx.HTTPError: Reason.BROKE_OFF,
    httpx.InvalidURL: Reason.NOT_CALLED,
    httpx.CookieConflict: Reason.NOT_CALLED,
}
"""Every error of httpx by its own class; the most specific one decides."""

PROVABLY_UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)


def translate(error: Exception) -> Reason:
    """The reason that an error of httpx (or the deadline's TimeoutError) stands for; what is none of them broke off."""
    if _is_distrust(error):
        return Reason.NOT_TRUSTED
    reason = next((REASONS[kind] for kind in type(error).__mro__ if kind in REASONS), None)
    if reason is None:
        _log.error("unforeseen error of a call to a vendor", extra=describe(error))
    return reason or Reason.BROKE_OFF


def _is_distrust(error: BaseException) -> bool:
    """Whether a TLS handshake ended in a no of either side: an unknown authority, another name, too old a protocol.

    One that merely broke off is none: the next may succeed.
    """
    if not isinstance(error, httpx.ConnectError):
        return False
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
        cause = cause.__cause__ or cause.__context__
    return False
