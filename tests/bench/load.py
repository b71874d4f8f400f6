"""Clients that each send one mutation after the other on a kept connection, and note how long each took."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

CREATE = """mutation ($input: CreateContactInput!) { createContact(input: $input) {
    contact { id } receipt { id state } errors { code message } } }"""


@dataclass
class Figures:
    """What one round came to; times in milliseconds."""

    seconds: float
    times: list[float] = field(repr=False)
    cpu: float
    """What the gateway's process spent on each mutation: unlike the rest it hardly depends on what else the machine does."""

    @property
    def per_second(self) -> float:
        return len(self.times) / self.seconds

    @property
    def p50(self) -> float:
        return median(self.times)

    @property
    def p99(self) -> float:
        return quantiles(self.times, n=100)[98]


async def measure(url: str, key: str, pid: int, *, clients: int, warm_up: float, seconds: float) -> Figures:
    """Only what began after the warm-up and ended in time counts. Raises RuntimeError if a mutation did not succeed."""
    start = time.perf_counter() + warm_up
    end = start + seconds
    times: list[float] = []
    before = _cpu(pid)
    sent = await asyncio.gather(*(_client(n, url, key, (start, end), times) for n in range(clients)))
    if len(times) < 2:
        raise RuntimeError("Nothing was answered in time: give it more seconds.")
    return Figures(seconds, times, (_cpu(pid) - before) / sum(sent))


def _cpu(pid: int) -> float:
    """Milliseconds of CPU that a process has used, its threads included (proc_pid_stat(5))."""
    user, system = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


@dataclass
class Connection:
    """A kept connection to a gateway, for one question at a time: what it costs is little, so that the gateway is measured."""

    url: str
    key: str
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    async def ask(self, query: str, variables: Mapping[str, Any], headers: str = "") -> bytes:
        """The body of the answer. `headers` are more of them, each with its end of line. Raises OSError or EOFError."""
        reader, writer = self._streams = self._streams or await self._connect()
        body = json.dumps({"query": query, "variables": variables}).encode()
        head = f"POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {self.key}\r\n{headers}"
        writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)
        return await _answer(reader)

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.url)
        return await asyncio.open_connection(parts.hostname, parts.port)


async def _client(number: int, url: str, key: str, window: tuple[float, float], times: list[float]) -> int:
    """How many it sent."""
    connection = Connection(url, key)
    sent = 0
    while (began := time.perf_counter()) < window[1]:
        answer = await connection.ask(CREATE, _variables(f"c{number}-{sent}-{began:.6f}"))
        ended = time.perf_counter()
        if b'"SUCCEEDED"' not in answer:
            raise RuntimeError(answer.decode())
        if window[0] <= began and ended <= window[1]:
            times.append((ended - began) * 1000)
        sent += 1
    connection.close()
    return sent


def _variables(unique: str) -> Mapping[str, Any]:
    given = {"displayName": f"Ada {unique}", "emailAddresses": [f"{unique}@example.com"], "idempotencyKey": unique}
    return {"input": given}


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(length)
