"""The `switchboard` command."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import socket
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import click

from app.registry import VENDORS
from app.settings import BadSettings, Settings, read_settings
from schema.access import SCOPES
from schema.vendor import Environment

T = TypeVar("T")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """One GraphQL schema over four vendors' REST APIs."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 takes a free one."
)
@click.option(
    "--sandbox", is_flag=True, help="Put a built-in sandbox in the place of every vendor without TEST credentials."
)
@click.option("--demo", is_flag=True, help="Fill the sandboxes with sixty people. Needs --sandbox.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="How many processes serve.")
def serve(host: str, port: int, sandbox: bool, demo: bool, workers: int) -> None:
    """Serve the gateway."""
    if demo and not sandbox:
        raise click.UsageError("--demo fills the sandboxes: add --sandbox.")
    settings = _settings()
    sock = _bind(host, port, "--port N (make run: PORT=N)")
    if sandbox:
        _serve_with_sandboxes(sock, host, settings, demo, workers)
    else:
        _serve(sock, workers, lambda: click.echo(f"GraphQL   {_url(sock)}/graphql"))


@main.command()
@click.option(
    "--ports", default="9101,9102,9103,9104", show_default=True, help="Four ports: Architect, Bird, Artu, Reevo."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--demo", is_flag=True, help="Fill them with sixty people.")
def sandbox(ports: str, host: str, demo: bool) -> None:
    """Serve the four vendor sandboxes alone, for tests of your own."""
    from app import serving  # noqa: PLC0415  # other commands start faster without it

    sockets = {
        spec.vendor.value: _bind(host, port, "--ports A,B,C,D")
        for spec, port in zip(VENDORS, _four_ports(ports), strict=True)
    }
    with serving.sandboxes(VENDORS, sockets, demo=demo):
        for spec in VENDORS:
            for name, value in serving.sandbox_variables(spec, sockets[spec.vendor.value]).items():
                click.echo(f"export {name}={shlex.quote(value)}")
        _wait_for_signal()


@main.group()
def keys() -> None:
    """Gateway keys."""


@keys.command("create")
@click.option("--name", required=True, help="Who the key is for.")
@click.option(
    "--environment", type=click.Choice(["test", "live"]), required=True, help="Which vendor accounts it reaches."
)
@click.option(
    "--scope", "scopes", multiple=True, required=True, help=f"What it may do: {', '.join(SCOPES)}. May be repeated."
)
def create_key(name: str, environment: str, scopes: Sequence[str]) -> None:
    """Make a key. It is shown once: on the last line of standard output."""
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}; the scopes are {', '.join(SCOPES)}", param_hint="--scope")
    click.echo(_run(_create_key(_settings(), name, Environment(environment.upper()), list(dict.fromkeys(scopes)))))


@main.group()
def schema() -> None:
    """The GraphQL schema."""


@schema.command("export")
def export_schema() -> None:
    """Print the schema in the GraphQL schema definition language."""
    from schema.build import build_schema  # noqa: PLC0415  # other commands start faster without it

    click.echo(build_schema().as_str())


def _settings() -> Settings:
    try:
        return read_settings(os.environ, VENDORS)
    except BadSettings as bad:
        raise click.ClickException("The settings are wrong:\n  " + "\n  ".join(bad.problems)) from None


def _bind(host: str, port: int, option: str) -> socket.socket:
    from app.sandbox.server import bound_socket  # noqa: PLC0415

    try:
        return bound_socket(host, port)
    except OSError as error:
        raise click.ClickException(f"Port {port} on {host}: {error.strerror}. Choose another with {option}.") from None


def _serve_with_sandboxes(sock: socket.socket, host: str, settings: Settings, demo: bool, workers: int) -> None:
    from app import serving  # noqa: PLC0415

    specs = serving.without_credentials(settings)
    sockets = serving.loopback_sockets(specs)
    os.environ.update(serving.sandbox_environ(specs, sockets, host))
    _run(_forget_sandboxes(settings))
    with serving.sandboxes(specs, sockets, demo=demo):
        _serve(sock, workers, lambda: _announce_sandbox(sock))


def _serve(sock: socket.socket, workers: int, announce: Callable[[], None]) -> None:
    from app import serving  # noqa: PLC0415

    serving.serve(sock, workers, announce)


def _announce_sandbox(sock: socket.socket) -> None:
    from app.security.keys import SANDBOX_KEY  # noqa: PLC0415

    query = "{ contacts(first: 3) { nodes { displayName emailAddresses } } }"
    body = json.dumps({"query": query})
    url = f"{_url(sock)}/graphql"
    click.echo(f"GraphQL   {url} (GraphiQL in a browser)")
    click.echo(f"Key       {SANDBOX_KEY}")
    click.echo(
        f"Try       curl -s {url} -H 'authorization: Bearer {SANDBOX_KEY}' -H 'content-type: application/json' -d '{body}'"
    )


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  # only shown
    return f"http://{shown}:{port}"


def _four_ports(ports: str) -> list[int]:
    parts = ports.split(",")
    if len(parts) != len(VENDORS) or not all(part.strip().isdecimal() and int(part) < 65536 for part in parts):
        raise click.BadParameter("give four ports, as in 9101,9102,9103,9104", param_hint="--ports")
    return [int(part) for part in parts]


def _wait_for_signal() -> None:
    import signal  # noqa: PLC0415

    sys.stdout.flush()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    while True:
        signal.pause()


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def _create_key(settings: Settings, name: str, environment: Environment, scopes: Sequence[str]) -> str:
    from app.database import migrate, open_engine  # noqa: PLC0415
    from app.main import open_signer  # noqa: PLC0415
    from app.security.keys import Keys  # noqa: PLC0415

    engine = open_engine(settings.database_url)
    try:
        await migrate(engine)
        return await Keys(engine, open_signer(settings)).create(name, environment, scopes)
    finally:
        await engine.dispose()


async def _forget_sandboxes(settings: Settings) -> None:
    """What is remembered of a sandbox's records is forgotten with them: it starts anew each time."""
    from app.database import migrate, open_engine  # noqa: PLC0415
    from app.links.records import Memory  # noqa: PLC0415
    from app.serving import without_credentials  # noqa: PLC0415

    engine = open_engine(settings.database_url)
    try:
        await migrate(engine)
        await Memory(engine).forget(Environment.TEST, [spec.vendor for spec in without_credentials(settings)])
    finally:
        await engine.dispose()


if __name__ == "__main__":
    main()
