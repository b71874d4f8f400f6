"""The HTTP client's errors: each has a reason of its own, and says whether the request may have left."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import httpx
import pytest

from app.call import Call, CallFailed, Reason
from app.failures import REASONS, translate
from app.rest import Rest
from app.transport.through_httpx import ThroughHttpx
from app.vendors.bird import SPEC

NEW_CONTACT = Call("POST", "/contacts")
ROOTS = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, httpx.CookieConflict)
EXPECTED = {
    httpx.ConnectError: Reason.NOT_REACHED,
    httpx.ConnectTimeout: Reason.NOT_REACHED,
    httpx.PoolTimeout: Reason.NOT_REACHED,
    httpx.ReadTimeout: Reason.TOO_SLOW,
    TimeoutError: Reason.TOO_SLOW,
    httpx.ReadError: Reason.BROKE_OFF,
    httpx.RemoteProtocolError: Reason.BROKE_OFF,
    httpx.UnsupportedProtocol: Reason.NOT_CALLED,
}


def httpx_errors() -> set[type[Exception]]:
    """Every exception class in the namespace of httpx."""
    classes = {each for _, each in inspect.getmembers(httpx, inspect.isclass)}
    return {each for each in classes if issubclass(each, Exception)}


def error(kind: type[Exception]) -> Exception:
    if kind is httpx.HTTPStatusError:
        request = httpx.Request("GET", "http://vendor")
        return httpx.HTTPStatusError("", request=request, response=httpx.Response(500))
    return (
        kind()
        if kind in (httpx.StreamConsumed, httpx.StreamClosed, httpx.ResponseNotRead, httpx.RequestNotRead)
        else kind("")
    )


def test_every_error_of_httpx_has_an_entry_of_its_own_and_no_entry_is_without_an_error() -> None:
    """A new version of httpx with a new error, or a forgotten one, fails here."""
    assert set(REASONS) == httpx_errors() | {TimeoutError}


def test_every_error_of_httpx_is_caught_where_calls_are_made() -> None:
    """The four roots that a call catches cover the whole namespace."""
    assert [each for each in httpx_errors() if not issubclass(each, ROOTS)] == []


@pytest.mark.parametrize("kind", sorted(REASONS, key=str))
def test_an_error_is_translated_by_its_own_entry(kind: type[Exception]) -> None:
    """Not by that of a relative."""
    assert translate(error(kind)) is REASONS[kind]
    assert REASONS[kind] is EXPECTED.get(kind, REASONS[kind])


@pytest.mark.parametrize("kind", sorted(REASONS, key=str))
async def test_a_call_that_fails_says_whether_it_may_have_left(kind: type[Exception]) -> None:
    """Only an error that comes before the first byte is a proof that nothing was sent; any other leaves doubt."""
    unsent = {
        httpx.ConnectError,
        httpx.ConnectTimeout,
        httpx.PoolTimeout,
        httpx.UnsupportedProtocol,
        httpx.InvalidURL,
    }

    def fail(_: httpx.Request) -> httpx.Response:
        raise error(kind)

    async with _client(fail) as http:
        with pytest.raises(CallFailed) as failed:
            await Rest(SPEC.vendor, ThroughHttpx(http), SPEC.complaint, timeout=5).exchange(NEW_CONTACT)
    assert (failed.value.reason, failed.value.sent) == (REASONS[kind], kind not in unsent)
    assert failed.value.__cause__ is None
    assert str(failed.value) == REASONS[kind].value


@pytest.mark.parametrize(
    ("event", "kind", "sent"),
    [
        ("connection.connect_tcp.started", httpx.ReadError, False),
        ("http11.send_request_headers.started", httpx.ReadError, True),
        ("http11.send_request_headers.started", httpx.ConnectError, False),
        ("http11.send_request_headers.started", httpx.ConnectTimeout, False),
    ],
)
async def test_the_first_byte_decides(event: str, kind: type[httpx.TransportError], *, sent: bool) -> None:
    """An error before the request's first byte leaves nothing in doubt, the same error after it does, unless it is the lack of
    a connection on which that byte could have left.
    """

    class Traced(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await request.extensions["trace"](event, {})
            raise kind("")

    async with httpx.AsyncClient(transport=Traced(), base_url="http://vendor") as http:
        with pytest.raises(CallFailed) as failed:
            await Rest(SPEC.vendor, ThroughHttpx(http), SPEC.complaint, timeout=5).exchange(NEW_CONTACT)
    assert failed.value.sent is sent


def _client(handle: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(handle), base_url="http://vendor")
