"""What one gateway process does with five times the load that it can carry: `python -m tests.bench.overload --help`.

First its peak: clients that send one write after the other, as many as bring most. Then arrivals at a multiple of that rate,
whatever becomes of them, for half a minute: of a hundred requests ninety are new writes, five repeats of a known key, and five
ask for a receipt. Printed are goodput (writes done a second) beside the peak, how fast refusals are, whether a repeat or a
question after a receipt was ever refused, and the process's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import psutil

from tests.bench.ledger import GATEWAY, _environ, _key, _started
from tests.bench.load import CREATE, measure

RECEIPT = "query ($key: String!) { receipt(by: {idempotencyKey: $key}) { state } }"
CONNECTIONS = 2000


@dataclass
class Outcomes:
    """Milliseconds by what was asked and what came of it."""

    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def note(self, kind: str, outcome: str, milliseconds: float) -> None:
        self.times.setdefault((kind, outcome), []).append(milliseconds)

    def count(self, kind: str, outcome: str) -> int:
        return len(self.times.get((kind, outcome), []))

    def p99(self, kind: str, outcome: str) -> float:
        times = self.times.get((kind, outcome), [])
        return quantiles(times, n=100)[98] if len(times) > 1 else 0.0


class Connections:
    """Kept connections to the gateway; one more is opened where none is idle."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname, parts.port
        self._head = (
            f"POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n"
        )
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.open = 0

    async def ask(self, body: str) -> bytes:
        reader, writer = self._idle.pop() if self._idle else await self._connect()
        writer.write(f"{self._head}content-length: {len(body)}\r\n\r\n{body}".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        answer = await reader.readexactly(length)
        self._idle.append((reader, writer))
        return answer

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.open += 1
        return await asyncio.open_connection(*self._address)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--times", type=float, default=5.0, help="the peak")
    parser.add_argument("--clients", type=int, default=32, help="that look for the peak")
    asyncio.run(_main(parser.parse_args()))


async def _main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="switchboard-bench-") as folder:
        async with _started("-m", "tests.bench.vendor", environ={}) as (_, port):
            environ = _environ(Path(folder), port) | {"SWITCHBOARD_VENDOR_TIMEOUT": "10"}
            key = await _key(environ)
            async with _started(*GATEWAY, "serve", "--port", "0", environ=environ) as (pid, announced):
                await _measure(options, announced.split()[1], key, psutil.Process(pid))


async def _measure(options: argparse.Namespace, url: str, key: str, process: psutil.Process) -> None:
    peak = await measure(url, key, process.pid, clients=options.clients, warm_up=3, seconds=10)
    before = process.memory_info().rss / 2**20
    _say(f"peak      {peak.per_second:7.1f} writes/s   p99 {peak.p99:6.1f} ms   {before:5.0f} MiB")
    connections = Connections(url, key)
    known = [f"known-{n}" for n in range(20)]
    for each in known:
        await connections.ask(_write(each))
    outcomes = Outcomes()
    began = time.perf_counter()
    most = await _arrive(options.times * peak.per_second, options.seconds, connections, known, outcomes, process)
    took = time.perf_counter() - began
    goodput = outcomes.count("write", "done") / took
    await asyncio.sleep(5)
    after = process.memory_info().rss / 2**20
    connections.close()
    _say(f"goodput   {goodput:7.1f} writes/s   {goodput / peak.per_second:6.1%} of the peak")
    _say(f"refused   {outcomes.count('write', 'OVERLOADED'):7} writes     p99 {outcomes.p99('write', 'OVERLOADED'):6.1f} ms")
    for kind in ("replay", "receipt"):
        counts = {outcome: len(times) for (of, outcome), times in outcomes.times.items() if of == kind}
        _say(f"{kind:9} {counts}   p99 {outcomes.p99(kind, 'done'):6.1f} ms")
    others = Counter({name: len(times) for name, times in outcomes.times.items() if name[1] not in ("done", "OVERLOADED")})
    _say(f"others    {dict(others)}")
    _say(f"memory    {before:.0f} MiB before, {most:.0f} at most, {after:.0f} after; {connections.open} connections")


async def _arrive(
    rate: float,
    seconds: float,
    connections: Connections,
    known: list[str],
    outcomes: Outcomes,
    process: psutil.Process,
) -> float:
    """Requests at this rate, whatever becomes of them; the most memory that the process had meanwhile, in MiB."""
    loop = asyncio.get_running_loop()
    start, sent, most = loop.time(), 0, 0.0
    under_way: set[asyncio.Task[None]] = set()
    while (now := loop.time()) < start + seconds:
        while sent < (now - start) * rate:
            task = asyncio.create_task(_one(sent, connections, known, outcomes))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            sent += 1
        most = max(most, process.memory_info().rss / 2**20)
        await asyncio.sleep(0.005)
    if under_way:
        await asyncio.wait(under_way, timeout=20)
    for task in under_way:
        outcomes.note("any", "unanswered", 0.0)
        task.cancel()
    return most


async def _one(number: int, connections: Connections, known: list[str], outcomes: Outcomes) -> None:
    kind = {0: "replay", 1: "receipt"}.get(number % 20, "write")
    if connections.open >= CONNECTIONS:
        outcomes.note(kind, "not sent: too many connections", 0.0)
        return
    key = known[number % len(known)] if kind != "write" else f"w{number}"
    body = _ask(key) if kind == "receipt" else _write(key)
    began = time.perf_counter()
    try:
        answer = await connections.ask(body)
    except (OSError, asyncio.IncompleteReadError):
        outcomes.note(kind, "broken", 0.0)
        return
    outcome = "done" if b'"SUCCEEDED"' in answer else json.loads(answer)["data"]["createContact"]["errors"][0]["code"]
    outcomes.note(kind, outcome, (time.perf_counter() - began) * 1000)


def _write(key: str) -> str:
    given = {"displayName": f"Ada {key}", "emailAddresses": [f"{key}@example.com"], "idempotencyKey": key}
    return json.dumps({"query": CREATE, "variables": {"input": given}})


def _ask(key: str) -> str:
    return json.dumps({"query": RECEIPT, "variables": {"key": key}})


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a report is what it is for


if __name__ == "__main__":
    main()
