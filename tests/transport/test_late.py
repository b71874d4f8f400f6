"""A transport that most gateways never call is opened by the first call."""

from __future__ import annotations

import httpx

from app.transport.late import LateTransport


class Opened(httpx.MockTransport):
    """Counts how often it is closed."""

    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


async def test_it_is_opened_once_and_closed() -> None:
    """By the first of its calls; its answers are those of what was opened."""
    opened: list[Opened] = []

    def opens() -> httpx.AsyncBaseTransport:
        opened.append(Opened(lambda request: httpx.Response(200, text=request.url.path)))
        return opened[-1]

    async with httpx.AsyncClient(transport=LateTransport(opens), base_url="http://partner.example") as http:
        assert opened == []
        assert [(await http.get(path)).text for path in ("/a", "/b")] == ["/a", "/b"]
    assert [each.closed for each in opened] == [1]


async def test_what_was_never_called_is_never_opened() -> None:
    """Also not to be closed."""

    def opens() -> httpx.AsyncBaseTransport:
        raise AssertionError

    async with httpx.AsyncClient(transport=LateTransport(opens)):
        pass
