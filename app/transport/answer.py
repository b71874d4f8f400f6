"""Reads one answer from the bytes of a connection, strictly: where it ends must be beyond doubt (RFC 9112, section 6.3)."""

from __future__ import annotations

import httptools
import httpx

from app.transport.seam import Reply

MOST_HEAD_BYTES = 64 * 1024
"""Of all header sections of an answer together, interim answers and trailers included."""

MOST_HEADERS = 200
"""The same, in header fields; an interim answer counts as one more."""

_BODILESS = (204, 304)
_LENGTH, _CODING = b"content-length", b"transfer-encoding"


class AnswerParser:
    """Takes the bytes of a connection as they come, one answer after the other. Only when the one that is expected is complete
    is it known whether the connection `is_reusable`.
    """

    __slots__ = (
        "_body",
        "_fed",
        "_head",
        "_headers",
        "_is_complete",
        "_most",
        "_parser",
        "_room",
        "_status",
        "_until_close",
        "is_reusable",
    )

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)

    def expect(self, most: int) -> None:
        """Begins anew, for an answer with a body of up to `most` bytes; a larger one is cut off."""
        self.is_reusable = False
        self._is_complete = False
        self._most = most
        self._fed = self._head = self._status = 0
        self._room = MOST_HEADERS
        self._until_close = False
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []

    def feed(self, data: bytes) -> Reply | None:
        """The answer, once it is complete. Raises httpx.RemoteProtocolError."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._blame_what_follows()
        if self._room < 0 or self._head > MOST_HEAD_BYTES:
            raise httpx.RemoteProtocolError("the header section is too large")
        if self._is_complete:
            return self._hand_over()
        if not self._status:
            self._fed += len(data)
            if self._fed > MOST_HEAD_BYTES:
                raise httpx.RemoteProtocolError("the header section is too large")
        return None

    def end(self) -> Reply:
        """The answer, where it ends with its connection. Raises httpx.RemoteProtocolError."""
        if not self._until_close:
            raise httpx.RemoteProtocolError("the connection ended before the answer did")
        return self._hand_over()

    def _blame_what_follows(self) -> None:
        """What can't be read after a complete answer costs only the connection."""
        self.is_reusable = False
        if not self._is_complete:
            raise httpx.RemoteProtocolError("the answer is not HTTP/1.1") from None

    def _hand_over(self) -> Reply:
        """Keeps nothing of the body, which else would take memory for as long as the connection is kept."""
        body, self._body = self._body, []
        return Reply(self._status, self._headers, body[0] if len(body) == 1 else b"".join(body))

    def on_message_begin(self) -> None:
        if self._is_complete:
            raise httpx.RemoteProtocolError("nobody asked for a second answer")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Those of a trailer only count: they say nothing of use."""
        self._room -= 1
        self._head += len(name) + len(value)
        if self._status or self._room < 0:
            return
        headers, name = self._headers, name.lower()
        headers[name] = headers[name] + b", " + value if name in headers else value

    def on_headers_complete(self) -> None:
        parser, headers = self._parser, self._headers
        status = parser.get_status_code()
        if status < 200:
            self._pass_over(status)
            return
        coding = headers.get(_CODING)
        version = parser.get_http_version()
        if version != "1.1" and (version != "1.0" or coding is not None):
            raise httpx.RemoteProtocolError("the answer is of another version of HTTP")
        if coding is not None and (coding.strip().lower() != b"chunked" or _LENGTH in headers):
            raise httpx.RemoteProtocolError("the end of the answer is in doubt")
        self._status = status
        if status in _BODILESS:
            self.on_message_complete()
        else:
            self._until_close = coding is None and _LENGTH not in headers

    def _pass_over(self, status: int) -> None:
        """Interim answers announce the one that counts, also those of a status that nobody knows yet (RFC 9110, section 15.2); 101
        is refused, for nobody asked to switch protocols.
        """
        self._room -= 1
        is_framed = _LENGTH in self._headers or _CODING in self._headers
        if status < 100 or status == 101 or is_framed or self._room < 0:
            raise httpx.RemoteProtocolError("an interim answer is not one")
        self._headers.clear()

    def on_body(self, data: bytes) -> None:
        self._body.append(data)
        self._most -= len(data)
        if self._most < 0:
            self._is_complete = True
            raise httpx.RemoteProtocolError("the rest of the body is not wanted")

    def on_message_complete(self) -> None:
        if self._status and not self._is_complete:
            self._is_complete = True
            self.is_reusable = self._parser.should_keep_alive()
