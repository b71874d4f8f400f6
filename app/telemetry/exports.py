"""Requests to a collector that end: after their timeout as a whole, and after 64 KiB of an answer.

The timeout of requests begins anew with each byte that comes, and it reads an answer to its end: a collector that drips would
hold an export for ever, and with it the gateway's stop; one whose answer never ends would fill the memory.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from requests import PreparedRequest, ReadTimeout, Response, Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError

_LARGEST_ANSWER = 64 * 1024


def bounded_session() -> Session:
    """For one request at a time. Only an answer's status and head are for use."""
    session = Session()
    session.stream = True  # the adapter reads what is to be read
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Bounded())
    return session


class _Bounded(HTTPAdapter):
    """Cuts the connection when the time of a request is over, whatever is waited for then."""

    def __init__(self) -> None:
        super().__init__()
        self._socket: socket.socket | None = None
        self._ends = float("inf")

    def send(  # type: ignore[override]  # by name, as a Session gives them
        self, request: PreparedRequest, *, timeout: float, **more: Any
    ) -> Response:
        """`timeout` is in seconds. Raises what requests raises, and ReadTimeout where it was cut."""
        self._ends = monotonic() + timeout
        timer = threading.Timer(timeout, self._cut)
        timer.daemon = True
        timer.start()
        try:
            response = super().send(request, timeout=timeout, **more)
            _finish(response)
        finally:
            timer.cancel()
        if monotonic() >= self._ends:
            raise ReadTimeout(request=request)
        return response

    def get_connection_with_tls_context(self, *given: Any, **more: Any) -> HTTPConnectionPool:
        pool = super().get_connection_with_tls_context(*given, **more)
        if "ConnectionCls" not in vars(pool):  # a new one: it is kept for the next request
            pool.ConnectionCls = _noting(type(pool).ConnectionCls, self._note)
        return pool

    def _note(self, connected: socket.socket) -> None:
        self._socket = connected
        if monotonic() >= self._ends:
            self._cut()

    def _cut(self) -> None:
        """Whoever reads from it, reads its end."""
        if self._socket is not None:
            with suppress(OSError):  # it is closed already
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


def _noting(kind: Any, note: Callable[[socket.socket], None]) -> Any:
    """The same kind of connection, which says what its socket is: a response that is still read may be all that has it."""

    class Noting(kind):  # type: ignore[misc]  # there is one for http and one for https
        def connect(self) -> None:
            super().connect()
            note(self.sock)

    return Noting


def _finish(response: Response) -> None:
    """Reads the rest, and so keeps the connection for the next one; a connection with more to come is closed."""
    with suppress(HTTPError):  # the status has said all
        response.raw.read(_LARGEST_ANSWER, decode_content=False)
    response.raw.close()
