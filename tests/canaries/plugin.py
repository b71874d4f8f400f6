"""The whole suite, run with canaries for keys: a pytest plugin that fails the run where one is found.

Every worker marks its keys, watches what its gateways put out while its tests run, and at the end looks through all files that
they have left. Where a key may be seen, and why:

    the file of a secret, if it is its owner's alone (mode 0600)
    the standard output of a command that has made a key, or that serves sandboxes for somebody else's tests: it is told there
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Mapping
from typing import Any

import pytest

from tests.canaries.keys import mark_keys, sandbox_keys
from tests.canaries.taps import tap_everything
from tests.canaries.watch import Watch

_WATCH = pytest.StashKey[Watch]()
_LOOKED = pytest.StashKey[list["Looked"]]()

Looked = tuple[Mapping[str, int], list[str]]
"""How much one process has looked through, by kind, and what it found."""


def pytest_configure(config: pytest.Config) -> None:
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    config.stash[_LOOKED] = []
    config.stash[_WATCH] = watch = Watch(sandbox_keys())
    mark_keys(patch)
    tap_everything(watch, patch)


@pytest.fixture(scope="session")
def canaries(pytestconfig: pytest.Config) -> Watch:
    """For what only a fixture can show before it is gone."""
    return pytestconfig.stash[_WATCH]


def pytest_runtest_setup(item: pytest.Item) -> None:
    item.config.stash[_WATCH].at = item.nodeid


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Looks at what was written in this process: the last report of a test has all of it."""
    report, watch = (yield), item.config.stash[_WATCH]
    if report.when == "teardown":
        for _, written in report.sections:
            watch.look("captured text", written)
        watch.end(getattr(item, "funcargs", {}).get("tmp_path"))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Files are looked through by whoever's tests have left them; the answer is up to the process that was started."""
    config, watch = session.config, session.config.stash[_WATCH]
    if not config.pluginmanager.has_plugin("dsession"):
        watch.at = "the whole run"
        factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001  # no other way
        watch.files(factory.getbasetemp(), sorted(factory.getbasetemp().rglob("*")))
        config.stash[_LOOKED].append((dict(watch.seen), list(watch.hits)))
    if hasattr(config, "workeroutput"):
        config.workeroutput["canaries"] = config.stash[_LOOKED]
    elif any(hits for _, hits in config.stash[_LOOKED]):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes over from a worker of pytest-xdist; one that crashed has nothing to tell, and fails the run anyway."""
    node.config.stash[_LOOKED] += getattr(node, "workeroutput", {}).get("canaries", [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    looked = config.stash[_LOOKED]
    found = [hit for _, hits in looked for hit in hits]
    through = sum((Counter(seen) for seen, _ in looked), Counter())
    for hit in found:
        terminalreporter.write_line(f"CANARY in {hit}", red=True)
    counted = ", ".join(f"{place} {count:,}" for place, count in sorted(through.items()))
    terminalreporter.write_line(f"canaries: {len(found)} found in {counted}")
