"""`python -m tests.soak --minutes 10 --seed 7`: steady load on a gateway whose vendors misbehave and which is stopped and killed
again and again; at the end an audit against the vendors' own list, and one line of figures.

It exits with 1 if anything was doubled, lost or told wrong, or if a key was seen (tests.canaries). A seed draws the faults, the moments of the stops and which of them
are kills; what the machine does in between is its own matter.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from app.transport.client import IDLE_SECONDS
from tests.canaries.keys import mark_keys, sandbox_keys
from tests.canaries.taps import tap_everything
from tests.canaries.watch import Watch
from tests.faults.partner import faulty_vendor
from tests.soak.audit import Figures, audited
from tests.soak.life import Life
from tests.soak.load import Load

_REST = IDLE_SECONDS + 6.0
"""In seconds: after that time connections which nobody uses are closed."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--writes", type=float, default=50.0, help="per second")
    parser.add_argument("--reads", type=float, default=50.0, help="per second")
    parser.add_argument("--faulty", type=float, default=0.2, help="the part of the vendors' answers that is")
    options = parser.parse_args()
    seed = random.randrange(2**32) if options.seed is None else options.seed  # noqa: S311  # no secret
    with tempfile.TemporaryDirectory(prefix="switchboard-soak-") as folder:
        figures = asyncio.run(watched(Path(folder), seed, options))
    print(f"seed {seed}  {figures}", flush=True)  # noqa: T201  # a report is what it is for
    sys.exit(0 if figures.is_clean() else 1)


async def watched(folder: Path, seed: int, options: argparse.Namespace) -> Figures:
    """One run, with canaries for keys."""
    watch = Watch(sandbox_keys(), at="the soak")
    with pytest.MonkeyPatch.context() as patch:
        mark_keys(patch)
        tap_everything(watch, patch)
        figures = await soak(folder, seed, options)
    home = folder / "gateway"
    await asyncio.to_thread(lambda: watch.files(home, home.rglob("*")))
    return replace(figures, leaked=tuple(watch.hits))


async def soak(folder: Path, seed: int, options: argparse.Namespace) -> Figures:
    """One run, to its audit."""
    async with faulty_vendor(folder / "vendor") as vendor:
        life = await Life.begun(vendor, folder / "gateway", random.Random(seed))  # noqa: S311  # no secret
        try:
            load = Load(life, random.Random(seed + 1), options.writes, options.reads, options.faulty)  # noqa: S311  # no secret
            first = await life.measured(after=_REST)
            await asyncio.gather(load.run(options.minutes * 60), life.run(options.minutes * 60))
            last = await life.measured(after=_REST)
            await life.restart(kill=True)
            return await audited(life, load, vendor, (first, last))
        finally:
            await life.end()


if __name__ == "__main__":
    main()
