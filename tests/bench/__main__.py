"""`make bench`: this gateway as shipped, and its peers, over the same vendors, on the same core, in turn.

The load and the vendors have core 0, the contender core 1. All answers are checked leaf by leaf at the start, a
sample of them before and after every round, and the size of each during it. What counts is requests per CPU-second of the contender's processes: it hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench import stub, summary
from tests.bench.contender import Contender, Place
from tests.bench.costs import sampled, shares
from tests.bench.gateway import FLOOR, NAIVE, ROOT, SWITCHBOARD, TWO_WORKERS
from tests.bench.growth import clients_grow, leaves_grow
from tests.bench.measure import Asker, Target
from tests.bench.peers import PEERS
from tests.bench.process import Failed, free_port, memory, running, wait_until
from tests.bench.report import Figures, Report
from tests.bench.stub import Stub
from tests.bench.workloads import Workload, workloads

CONTENDERS: Sequence[Contender] = (SWITCHBOARD, *PEERS, NAIVE, FLOOR, TWO_WORKERS)
LOAD_CORE, CONTENDER_CORE = 0, 1
DOCS = ROOT / "docs"
QUIET = 0.5
"""The load average up to which a machine has nothing else to do."""


@dataclass(frozen=True)
class Started:
    """A contender that answers, and what it is asked, by name."""

    name: str
    target: Target
    workloads: Mapping[str, Workload]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8.0, help="of each round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of 2 seconds of everything; writes no files")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this contender; may be repeated")
    parser.add_argument("--workload", action="append", help="only this workload: one, list, create, people")
    parser.add_argument("--growth", action="store_true", help="only the two plots of this gateway's growth")
    parser.add_argument("--profile", metavar="WORKLOAD", help="only where this gateway's time goes in that workload")
    options = parser.parse_args()
    if (os.cpu_count() or 1) <= CONTENDER_CORE:
        sys.exit("The benchmark needs two cores: one for the load and the vendors, one for who is measured.")
    if options.quick:
        options.seconds, options.rounds = 2.0, 1
    if (load := os.getloadavg()[0]) > QUIET:
        _say(f"This machine is busy (load {load:.1f}): what is measured now means little.")
    home = Path(tempfile.mkdtemp(prefix="switchboard-bench-"))
    try:
        _bench(options, home)
    except Failed as failure:
        sys.exit(str(failure))
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _bench(options: argparse.Namespace, home: Path) -> None:
    report = Report(
        [each for each in workloads([]) if not options.workload or each.name in options.workload], options.seconds
    )
    with stub.serving(home / "vendors", LOAD_CORE) as vendors:
        if options.profile:
            _say(_profile(options, home, vendors))
            return
        if not options.growth:
            _compare(options, home, vendors, report)
        if options.growth or not (options.quick or options.only or options.workload):
            _grow(options, home, vendors, report)
    _say(report.table())
    if not (options.quick or options.only or options.workload or options.growth):
        report.write(DOCS / "performance.json", " ".join(["python -m tests.bench", *sys.argv[1:]]))
        summary.put_into(ROOT / "README.md", DOCS / "performance.json")


def _compare(options: argparse.Namespace, home: Path, vendors: Stub, report: Report) -> None:
    """All contenders run; each round goes to all of them, in an order that changes from round to round."""
    with ExitStack() as stack:
        started = [each for each in (_try(stack, c, home, vendors, report) for c in _chosen(options)) if each]
        if not started:
            raise Failed("nobody is left to measure")
        for workload in report.workloads:
            for number in range(options.rounds):
                for each in started[number % len(started) :] + started[: number % len(started)]:
                    _try_round(each, workload.name, report, options.seconds)
        for each in started:
            report.figures[each.name].rss, report.figures[each.name].pss = memory(each.target.process)


def _try_round(each: Started, name: str, report: Report, seconds: float) -> None:
    """Who answers wrongly under load is missing from this workload from now on."""
    where = f"{each.name}, {name}"
    if where in report.missing:
        return
    try:
        _round(each, name, report, seconds)
    except (Failed, httpx.HTTPError) as failure:
        report.missing[where] = f"{type(failure).__name__}: {failure}"
        report.figures[each.name].rounds.pop(name, None)


def _round(each: Started, name: str, report: Report, seconds: float) -> None:
    workload = each.workloads[name]
    rounds = report.figures[each.name].rounds.setdefault(name, [])
    if not rounds:
        each.target.measure(workload, workload.clients, max(1.0, seconds / 4))  # warms up what compiles as it goes
    found = each.target.measure(workload, workload.clients, seconds)
    rounds.append(found)
    _say(
        f"{name:8}{each.name:28}{found.per_second:9.0f} req/s{found.per_cpu_second:9.0f} req/CPU s  {found.wrong} wrong"
    )


def _grow(options: argparse.Namespace, home: Path, vendors: Stub, report: Report) -> None:
    with _started(SWITCHBOARD, home / "growth", vendors, Report([], 0)) as own:
        seconds = min(options.seconds, 4.0)
        report.growth["leaves"] = leaves_grow(own.target, seconds, DOCS)
        report.growth["clients"] = clients_grow(own.target, own.workloads["one"], seconds, DOCS)


def _profile(options: argparse.Namespace, home: Path, vendors: Stub) -> str:
    with _started(sampled(), home / "sampled", vendors, Report([], 0)) as own:
        if options.profile not in own.workloads:
            raise Failed(f"no such workload. There are: {', '.join(own.workloads)}")
        return shares(own.target, own.workloads[options.profile], options.seconds)


def _try(stack: ExitStack, contender: Contender, home: Path, vendors: Stub, report: Report) -> Started | None:
    """A contender that answers everything rightly; or none, and the report says why."""
    try:
        started = stack.enter_context(_started(contender, home / contender.name.replace(" ", "-"), vendors, report))
    except (Failed, httpx.HTTPError) as failure:
        report.missing[contender.name] = f"{type(failure).__name__}: {failure}"
        _say(f"missing: {contender.name}: {failure}")
        return None
    return started


@contextmanager
def _started(contender: Contender, home: Path, vendors: Stub, report: Report) -> Iterator[Started]:
    home.mkdir()
    cores = [LOAD_CORE, CONTENDER_CORE] if contender is TWO_WORKERS else [CONTENDER_CORE]
    place = Place(home, free_port(), cores, vendors)
    command, headers = contender.command(place), contender.headers(place)
    with (
        running(command) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{place.port}", headers=headers, timeout=30, trust_env=False) as http,
    ):
        asker = Asker(http)
        seconds = wait_until(asker.is_ready, process)
        target = Target(process, asker, vendors, home, LOAD_CORE)
        asked = [contender.translate(each) for each in workloads(contender.prepare(asker))]
        for each in asked:
            target.check(each)
        report.figures[contender.name] = Figures(start=seconds)
        _say(f"{contender.name} answers everything rightly; its first answer took {seconds:.2f} s")
        yield Started(contender.name, target, {each.name: each for each in asked})


def _chosen(options: argparse.Namespace) -> Sequence[Contender]:
    unknown = set(options.only or ()) - {each.name for each in CONTENDERS}
    if unknown:
        raise Failed(
            f"no such contender: {', '.join(sorted(unknown))}. There are: {', '.join(c.name for c in CONTENDERS)}"
        )
    return [each for each in CONTENDERS if not options.only or each.name in options.only]


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # a report is what it is for


if __name__ == "__main__":
    main()
