"""What is written on the wire: one request, whole, and nothing that a path, a query or a header could smuggle in."""

from __future__ import annotations

import httpx
import pytest

from app.transport.client import Client
from app.transport.seam import Request
from app.transport.tls import open_tls
from tests.transport.server import OK, answering, ask, calling, serving

KEY = {"accept": "application/json", "x-api-key": "a key"}


async def test_a_read_is_written_so() -> None:
    """Every byte of it."""
    async with serving(answering(OK)) as server, calling(server, KEY) as client:
        await ask(client, Request("GET", "/contacts/a%2Fb", {"limit": 5, "pageToken": "a b&c=\r\nd"}))
        assert server.requests == [
            b"GET /contacts/a%2Fb?limit=5&pageToken=a+b%26c%3D%0D%0Ad HTTP/1.1\r\n"
            + b"host: 127.0.0.1:%d\r\n" % server.port
            + b"accept: application/json\r\nx-api-key: a key\r\nconnection: keep-alive\r\n\r\n"
        ]


async def test_a_write_is_written_so() -> None:
    """Head and body, with the body's length in bytes."""
    async with serving(answering(OK)) as server, calling(server) as client:
        await ask(client, Request("POST", "/contacts", content='{"name":"Zoë"}'.encode()))
        assert server.requests == [
            b"POST /contacts HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nconnection: keep-alive\r\n"
            b'content-type: application/json\r\ncontent-length: 15\r\n\r\n{"name":"Zo\xc3\xab"}' % server.port
        ]


@pytest.mark.parametrize("content", [None, b""])
async def test_a_write_without_a_body_says_so(content: bytes | None) -> None:
    """RFC 9110, section 8.6: a POST without content has a length of 0."""
    async with serving(answering(OK)) as server, calling(server) as client:
        await ask(client, Request("POST", "/contacts", content=content))
        assert server.requests[0].endswith(b"connection: keep-alive\r\ncontent-length: 0\r\n\r\n")


async def test_the_path_of_the_address_comes_first() -> None:
    """A vendor may be behind a prefix."""
    async with serving(answering(OK)) as server:
        client = Client(f"http://127.0.0.1:{server.port}/bird/v1/", {}, open_tls, connect_seconds=5)
        await ask(client, Request("GET", "/contacts"))
        await client.close()
        assert server.requests[0].startswith(b"GET /bird/v1/contacts HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET /evil HTTP/1.1\r\nx:", "/"),
        ("", "/"),
        ("GET", ""),
        ("GET", "contacts"),
        ("GET", "http://elsewhere/"),
        ("GET", "/contacts\r\nx: y"),
        ("GET", "/contacts HTTP/1.1"),
        ("GET", "/contacts\t"),
        ("GET", "/contacts\0"),
        ("GET", "/contacts#fragment"),
        ("GET", "/contacts/zoë"),
        ("GET", "/contacts/../keys"),
        ("GET", "/contacts/.."),
        ("GET", "/contacts/./x"),
        ("GET", "/contacts/..?limit=1"),
    ],
)
async def test_a_request_that_would_be_another_is_never_sent(method: str, path: str) -> None:
    """It is refused before a connection is made, and the error shows nothing of it."""
    async with serving(answering(OK)) as server, calling(server) as client:
        with pytest.raises(httpx.LocalProtocolError) as refused:
            await ask(client, Request(method, path))
        assert (server.connections, str(refused.value)) == (0, "a method or path that can't be sent")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-api-key", "secret\r\nx: y"),
        ("x-api-key", "secret\n"),
        ("x-api-key", "secret\0"),
        ("x-api-key", " secret"),
        ("x-api-key", "secret "),
        ("x-api-key", "geheimß"),
        ("x-api-key", ""),
        ("x api key", "secret"),
        ("x-api-key:", "secret"),
        ("", "secret"),
    ],
)
def test_a_header_that_would_be_more_than_one_is_refused(name: str, value: str) -> None:
    """The error shows neither the name nor the value."""
    with pytest.raises(httpx.LocalProtocolError) as refused:
        Client("http://127.0.0.1:1", {name: value}, open_tls, connect_seconds=5)
    assert str(refused.value) == "a header that can't be sent"


def test_a_key_is_in_no_repr() -> None:
    """Neither of a client nor of what it holds."""
    client = Client("http://127.0.0.1:1", {"x-api-key": "the-secret"}, open_tls, connect_seconds=5)
    assert "the-secret" not in repr(client)
