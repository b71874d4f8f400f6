"""The peers: what npm installs, outside the tree, and how each is started. What can't be had is named, with the reason."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import platformdirs

from tests.bench import world
from tests.bench.contender import Contender, Place
from tests.bench.process import Command, Failed
from tests.bench.workloads import MEMORIES, PERSON, Leaves, Workload, person

SOURCES = Path(__file__).with_name("peers")
GLIBC = (2, 39)
"""What Tailcall's binary asks for; an older system lends it Debian's newer one, unpacked beside it."""

DONOR = "trixie"
INSTALL_SECONDS = 900
QUIET = {"TAILCALL_LOG_LEVEL": "error", "TAILCALL_TRACKER": "false"}
"""Else it logs every call to a vendor."""


def installed(name: str) -> Path:
    """The folder of a peer in the user's cache, installed from its lock file if it isn't yet. Raises Failed."""
    source = SOURCES / name
    lock = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()[:12]
    folder = Path(platformdirs.user_cache_dir("switchboard")) / "bench" / f"{name}-{lock}"
    if not (folder / "done").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(source, folder)
        _run(["npm", "ci"], folder)
        (folder / "done").touch()
    for each in (*source.iterdir(), SOURCES / "schema.mjs"):
        shutil.copy(each, folder)
    return folder


def versions(name: str) -> Mapping[str, str]:
    """What a peer is made of, by its package.json."""
    found: dict[str, str] = json.loads((SOURCES / name / "package.json").read_text("utf-8"))["dependencies"]
    return found


def _node(name: str) -> Contender:
    def command(place: Place) -> Command:
        return Command(["node", "server.mjs"], place.cores, installed(name), _environ(place))

    return Contender(name, command)


def _tailcall(place: Place) -> Command:
    folder = installed("tailcall")
    values = {"PORT": str(place.port), "VENDORS": place.stub.url, "WORKSPACE": world.WORKSPACE, "PEOPLE": _literal()}
    template = (folder / "app.graphql").read_text("utf-8")
    schema = place.home / "app.graphql"
    schema.write_text(re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], template), "utf-8")
    binary = folder / "node_modules/@tailcallhq/core-linux-x64-gnu/bin/tailcall"
    return Command([*_loader(folder), str(binary), "start", str(schema)], place.cores, place.home, QUIET)


def _literal() -> str:
    """The people as a literal of GraphQL, whose names have no quotes."""
    people = [{"id": f"person-{n:03d}", **dict(zip(PERSON, person(n), strict=True))} for n in range(MEMORIES)]
    return re.sub(r'"(\w+)":', r"\1:", json.dumps(people))


def _hive(place: Place) -> Command:
    folder = installed("hive")
    environ = _environ(place)
    _run(["node", "openapi.mjs"], folder, environ)
    _run(["node_modules/.bin/mesh-compose", "-o", "supergraph.graphql"], folder, environ)
    words = ["node", "node_modules/@graphql-hive/gateway/dist/bin.js", "supergraph", "./supergraph.graphql"]
    words += ["-c", "gateway.config.ts", "-h", "127.0.0.1", "-p", str(place.port)]
    return Command(words, place.cores, folder, environ)


_HIVE_CONTACT = (
    "id displayName: computedDisplayName attributes { emailaddress } identifierCount listIds accountIds companyRefs "
    "isAnonymous createdAt updatedAt"
)
_HIVE = {
    "one": f"query One($id: String!) {{ contact(id: $id) {{ {_HIVE_CONTACT} }} }}",
    "list": f"""query List($after: String) {{ contacts(limit: {world.PAGE}, pageToken: $after) {{ results {{ {_HIVE_CONTACT}
      contactMethods {{ data {{ id type value isPrimary label createdAt }} }}
      activities {{ data {{ id attributes {{ display_name {{ value }} type {{ value }} status {{ value }} priority {{ value }} }}
        created_at }} }} }} }} }}""",
    "create": """mutation Create($input: NewContact_Input!) { createContact(input: $input) {
      id computedDisplayName createdAt } }""",
}


def _in_hives_words(workload: Workload) -> Workload:
    """Hive Gateway makes its schema of the vendors' own: other names, the same leaves, and no receipt to ask for."""
    unasked: Leaves = ([], "SUCCEEDED") if workload.name == "create" else ()
    return replace(workload, query=_HIVE.get(workload.name, workload.query), unasked=unasked)


PEERS: Sequence[Contender] = (
    _node("mercurius"),
    _node("yoga"),
    Contender("tailcall", _tailcall),
    Contender("hive", _hive, translate=_in_hives_words),
)


def _loader(folder: Path) -> list[str]:
    """What a binary that wants a newer C library is started by; nothing, where the system's own is new enough."""
    if tuple(map(int, platform.libc_ver()[1].split("."))) >= GLIBC:
        return []
    library = folder / "libc/usr/lib/x86_64-linux-gnu"
    if not library.is_dir():
        _unpack_libc(folder)
    return [str(library / "ld-linux-x86-64.so.2"), "--library-path", str(library)]


def _unpack_libc(folder: Path) -> None:
    """Debian's newer C library from the mirror that the system uses already; nothing is installed."""
    lists = Path("/etc/apt/sources.list.d/debian.sources")
    uri = next((line.split()[1] for line in lists.read_text("utf-8").splitlines() if line.startswith("URIs:")), None)
    if uri is None:
        raise Failed(f"Tailcall needs a C library of version {GLIBC[0]}.{GLIBC[1]}")
    private = folder / "apt"
    (private / "lists/partial").mkdir(parents=True, exist_ok=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (private / "sources.list").write_text(f"deb [signed-by={keys}] {uri} {DONOR} main\n", "utf-8")
    options = {"Dir::Etc::sourcelist": private / "sources.list", "Dir::Etc::sourceparts": "-"}
    options |= {"Dir::State::lists": private / "lists", "Dir::Cache": private, "APT::Sandbox::User": "root"}
    apt = ["apt-get", "-qq", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    _run([*apt, "update"], private)
    _run([*apt, "download", "libc6", "libgcc-s1"], private)
    for package in private.glob("*.deb"):
        _run(["dpkg-deb", "-x", str(package), str(folder / "libc")], private)


def _environ(place: Place) -> dict[str, str]:
    return {
        "VENDORS": place.stub.url,
        "WORKSPACE": world.WORKSPACE,
        "PORT": str(place.port),
        "NODE_ENV": "production",
    }


def _run(words: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> None:
    try:
        done = subprocess.run(  # noqa: S603  # the kit's own commands
            words,
            cwd=folder,
            env={**os.environ, **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{words[0]}: {error}") from None
    if done.returncode != 0:
        raise Failed(f"{' '.join(words[:3])}: {(done.stdout + done.stderr)[-500:]}")
