"""Processes of the benchmark: each on its own core, ended in good order, and what they cost."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

PATIENCE = 60.0
"""In seconds: what may take longest is a gateway's start."""


@dataclass(frozen=True)
class Command:
    """What is run, where, and on which cores."""

    words: Sequence[str]
    cores: Sequence[int]
    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)


class Failed(Exception):
    """A process that ended, or did not begin to answer."""


@contextmanager
def running(command: Command) -> Iterator[psutil.Process]:
    """A process, and what it says when it ends before it should."""
    cores = ",".join(map(str, command.cores))
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "."), **command.environ}
    with tempfile.TemporaryFile() as said:
        popen = subprocess.Popen(  # noqa: S603  # the kit's own commands
            ["taskset", "-c", cores, *command.words],  # noqa: S607  # Debian's
            cwd=command.folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        process = psutil.Process(popen.pid)
        try:
            yield process
        except Failed as failure:
            said.seek(0)
            raise Failed(f"{failure}\n{said.read().decode(errors='replace')[-600:]}") from None
        finally:
            _end(popen)


def wait_until(is_ready: Callable[[], bool], process: psutil.Process) -> float:
    """How many seconds it took from the process's beginning. Raises Failed."""
    began = time.perf_counter()
    while not is_ready():
        if not process.is_running() or process.status() == psutil.STATUS_ZOMBIE:
            raise Failed("ended before it answered")
        if time.perf_counter() - began > PATIENCE:
            raise Failed("did not answer in time")
        time.sleep(0.005)
    return _age(process)


def _age(process: psutil.Process) -> float:
    """In seconds since the machine's start, as proc_pid_stat(5) tells it: in seconds since 1970 it would be a second off or less."""
    began = Path(f"/proc/{process.pid}/stat").read_text("ascii").rpartition(")")[2].split()[19]
    return time.clock_gettime(time.CLOCK_BOOTTIME) - int(began) / os.sysconf("SC_CLK_TCK")


def cpu_seconds(process: psutil.Process) -> float:
    """User and system time of a process and all of its children, threads included (proc_pid_stat(5))."""
    times = [each.cpu_times() for each in _family(process)]
    return sum(each.user + each.system for each in times)


def memory(process: psutil.Process) -> tuple[float, float]:
    """Resident and proportional megabytes of a process and its children (proc_pid_smaps(5))."""
    infos = [each.memory_full_info() for each in _family(process)]
    return sum(each.rss for each in infos) / 1e6, sum(each.pss for each in infos) / 1e6


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _family(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _end(popen: subprocess.Popen[bytes]) -> None:
    """Asks the whole session to leave, and then makes it."""
    family = _family(psutil.Process(popen.pid)) if popen.poll() is None else []
    for each in family:
        with suppress(psutil.NoSuchProcess):  # its parent may have ended it
            each.terminate()
    _, left = psutil.wait_procs(family, timeout=10)
    for each in left:
        each.kill()
    popen.wait()
