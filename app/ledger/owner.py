"""Who a row of the ledger belongs to: a process, so named that another one can tell whether it is gone."""

from __future__ import annotations

import hashlib
import os
import socket
from pathlib import Path

from app.telemetry import new_request_id


def own_name() -> str:
    """A new name for this process: `where:pid:mark`."""
    return f"{where()}:{os.getpid()}:{new_request_id()}"


def is_dead(owner: str) -> bool:
    """Whether the process of an owner that shares our process numbers is gone; of all others only their lease tells."""
    there, pid, _ = owner.rsplit(":", 2)
    if there != where():
        return False
    if int(pid) == os.getpid():
        return True  # an earlier process that had our number
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def where() -> str:
    """Where a process number means the same process: the host, as it was booted, and the PID namespace, as a container has one.

    A hostname alone does not tell: `docker run --network host` and Kubernetes' `hostNetwork` give it to many containers.
    Sources: proc(5), `/proc/sys/kernel/random/boot_id`; pid_namespaces(7). Where there is no /proc, it is the hostname.
    """
    try:
        booted = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  # its target is a name, and no path
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()}/{hashlib.sha256(f'{booted} {space}'.encode()).hexdigest()[:16]}"
