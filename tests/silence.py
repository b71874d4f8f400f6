"""A server that is lost without a word: what is connected to it hears nothing any more, and is not told so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field

from sqlalchemy.engine import URL


@dataclass
class Silence:
    """Passes on what goes to and from a PostgreSQL; `url` leads through it."""

    url: URL
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while connections that are opened are heard. Those that were open when it fell are not heard again."""
    left: int | None = None
    """How many parts still pass, either way, before it falls by itself, also for new connections; None for any number."""

    def fall(self, *, also_new: bool = False) -> None:
        """From now on nothing passes on the connections there are, and with `also_new` on none until `end`."""
        self.heard.clear()
        self.heard = asyncio.Event()
        if not also_new:
            self.end()

    def end(self) -> None:
        """New connections are heard again."""
        self.heard.set()

    def count(self) -> None:
        """A part is to pass."""
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.fall(also_new=True)


@asynccontextmanager
async def before(cluster: URL) -> AsyncIterator[Silence]:
    """The way to a PostgreSQL on a socket in a folder."""
    folder = cluster.query["host"]

    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        heard = silence.heard
        with closing(writer), suppress(OSError, asyncio.CancelledError):
            await heard.wait()
            there, back = await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.5432")
            with closing(back):
                await asyncio.gather(_pass(reader, back, silence, heard), _pass(there, writer, silence, heard))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    silence = Silence(cluster.difference_update_query(["host"]).set(host="127.0.0.1", port=port))
    silence.end()
    try:
        yield silence
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, silence: Silence, heard: asyncio.Event
) -> None:
    try:
        while part := await reader.read(65536):
            silence.count()
            await heard.wait()
            writer.write(part)
            await writer.drain()
    finally:
        writer.close()
