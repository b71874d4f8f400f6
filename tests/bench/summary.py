"""The README's table of performance: made of docs/performance.json, and put between its two marks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- make bench -->", "<!-- end of make bench -->"
_BETWEEN = re.compile(f"(?<={re.escape(BEGIN)}\n).*?(?={re.escape(END)})", re.DOTALL)


def put_into(readme: Path, figures: Path) -> None:
    """Puts the table into the README."""
    table = markdown(json.loads(figures.read_text("utf-8")))
    readme.write_text(_BETWEEN.sub(lambda _: table, readme.read_text("utf-8")), "utf-8")


def table_of(readme: Path) -> str:
    """The table that the README has."""
    found = _BETWEEN.search(readme.read_text("utf-8"))
    if found is None:
        raise ValueError(f"{readme.name} has no place for the table: {BEGIN} and {END}")
    return found[0]


def markdown(content: Mapping[str, Any]) -> str:
    """Requests per CPU-second by contender and workload, in brackets how many times as many this gateway answers; memory and
    start-up; the machine and the versions.
    """
    return "\n".join([*_rows(content), "", *_notes(content), ""])


def _rows(content: Mapping[str, Any]) -> Iterator[str]:
    workloads = content["workloads"]
    yield f"| | {' | '.join(each['title'] for each in workloads.values())} | memory, RSS and PSS | first answer |"
    yield f"| --- |{' ---: |' * (len(workloads) + 2)}"
    for name, process in content["processes"].items():
        cells = [_cell(each, name) for each in workloads.values()]
        yield f"| {name} | {' | '.join(cells)} | {process['rssMb']:.0f} and {process['pssMb']:.0f} MB | {process['startSeconds']:.2f} s |"


def _cell(workload: Mapping[str, Any], name: str) -> str:
    found = workload["contenders"].get(name)
    if found is None:
        return "-"
    ratio = workload["ratios"].get(name)
    return f"{found['perCpuSecond']:,.0f}" + (f" ({ratio:.2f})" if ratio is not None else "")


def _notes(content: Mapping[str, Any]) -> Iterator[str]:
    machine = content["machine"]
    versions = ", ".join(
        f"{name} {machine[name]}" for name in ("python", "strawberry-graphql", "uvicorn", "node", "nginx")
    )
    yield f"{machine['processor']}, {machine['cores']} cores, {content['made'][:10]}: {versions}."
    if content["growth"]:
        yield (
            "Growth: [with the size of an answer](docs/growth-leaves.svg), "
            "[with clients at the same time](docs/growth-clients.svg)."
        )
    for name, why in content["missing"].items():
        yield f"Missing: {name} ({why.splitlines()[0][:120]})."
