"""Partners' hosts are looked up apart: what hangs there keeps nothing else waiting."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Event, current_thread
from typing import Any

import httpx
import pytest

from app.transport.apart import ApartTransport

DEAD = "dead.partner.example"
MANY = 64
"""More than an event loop has threads for look-ups."""
PATIENCE = 20.0


class Names:
    """Answers look-ups: of what is below DEAD never, of `there` with an address where nobody listens and then one where
    somebody does, of all else as the system does.
    """

    there = "there.partner.example"

    def __init__(self) -> None:
        self.end = Event()
        self.asked: list[str] = []
        self.are_waited_for: list[bool] = []
        self._system = socket.getaddrinfo

    def look_up(self, host: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name == self.there:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 0)) for each in ("127.0.0.2", "127.0.0.1")]
        if not str(name).endswith(DEAD):
            return self._system(host, *rest, **more)
        self.asked.append(name)
        self.are_waited_for.append(not current_thread().daemon)
        self.end.wait()
        raise socket.gaierror


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Iterator[Names]:
    answering = Names()
    monkeypatch.setattr(socket, "getaddrinfo", answering.look_up)
    yield answering
    answering.end.set()


async def test_a_host_whose_look_up_hangs_keeps_nobody_else_waiting(names: Names) -> None:
    """Neither other partners nor what the event loop itself looks up, as for vendors; nor the end, which waits for no thread."""
    async with _client() as http, _partner() as port, asyncio.timeout(PATIENCE):
        waiting = [asyncio.create_task(http.get(f"https://{each}.{DEAD}/")) for each in range(MANY - 1)]
        while len(names.asked) < MANY - 1:  # noqa: ASYNC110  # threads ask
            await asyncio.sleep(0.01)
        assert (await http.get(f"http://localhost:{port}/")).status_code == 204
        assert await asyncio.get_running_loop().getaddrinfo("localhost", port)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert not any(names.are_waited_for)


async def test_a_host_is_looked_up_once_for_all_who_wait(names: Names) -> None:
    """However many callbacks go there, and when some have given up; once it is told that there is no address, all are."""
    async with _client() as http, asyncio.timeout(PATIENCE):
        waiting = [asyncio.create_task(http.get(f"https://{DEAD}/")) for _ in range(MANY)]
        while not names.asked:  # noqa: ASYNC110  # a thread asks
            await asyncio.sleep(0.01)
        waiting.pop().cancel()
        names.end.set()
        failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in failures} == {httpx.ConnectError}
    assert names.asked == [DEAD]


async def test_more_hosts_than_may_be_looked_up_at_a_time_are_refused(names: Names) -> None:
    """They are tried later, as whatever goes wrong with a callback."""
    async with _client() as http, asyncio.timeout(PATIENCE):
        waiting = [asyncio.create_task(http.get(f"https://{each}.{DEAD}/")) for each in range(MANY)]
        while len(names.asked) < MANY:  # noqa: ASYNC110  # threads ask
            await asyncio.sleep(0.01)
        with pytest.raises(httpx.ConnectError):
            await http.get("https://another.partner.example/")
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_host_is_called_by_its_name_at_the_first_address_that_answers(names: Names) -> None:
    """`Host` is the name; an address where nobody listens is passed over."""
    got: list[bytes] = []
    async with _client() as http, _partner(got) as port, asyncio.timeout(PATIENCE):
        assert (await http.get(f"http://{names.there}:{port}/")).status_code == 204
    assert f"Host: {names.there}:{port}\r\n".encode() in got[0]


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=ApartTransport(httpx.Limits()), timeout=PATIENCE)


@asynccontextmanager
async def _partner(got: list[bytes] | None = None) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if got is not None:
            got.append(head)
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]
