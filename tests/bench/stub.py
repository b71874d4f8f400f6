"""The vendors of the benchmark: nginx over static answers in the vendors' own wire shapes."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.bench import world
from tests.bench.process import Command, Failed, free_port, running, wait_until

MODULE = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
NGINX = "/usr/sbin/nginx"


@dataclass(frozen=True)
class Stub:
    """Where the vendors are."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def requests(self) -> int:
        """How many it has had, this one included."""
        return int(httpx.get(f"{self.url}/status", trust_env=False).text.splitlines()[2].split()[2])

    def is_ready(self) -> bool:
        try:
            return self.requests() > 0
        except httpx.TransportError:
            return False


@contextmanager
def serving(folder: Path, core: int, *, finds_one: bool = False) -> Iterator[Stub]:
    """The vendors, until the block ends. Raises Failed where Debian's nginx or its echo module is missing.

    Asked who somebody is, Reevo answers with all contacts, or with `finds_one` with the first that was asked for.
    """
    if not MODULE.is_file():
        raise Failed("nginx with its echo module is missing: apt-get install nginx-light libnginx-mod-http-echo")
    stub = Stub(free_port())
    (folder / "answers").mkdir(parents=True)
    world.write_files(folder / "answers")
    (folder / "stub.conf").write_text(_configuration(stub.port, finds_one=finds_one), "utf-8")
    with running(Command([NGINX, "-p", str(folder), "-c", "stub.conf"], [core], folder)) as process:
        wait_until(stub.is_ready, process)
        yield stub


def _configuration(port: int, *, finds_one: bool) -> str:
    """stub.conf, filled in. The digits are those of the path, or those of the body."""
    by_path = world.answers("$1")["CONTACT"]
    by_body = {name: text for name, text in world.answers("$who").items() if name != "CONTACT"}
    values = {"PORT": str(port), "MODULE": str(MODULE), "WORKSPACE": world.WORKSPACE, "CONTACT": by_path}
    values["FIND"] = (
        f"echo_read_request_body; echo -n '{world.found('$who')}';" if finds_one else "rewrite ^ /reevo.json last;"
    )
    values |= {"USER": getpass.getuser(), **by_body, **world.made()}
    template = Path(__file__).with_name("stub.conf").read_text("utf-8")
    return re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], template)
