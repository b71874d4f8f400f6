"""What is measured: a process that answers the workloads at a port."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import world
from tests.bench.measure import Asker
from tests.bench.process import Command
from tests.bench.stub import Stub
from tests.bench.workloads import Workload

Cursors = Sequence[str | None]


@dataclass(frozen=True)
class Place:
    """Where a contender runs: its own folder, its port, its cores, and the vendors that it calls."""

    home: Path
    port: int
    cores: Sequence[int]
    stub: Stub


def plain_cursors(_: Asker) -> Cursors:
    """Where a page of contacts is named as the vendor names it."""
    return [None, *(f"p{page}" for page in range(1, world.PAGES))]


@dataclass(frozen=True)
class Contender:
    """`command` may prepare files and raises Failed where it can't be had; `prepare` fills its memory once it answers."""

    name: str
    command: Callable[[Place], Command]
    headers: Callable[[Place], Mapping[str, str]] = lambda _: {}
    prepare: Callable[[Asker], Cursors] = plain_cursors
    translate: Callable[[Workload], Workload] = lambda workload: workload
