"""A vendor that answers every createContact at once: what is measured is the gateway, not this.

A process of its own: `python -m tests.bench.vendor` prints its port, and serves until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import uuid


class _Bird(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, on kept connections; no more of it than the gateway uses."""

    transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        if end and len(body) >= length:
            self._received = b""
            self.transport.write(_answer(json.loads(body)["displayName"]))


def _answer(name: str) -> bytes:
    body = json.dumps({"id": str(uuid.uuid4()), "computedDisplayName": name, "attributes": {"displayName": name}})
    return (
        f"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()
    )


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Bird, "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  # whoever started it reads it
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve())
