"""What one gateway process does with five times the load that it can carry: `python -m tests.bench.overload --help`.

First as much is written as fills what the gateway keeps at hand, up to its bounds. Its peak, from as many clients as are told, each
sending one write after the other, is taken before and after. In between, five times as many for half a minute, who come back when they are told to:
of a hundred requests ninety are new writes, five repeats of a known key, and five
ask for a receipt. Printed are goodput (writes done a second) beside the peak, how fast refusals are, whether a repeat or a
question after a receipt was ever refused, and the process's memory at rest before and after. The gateway has a core of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import httpx
import psutil

from tests.bench import stub
from tests.bench.contender import Place
from tests.bench.gateway import SWITCHBOARD
from tests.bench.load import Connection
from tests.bench.measure import Asker
from tests.bench.process import cpu_seconds, free_port, running, wait_until

CREATE = """mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id } receipt { id state }
    errors { code ... on RateLimited { retryAfterSeconds } ... on VendorUnavailable { retryAfterSeconds } } } }"""
RECEIPT = "query ($key: String!) { receipt(by: {idempotencyKey: $key}) { state } }"
OVERLOADED = "OVERLOADED"
LOAD_CORE, GATEWAY_CORE = 0, 1
REST = 5.0
"""In seconds: what it takes to come to rest."""


@dataclass
class Outcomes:
    """Milliseconds, by what was asked and what came of it."""

    seconds: float
    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    most_memory: int = 0
    memory_at_rest: int = 0
    cpu: float = 0.0
    """Seconds of the gateway's processor."""

    @property
    def goodput(self) -> float:
        return self.per_second("write", "done")

    @property
    def busy(self) -> float:
        return self.cpu / self.seconds

    def per_second(self, kind: str, outcome: str) -> float:
        return len(self.times.get((kind, outcome), [])) / self.seconds

    def p99(self, kind: str, outcome: str) -> float:
        times = self.times.get((kind, outcome), [])
        return quantiles(times, n=100)[98] if len(times) > 1 else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--clients", type=int, default=64, help="that bring the peak")
    parser.add_argument("--times", type=int, default=5, help="as many then")
    options = parser.parse_args()
    if (os.cpu_count() or 1) <= GATEWAY_CORE:
        sys.exit("The benchmark needs two cores: one for the load and the vendors, one for the gateway.")
    os.sched_setaffinity(0, {LOAD_CORE})
    with tempfile.TemporaryDirectory(prefix="switchboard-bench-") as folder:
        _serve(options, Path(folder))


def _serve(options: argparse.Namespace, folder: Path) -> None:
    with stub.serving(folder / "vendors", LOAD_CORE) as vendors:
        place = Place(folder, free_port(), [GATEWAY_CORE], vendors)
        headers = SWITCHBOARD.headers(place)
        url = f"http://127.0.0.1:{place.port}"
        with (
            running(SWITCHBOARD.command(place)) as process,
            httpx.Client(base_url=url, headers=headers, trust_env=False) as http,
        ):
            wait_until(Asker(http).is_ready, process)
            key = headers["authorization"].removeprefix("Bearer ")
            asyncio.run(_measure(options, url, key, process))


async def _measure(options: argparse.Namespace, url: str, key: str, process: psutil.Process) -> None:
    clients, short = options.clients, 5 + options.seconds / 3
    await _load("fill", clients, options.seconds, url, key, process)
    before = await _load("before", clients, short, url, key, process)
    flood = await _load("flood", clients * options.times, options.seconds, url, key, process)
    after = await _load("after", clients, short, url, key, process)
    _say(f"peak      {_line(before)}, before")
    _say(f"          {_line(after)}, after")
    _say(f"goodput   {_line(flood)}: {flood.goodput * 2 / (before.goodput + after.goodput):.0%} of the peak")
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
    memory = before.memory_at_rest, flood.most_memory, flood.memory_at_rest, after.memory_at_rest
    at_peak, most, at_rest, at_last = (each / 2**20 for each in memory)
    _say(
        f"memory    {at_peak:.0f} MiB after the peak, {most:.0f} in the flood, {at_rest:.0f} after it, {at_last:.0f} after the next peak"
    )


def _line(of: Outcomes) -> str:
    p99 = of.p99("write", "done")
    return f"{of.goodput:7.1f} writes/s   p99 {p99:7.1f} ms   {of.busy:.0%} of a core"


async def _load(name: str, clients: int, seconds: float, url: str, key: str, process: psutil.Process) -> Outcomes:
    """What so many clients come to; the first quarter of the time is for warming up."""
    outcomes = Outcomes(seconds * 3 / 4)
    start = time.perf_counter()
    window = start + seconds / 4, start + seconds
    await _Client(clients, Connection(url, key), name, outcomes, window).ask("write", name)
    each = [_Client(number, Connection(url, key), name, outcomes, window) for number in range(clients)]
    tasks = [asyncio.create_task(client.run()) for client in each]
    await asyncio.sleep(window[0] - time.perf_counter())
    cpu = cpu_seconds(process)
    while time.perf_counter() < window[1]:
        outcomes.most_memory = max(outcomes.most_memory, process.memory_info().rss)
        await asyncio.sleep(0.25)
    outcomes.cpu = cpu_seconds(process) - cpu
    await asyncio.gather(*tasks)
    await asyncio.sleep(REST)
    outcomes.memory_at_rest = process.memory_info().rss
    return outcomes


@dataclass
class _Client:
    """On a connection of its own; one that is told to wait waits."""

    number: int
    connection: Connection
    known: str
    outcomes: Outcomes
    window: tuple[float, float]

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
            if wait:
                self.connection.close()  # what idles for long is closed by the gateway, maybe at the very moment of asking
            await asyncio.sleep(wait)
            sent += 1
        self.connection.close()

    async def ask(self, kind: str, key: str) -> tuple[str, float]:
        """What it came to, and how long to wait."""
        answer = await self._ask(kind, key)
        if b'"SUCCEEDED"' in answer:
            return "done", 0.0
        told = json.loads(answer)["data"]["createContact"]["errors"][0]
        return told["code"], float(told.get("retryAfterSeconds") or 0.0)

    async def _ask(self, kind: str, key: str) -> bytes:
        if kind == "receipt":
            return await self.connection.ask(RECEIPT, {"key": key})
        given = {"displayName": f"Ada {key}", "emailAddresses": [f"{key}@example.com"], "idempotencyKey": key}
        return await self.connection.ask(CREATE, {"input": given})


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a report is what it is for


if __name__ == "__main__":
    main()
