"""How this gateway's costs grow with the size of an answer and with the number of clients."""

from __future__ import annotations

from pathlib import Path

from tests.bench.measure import Round, Target
from tests.bench.plots import Plot
from tests.bench.workloads import PERSON, Workload

LEAVES = ((2, 5), (20, 5), (100, 10), (100, 100))
"""People, and leaves of each: together 10, 100, 1,000 and 10,000."""

CLIENTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
Growth = list[dict[str, float]]


def leaves_grow(target: Target, seconds: float, docs: Path) -> Growth:
    """CPU and time of an answer from memory, by its leaves; one client, so that its time is its own.

    A list of nodes is written once and kept; one of edges is written anew for each request.
    """
    found: Growth = []
    for people, each in LEAVES:
        anew, kept = (_measured(target, _people(people, each, where), seconds) for where in ("edges { node", "nodes"))
        found.append({"leaves": people * each, **anew, "keptCpuMs": kept["cpuMs"], "keptP50Ms": kept["p50Ms"]})
    names = (("CPU, written anew", "cpuMs"), ("p50, written anew", "p50Ms"), ("CPU, kept", "keptCpuMs"))
    lines = [(name, [(row["leaves"], row[key]) for row in found]) for name, key in names]
    Plot("An answer from memory, by its size", "leaves", "milliseconds", lines).write(docs / "growth-leaves.svg")
    return found


def clients_grow(target: Target, workload: Workload, seconds: float, docs: Path) -> Growth:
    """The time of one contact, by how many clients ask at the same time. What is refused where load is shed is `wrong`."""
    size = target.check(workload)
    found: Growth = [{"clients": each, **_row(target.load(workload, each, seconds, size))} for each in CLIENTS]
    lines = [(name, [(row["clients"], row[f"{name}Ms"]) for row in found]) for name in ("p50", "p99")]
    shed = next((f"from {row['clients']} clients on load is shed" for row in found if row["wrong"]), "")
    Plot("One contact, by clients at the same time", "clients", "milliseconds", lines, shed).write(
        docs / "growth-clients.svg"
    )
    return found


def _measured(target: Target, workload: Workload, seconds: float) -> dict[str, float]:
    _, size = target.asker.ask(workload.query, {})
    return _row(target.load(workload, 1, seconds, size))


def _people(people: int, each: int, where: str) -> Workload:
    """So many leaves of each: its fields again and again, each time by another name."""
    names = ("id", *PERSON)
    fields = " ".join(f"l{number}: {names[number % len(names)]}" for number in range(each))
    closing = "}" * where.count("{")
    query = f"query Growth{people * each} {{ people(first: {people}) {{ {where} {{ {fields} }} {closing} }} }}"
    return Workload(f"growth-{people * each}", "growth", 1, 0, query, [{}], [])


def _row(found: Round) -> dict[str, float]:
    row = {
        "perSecond": found.per_second,
        "cpuMs": found.cpu / max(found.requests, 1) * 1000,
        "p50Ms": found.p50,
        "p99Ms": found.p99,
        "wrong": found.wrong,
    }
    return {name: round(value, 3) for name, value in row.items()}
