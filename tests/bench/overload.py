"""What one gateway process does with five times the load that it can carry: `python -m tests.bench.overload --help`.

First its peak, from as many clients as are told, each sending one write after the other. Then five times as many for half a
minute, who come back when they are told to: of a hundred requests ninety are new writes, five repeats of a known key, and five
ask for a receipt. Printed are goodput (writes done a second) beside the peak, how fast refusals are, whether a repeat or a
question after a receipt was ever refused, and the process's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

import psutil

from tests.bench.load import read_answer
from tests.bench.served import GATEWAY, create_key, environ_of, started

CREATE = """mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } receipt { id state }
    errors { code ... on RateLimited { retryAfterSeconds } ... on VendorUnavailable { retryAfterSeconds } } } }"""
RECEIPT = "query ($key: String!) { receipt(by: {idempotencyKey: $key}) { state } }"
OVERLOADED = "OVERLOADED"


@dataclass
class Outcomes:
    """Milliseconds, by what was asked and what came of it."""

    seconds: float
    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    most_memory: int = 0

    def per_second(self, kind: str, outcome: str) -> float:
        return len(self.times.get((kind, outcome), [])) / self.seconds

    def p99(self, kind: str, outcome: str) -> float:
        times = self.times.get((kind, outcome), [])
        return quantiles(times, n=100)[98] if len(times) > 1 else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=32, help="that bring the peak")
    parser.add_argument("--times", type=int, default=5, help="as many then")
    asyncio.run(_main(parser.parse_args()))


async def _main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="switchboard-bench-") as folder:
        async with started("-m", "tests.bench.vendor", environ={}) as (_, port):
            environ = environ_of(Path(folder), port) | {"SWITCHBOARD_VENDOR_TIMEOUT": "10"}
            key = await create_key(environ)
            async with started(*GATEWAY, "serve", "--port", "0", environ=environ) as (pid, announced):
                await _measure(options, announced.split()[1], key, psutil.Process(pid))


async def _measure(options: argparse.Namespace, url: str, key: str, process: psutil.Process) -> None:
    peak = await _load(options.clients, 5 + options.seconds / 3, url, key, process)
    before = process.memory_info().rss
    flood = await _load(options.clients * options.times, options.seconds, url, key, process)
    await asyncio.sleep(5)  # what it takes to come to rest
    after = process.memory_info().rss
    goodput = flood.per_second("write", "done") / peak.per_second("write", "done")
    _say(f"peak      {peak.per_second('write', 'done'):7.1f} writes/s   p99 {peak.p99('write', 'done'):7.1f} ms")
    _say(
        f"goodput   {flood.per_second('write', 'done'):7.1f} writes/s   p99 {flood.p99('write', 'done'):7.1f} ms   {goodput:.0%} of the peak"
    )
    _say(
        f"refused   {flood.per_second('write', OVERLOADED):7.1f} writes/s   p99 {flood.p99('write', OVERLOADED):7.1f} ms"
    )
    for kind in ("replay", "receipt"):
        refused = sum(len(times) for (of, outcome), times in flood.times.items() if of == kind and outcome != "done")
        _say(
            f"{kind:9} {flood.per_second(kind, 'done'):7.1f}/s   p99 {flood.p99(kind, 'done'):7.1f} ms   {refused} refused"
        )
    others = {name: len(times) for name, times in flood.times.items() if name[1] not in ("done", OVERLOADED)}
    _say(f"others    {others}")
    _say(
        f"memory    {before / 2**20:.0f} MiB at the peak, {flood.most_memory / 2**20:.0f} in the flood, {after / 2**20:.0f} after it"
    )


async def _load(clients: int, seconds: float, url: str, key: str, process: psutil.Process) -> Outcomes:
    """What so many clients come to; the first quarter of the time is for warming up."""
    outcomes = Outcomes(seconds * 3 / 4)
    start = time.perf_counter()
    window = start + seconds / 4, start + seconds
    known = f"known-{clients}"
    first = _Client(clients, url, key, known, outcomes, window)
    await first.ask("write", known)
    tasks = [asyncio.create_task(_Client(n, url, key, known, outcomes, window).run()) for n in range(clients)]
    while time.perf_counter() < window[1]:
        outcomes.most_memory = max(outcomes.most_memory, process.memory_info().rss)
        await asyncio.sleep(0.25)
    await asyncio.gather(*tasks)
    return outcomes


@dataclass
class _Client:
    """On a connection of its own; one that is told to wait waits."""

    number: int
    url: str
    key: str
    known: str
    outcomes: Outcomes
    window: tuple[float, float]
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self) -> None:
        await asyncio.sleep(self.number * 0.005)  # nobody's clients begin in the same millisecond
        sent = 0
        while (began := time.perf_counter()) < self.window[1]:
            kind = {0: "replay", 1: "receipt"}.get((sent + self.number) % 20, "write")
            outcome, wait = await self.ask(
                kind, self.known if kind != "write" else f"{self.known}-{self.number}-{sent}"
            )
            ended = time.perf_counter()
            if self.window[0] <= began and ended <= self.window[1]:
                self.outcomes.times.setdefault((kind, outcome), []).append((ended - began) * 1000)
            await asyncio.sleep(wait)
            sent += 1

    async def ask(self, kind: str, key: str) -> tuple[str, float]:
        """What it came to, and how long to wait."""
        reader, writer = self._streams = self._streams or await self._connect()
        body = _ask(key) if kind == "receipt" else _write(key)
        head = f"POST /graphql HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {self.key}\r\n"
        writer.write(f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode())
        answer = await read_answer(reader)
        if b'"SUCCEEDED"' in answer:
            return "done", 0.0
        told = json.loads(answer)["data"]["createContact"]["errors"][0]
        return told["code"], float(told.get("retryAfterSeconds") or 0.0)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.url)
        return await asyncio.open_connection(parts.hostname, parts.port)


def _write(key: str) -> str:
    given = {"displayName": f"Ada {key}", "emailAddresses": [f"{key}@example.com"], "idempotencyKey": key}
    return json.dumps({"query": CREATE, "variables": {"input": given}})


def _ask(key: str) -> str:
    return json.dumps({"query": RECEIPT, "variables": {"key": key}})


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a report is what it is for


if __name__ == "__main__":
    main()
