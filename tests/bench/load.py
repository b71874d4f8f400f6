"""Clients that each send one mutation after the other on a kept connection, and note how long each took."""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
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


async def _client(number: int, url: str, key: str, window: tuple[float, float], times: list[float]) -> int:
    """How many it sent."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    head = (
        f"POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
    )
    sent = 0
    while (began := time.perf_counter()) < window[1]:
        body = _body(f"c{number}-{sent}-{began:.6f}")
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        answer = await read_answer(reader)
        ended = time.perf_counter()
        if b'"SUCCEEDED"' not in answer:
            raise RuntimeError(answer.decode())
        if window[0] <= began and ended <= window[1]:
            times.append((ended - began) * 1000)
        sent += 1
    writer.close()
    return sent


def _body(unique: str) -> str:
    given = {"displayName": f"Ada {unique}", "emailAddresses": [f"{unique}@example.com"], "idempotencyKey": unique}
    return json.dumps({"query": CREATE, "variables": {"input": given}})


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    """The body of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(length)
