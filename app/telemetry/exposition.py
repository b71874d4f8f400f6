"""GET /metrics: all workers' metrics in Prometheus' text format, and what the ledger holds open."""

from __future__ import annotations

import asyncio
import hmac
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Metric, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.telemetry.backlog import Backlog

Census = Callable[[], Awaitable[Mapping[str, int] | None]]
"""How many writes are open, by their state; None where that can't be told."""

FRESH_SECONDS = 1.0
"""How long an answer is used again: whoever asks too often costs next to nothing."""


class Exposition:
    """Answers scrapes. `folder` is where the workers' metrics meet, if there are several."""

    def __init__(
        self,
        registry: Backlog,
        census: Census,
        *,
        folder: Path | None = None,
        key: SecretStr | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._census = census
        self._folder = folder
        self._key = key
        self._clock = clock
        self._made = -FRESH_SECONDS
        self._text = b""
        self._making = asyncio.Lock()
        if folder is None:
            ProcessCollector(registry=registry)

    async def get(self, request: Request) -> Response:
        """Prometheus' text format 0.0.4; 401 for whoever lacks the key, where there is one."""
        if not self._lets_in(request.headers.get("authorization", "")):
            headers = {"www-authenticate": "Bearer", "cache-control": "no-store"}
            return PlainTextResponse("Send the key: Authorization: Bearer ….\n", 401, headers)
        async with self._making:
            if self._clock() - self._made >= FRESH_SECONDS:
                self._text, self._made = await self._make(), self._clock()
        return Response(self._text, headers={"content-type": CONTENT_TYPE_PLAIN_0_0_4, "cache-control": "no-store"})

    def _lets_in(self, authorization: str) -> bool:
        if self._key is None:
            return True
        scheme, _, presented = authorization.partition(" ")
        wanted = self._key.get_secret_value()
        return scheme.lower() == "bearer" and hmac.compare_digest(presented.strip().encode(), wanted.encode())

    async def _make(self) -> bytes:
        ledger = _Ledger(await self._census())
        self._registry.settle()
        sources: list[Collector] = [ledger, self._registry if self._folder is None else _Workers(self._folder)]
        return generate_latest(_All(sources))


class _All(Collector):
    def __init__(self, sources: Iterable[Collector]) -> None:
        self._sources = sources

    def collect(self) -> Iterator[Metric]:
        for source in self._sources:
            yield from source.collect()


class _Ledger(Collector):
    """Writes that are not final, by state. The final ones are not counted: they are many, and only ever more."""

    def __init__(self, counts: Mapping[str, int] | None) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        metric = GaugeMetricFamily("ledger_writes", "Writes that are not final, by state.", labels=("state",))
        for state, count in (self._counts or {}).items():
            metric.add_metric((state,), count)
        yield metric


class _Workers(Collector):
    """What all workers have counted in the files of their folder; of gauges only what the living say."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterator[Metric]:
        living = {number for number in self._numbers() if _lives(number)}
        for dead in self._numbers() - living:
            mark_process_dead(dead, str(self._folder))  # type: ignore[no-untyped-call]  # the library's
        yield from MultiProcessCollector(None, str(self._folder)).collect()  # type: ignore[no-untyped-call]  # the library's
        yield from _processes(living)

    def _numbers(self) -> set[int]:
        endings = (file.stem.rpartition("_")[2] for file in self._folder.glob("*.db"))
        return {int(each) for each in endings if each.isdigit()}


def _processes(numbers: Iterable[int]) -> Iterator[Metric]:
    """Each worker's process metrics, told apart by `pid`."""
    metrics: dict[str, Metric] = {}
    for number in sorted(numbers):
        for each in ProcessCollector(pid=lambda pid=number: pid, registry=None).collect():  # type: ignore[misc]  # bound
            metric = metrics.setdefault(each.name, Metric(each.name, each.documentation, each.type))
            for sample in each.samples:
                metric.add_sample(sample.name, {"pid": str(number)}, sample.value)
    yield from metrics.values()


def _lives(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
