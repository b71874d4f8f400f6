"""One round of load on one contender: what it answered, and what that cost its processes."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.bench.process import Failed, cpu_seconds
from tests.bench.stub import Stub
from tests.bench.workloads import Variables, Workload, body, leaves

SAMPLES = 16
SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Round:
    """What one round came to; p50 and p99 in milliseconds, CPU in seconds, `calls` to the vendors per request."""

    requests: int
    seconds: float
    cpu: float
    p50: float
    p99: float
    wrong: int
    calls: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.requests / self.cpu if self.cpu else 0.0


@dataclass(frozen=True)
class Asker:
    """Asks a contender one question after the other."""

    http: httpx.Client

    def ask(self, query: str, variables: Variables) -> tuple[Any, int]:
        """The answer's `data`, and the size of the whole in bytes. Raises Failed where there are errors."""
        content = body(query, variables)
        answer = self.http.post("/graphql", content=content, headers={"content-type": "application/json"})
        parsed = answer.json()
        if answer.status_code != 200 or parsed.get("errors"):
            raise Failed(f"{answer.status_code}: {json.dumps(parsed)[:400]}")
        return parsed["data"], len(answer.content)

    def is_ready(self) -> bool:
        """Whether it answers any question at all."""
        try:
            return self.http.post("/graphql", json={"query": "{ __typename }"}).status_code == 200
        except httpx.TransportError:
            return False


@dataclass(frozen=True)
class Target:
    """A contender that is under load: its process, its vendors, and where the load runs."""

    process: psutil.Process
    asker: Asker
    vendors: Stub
    folder: Path
    core: int

    def check(self, workload: Workload, step: int = 1) -> int:
        """Asks everything once, or every so manieth, and compares every leaf. The size of an answer in bytes. Raises Failed."""
        sizes = {self._checked(workload, index) for index in range(0, len(workload.variables), step)}
        if len(sizes) != 1:
            raise Failed(f"{workload.name}: answers of different sizes: {sorted(sizes)}")
        return sizes.pop()

    def measure(self, workload: Workload, clients: int, seconds: float) -> Round:
        """A round between two checks of a sample of its answers. Raises Failed where one is wrong."""
        step = max(1, len(workload.variables) // SAMPLES)
        size = self.check(workload, step)
        found = self.load(workload, clients, seconds, size)
        self.check(workload, step)
        return found

    def load(self, workload: Workload, clients: int, seconds: float, size: int) -> Round:
        """A round in which every answer must have this size in bytes."""
        calls, cpu = self.vendors.requests(), cpu_seconds(self.process)
        requests, took, p50, p99, wrong = self._wrk(workload, clients, seconds, size)
        cpu = cpu_seconds(self.process) - cpu
        calls = self.vendors.requests() - calls - 1  # but for this question itself
        return Round(requests, took, cpu, p50, p99, wrong, calls / max(requests, 1))

    def _checked(self, workload: Workload, index: int) -> int:
        data, size = self.asker.ask(workload.query, workload.variables[index])
        got, expected = [*leaves(data), *workload.unasked], list(workload.expected[index])
        if got != expected:
            odd = [pair for pair in zip(got, expected, strict=False) if pair[0] != pair[1]]
            raise Failed(f"{workload.name}: {len(got)} leaves for {len(expected)}: {odd[:3]}")
        return size

    def _wrk(self, workload: Workload, clients: int, seconds: float, size: int) -> tuple[int, float, float, float, int]:
        """Requests, seconds, p50 and p99 in milliseconds, and how many answers were wrong."""
        bodies = self.folder / f"{workload.name}.jsonl"
        bodies.write_text("".join(f"{body(workload.query, each)}\n" for each in workload.variables), "utf-8")
        words = ["taskset", "-c", str(self.core), "wrk", "-t1", f"-c{clients}", f"-d{seconds:.0f}s", "--timeout", "30s"]
        key = self.asker.http.headers.get("authorization")
        words += ["-s", str(SCRIPT), *(["-H", f"authorization: {key}"] if key else []), str(self.asker.http.base_url)]
        environ = {"PATH": os.environ["PATH"], "BODIES": str(bodies), "SIZE": str(size)}
        done = subprocess.run(  # noqa: S603  # Debian's wrk
            words, env=environ, capture_output=True, text=True, timeout=seconds + 60, check=False
        )
        found = next((line for line in done.stdout.splitlines() if line.startswith("RESULT ")), None)
        if found is None:
            raise Failed(f"wrk: {done.stdout}{done.stderr}")
        requests, micros, p50, p99, wrong = found.split()[1:]
        return int(requests), int(micros) / 1e6, float(p50) / 1000, float(p99) / 1000, int(wrong)
