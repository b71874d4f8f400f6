"""What the rounds came to: medians, ratios to each peer, and the machine and versions that they hold for."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.measure import Round
from tests.bench.workloads import Workload

OWN = "switchboard"


@dataclass
class Figures:
    """What is known of one contender. Start-up in seconds, memory in megabytes after all rounds."""

    start: float = 0.0
    rss: float = 0.0
    pss: float = 0.0
    rounds: dict[str, list[Round]] = field(default_factory=dict)

    def summary(self, workload: str) -> dict[str, float]:
        """The median of every figure over the rounds."""
        rounds = self.rounds[workload]
        return {
            "perSecond": round(median(each.per_second for each in rounds), 1),
            "perCpuSecond": round(median(each.per_cpu_second for each in rounds), 1),
            "cpuMs": round(median(each.cpu / max(each.requests, 1) for each in rounds) * 1000, 3),
            "p50Ms": round(median(each.p50 for each in rounds), 2),
            "p99Ms": round(median(each.p99 for each in rounds), 2),
            "calls": round(median(each.calls for each in rounds), 2),
            "wrong": sum(each.wrong for each in rounds),
            "rounds": len(rounds),
        }


@dataclass
class Report:
    """All contenders' figures, and why the missing ones are missing."""

    workloads: Sequence[Workload]
    seconds: float
    figures: dict[str, Figures] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    growth: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    def table(self) -> str:
        """Every workload with every contender, and this gateway's ratio to each in requests per CPU-second."""
        lines: list[str] = []
        for workload in (each for each in self.workloads if self._measured(each.name)):
            lines += ["", f"{workload.title}, {workload.clients} clients, {workload.calls} calls upstream"]
            lines.append(f"{'':28}{'req/s':>9}{'req/CPU s':>11}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'calls':>7}")
            lines += [self._line(name, workload.name) for name in self._measured(workload.name)]
        lines += ["", f"{'':28}{'start s':>9}{'RSS MB':>9}{'PSS MB':>9}"]
        lines += [f"{name:28}{f.start:9.2f}{f.rss:9.0f}{f.pss:9.0f}" for name, f in self.figures.items()]
        for what, rows in self.growth.items():
            lines += ["", f"growth with {what}", *(" ".join(f"{k} {v:g}" for k, v in row.items()) for row in rows)]
        return "\n".join([*lines, *(f"missing: {name}: {why}" for name, why in self.missing.items())])

    def write(self, file: Path, command: str) -> None:
        """The same as JSON."""
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(self.content(command), indent=2, ensure_ascii=False) + "\n", "utf-8")

    def content(self, command: str) -> Mapping[str, Any]:
        return {
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "command": command,
            "machine": machine(),
            "roundSeconds": self.seconds,
            "workloads": {each.name: self._workload(each) for each in self.workloads},
            "processes": {
                name: {"startSeconds": round(f.start, 2), "rssMb": round(f.rss, 1), "pssMb": round(f.pss, 1)}
                for name, f in self.figures.items()
            },
            "growth": self.growth,
            "missing": self.missing,
        }

    def _workload(self, workload: Workload) -> Mapping[str, Any]:
        names = self._measured(workload.name)
        return {
            "title": workload.title,
            "clients": workload.clients,
            "calls": workload.calls,
            "contenders": {name: self.figures[name].summary(workload.name) for name in names},
            "ratios": {name: self._ratio(name, workload.name) for name in names if name != OWN},
        }

    def _measured(self, workload: str) -> list[str]:
        return [name for name, figures in self.figures.items() if figures.rounds.get(workload)]

    def _line(self, name: str, workload: str) -> str:
        found = self.figures[name].summary(workload)
        ratio = self._ratio(name, workload)
        line = f"{name:28}{found['perSecond']:9.0f}{found['perCpuSecond']:11.0f}"
        line += f"{'' if ratio is None else f'{ratio:.2f}':>8}{found['p50Ms']:9.2f}{found['p99Ms']:9.2f}{found['calls']:7.2f}"
        return line + (f"  {found['wrong']} WRONG" if found["wrong"] else "")

    def _ratio(self, name: str, workload: str) -> float | None:
        """How many times the requests per CPU-second of another this gateway answers."""
        own = self.figures.get(OWN)
        if own is None or not own.rounds.get(workload):
            return None
        theirs = self.figures[name].summary(workload)["perCpuSecond"]
        return round(own.summary(workload)["perCpuSecond"] / theirs, 2) if theirs else None


def machine() -> Mapping[str, Any]:
    """What the figures hold for."""
    packages = ("strawberry-graphql", "graphql-core", "uvicorn", "uvloop", "httptools", "httpx", "pydantic", "orjson")
    models = [line for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "processor": models[0].partition(":")[2].strip() if models else platform.processor(),
        "memoryGb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "node": _said("node", "--version"),
        "nginx": _said("nginx", "-v").rpartition("/")[2],
        "wrk": _said("wrk", "-v").partition(" [")[0].removeprefix("wrk "),
        **{name: importlib.metadata.version(name) for name in packages},
    }


def _said(*words: str) -> str:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603  # version questions
    except OSError:
        return "missing"
    return ((done.stdout or done.stderr).splitlines() or [""])[0].strip()
