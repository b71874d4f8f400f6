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
    """Takes the bytes of a connection as they come, one answer after the other. `reply` is None until the one that is expected
    is complete; only then is it known whether the connection `is_reusable`.
    """

    __slots__ = (
        "_body",
        "_fed",
        "_fields",
        "_head",
        "_headers",
        "_most",
        "_parser",
        "_room",
        "_status",
        "_until_close",
        "is_reusable",
        "reply",
    )

    def __init__(self) -> None:
        self._fields: list[tuple[bytes, bytes]] = []
        self._parser = httptools.HttpResponseParser(self)

    def expect(self, most: int) -> None:
        """Begins anew, for an answer with a body of up to `most` bytes; a larger one is cut off."""
        self.reply: Reply | None = None
        self.is_reusable = False
        self._most = most
        self._fed = self._head = self._status = 0
        self._room = MOST_HEADERS
        self._until_close = False
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []

    def let_go(self) -> None:
        """Forgets the answer, which else would take memory for as long as the connection is kept."""
        self.reply = None
        self._body = []

    def feed(self, data: bytes) -> Reply | None:
        """The answer, if it is complete now. Raises httpx.RemoteProtocolError."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._blame_what_follows()
        if self._fields and self.reply is None:
            self._take_fields()
        if not self._status:
            self._fed += len(data)
            if self._fed > MOST_HEAD_BYTES:
                raise httpx.RemoteProtocolError("the header section is too large")
        return self.reply

    def end(self) -> Reply:
        """The answer, where it ends with its connection. Raises httpx.RemoteProtocolError."""
        if not self._until_close:
            raise httpx.RemoteProtocolError("the connection ended before the answer did")
        return self.reply or self._finish(is_reusable=False)

    def _blame_what_follows(self) -> None:
        """What can't be read after a complete answer costs only the connection."""
        self.is_reusable = False
        if self.reply is None:
            raise httpx.RemoteProtocolError("the answer is not HTTP/1.1") from None

    def on_message_begin(self) -> None:
        if self.reply is not None:
            self.is_reusable = False  # nobody asked for a second answer

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        if self.reply is not None:
            return
        self._take_fields()
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
            self._finish(is_reusable=parser.should_keep_alive())
        else:
            self._until_close = coding is None and _LENGTH not in headers

    def _take_fields(self) -> None:
        """Those of a trailer only count: they say nothing of use."""
        fields, self._fields = self._fields, []
        self._room -= len(fields)
        headers = self._headers if not self._status else {}
        for name, value in fields:
            self._head += len(name) + len(value)
            lowered = name.lower()
            before = headers.get(lowered)
            headers[lowered] = value if before is None else before + b", " + value
        if self._room < 0 or self._head > MOST_HEAD_BYTES:
            raise httpx.RemoteProtocolError("the header section is too large")

    def _pass_over(self, status: int) -> None:
        """Interim answers announce the one that counts; 101 is refused, for nobody asked to switch protocols."""
        self._room -= 1
        is_framed = _LENGTH in self._headers or _CODING in self._headers
        if status not in (100, 102, 103) or is_framed or self._room < 0:
            raise httpx.RemoteProtocolError("an interim answer is not one")
        self._headers.clear()

    def on_body(self, data: bytes) -> None:
        if self.reply is not None:
            self.is_reusable = False
            return
        self._body.append(data)
        self._most -= len(data)
        if self._most < 0:
            self._finish(is_reusable=False)

    def on_message_complete(self) -> None:
        if not self._status or self.reply is not None:
            return
        if self._fields:
            self._take_fields()
        self._finish(is_reusable=self._parser.should_keep_alive())

    def _finish(self, *, is_reusable: bool) -> Reply:
        self.is_reusable = is_reusable
        body = self._body
        self.reply = Reply(self._status, self._headers, body[0] if len(body) == 1 else b"".join(body))
        return self.reply
