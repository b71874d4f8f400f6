"""The `switchboard` command. What is slow to import is imported where it is used: help is quick, and so is Ctrl-C."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shlex
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from app.links.circle import Circle
    from app.security.keys import Keys, StoredKey
    from app.settings import BadSettings, Settings

T = TypeVar("T")


class _Group(click.Group):
    """Commands whose arguments are text: what is no UTF-8 can be neither stored nor looked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not all(map(_is_text, args)):
            raise click.UsageError("An argument is not UTF-8.")
        return super().parse_args(ctx, args)


class _Host(click.ParamType[str]):
    name = "host"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not value:  # a socket would take it for every address that there is
            self.fail("it is empty: a variable that is not set, perhaps.", param, ctx)
        return value


class _Scope(click.ParamType[str]):
    name = "scope"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002  # click's signature
        from schema.access import SCOPES  # noqa: PLC0415

        return f"[{'|'.join(SCOPES)}]"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from schema.access import SCOPES  # noqa: PLC0415

        if value not in SCOPES:
            self.fail(f"{value!r} is not one of {', '.join(SCOPES)}.", param, ctx)
        return value


class _CallbackUrl(click.ParamType[str]):
    name = "url"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from app.ledger.callbacks import is_callback_url  # noqa: PLC0415

        if not is_callback_url(value):  # not quoted: it may hold a password
            self.fail("give an https URL (http on loopback only), without credentials or a fragment.", param, ctx)
        return value


class _Note(click.ParamType[str]):
    name = "text"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from schema.errors import Refusal  # noqa: PLC0415
        from schema.rules import Rules  # noqa: PLC0415

        rules = Rules()
        note = rules.note(value)
        try:
            rules.finish()
        except Refusal as refusal:
            self.fail(refusal.errors[0].message, param, ctx)
        return note


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """One GraphQL schema over four vendors' REST APIs."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until something serves, Ctrl-C ends at once and says nothing


@main.command()
@click.option("--host", type=_Host(), default="127.0.0.1", show_default=True, help="The address to listen on.")
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
    gc.disable()  # until all stands that will (app.serving): it takes a seventh of a start, and finds nothing
    from app import serving  # noqa: PLC0415

    serving.leave_sandboxes()
    settings = _settings()
    sock = _bind(host, port, "--port N (make run: PORT=N)")
    _run(_prepare(settings, sandbox=sandbox))
    if sandbox:
        _serve_with_sandboxes(sock, host, settings, demo, workers)
    else:
        serving.serve(sock, workers, lambda: click.echo(f"GraphQL   {_url(sock)}/graphql"))


@main.command()
@click.option(
    "--ports", default="9101,9102,9103,9104", show_default=True, help="Four ports: Architect, Bird, Artu, Reevo."
)
@click.option("--host", type=_Host(), default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--demo", is_flag=True, help="Fill them with sixty people.")
def sandbox(ports: str, host: str, demo: bool) -> None:
    """Serve the four vendor sandboxes alone, for tests of your own."""
    numbers = _four_ports(ports)
    from app import serving  # noqa: PLC0415
    from app.registry import VENDORS  # noqa: PLC0415

    sockets = {
        spec.vendor.value: _bind(host, port, "--ports A,B,C,D") for spec, port in zip(VENDORS, numbers, strict=True)
    }
    with serving.sandboxes(VENDORS, sockets, demo=demo):
        for spec in VENDORS:
            for name, value in serving.sandbox_variables(spec, sockets[spec.vendor.value]).items():
                click.echo(f"export {name}={shlex.quote(value)}")
        _wait_for_signal()


@main.group()
def demo() -> None:
    """The demo world of a running gateway."""


@demo.command("reset")
@click.option("--host", type=_Host(), default="127.0.0.1", show_default=True, help="Where the gateway listens.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="Its port.")
def reset_demo(host: str, port: int) -> None:
    """Bring the sandboxes of a running gateway back to how they started. Receipts stay."""
    import httpx  # noqa: PLC0415

    from app.security.keys import SANDBOX_KEY  # noqa: PLC0415

    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/demo/reset"
    try:
        answer = httpx.post(url, headers={"authorization": f"Bearer {SANDBOX_KEY}"}, timeout=30.0, trust_env=False)
    except (httpx.InvalidURL, UnicodeError):
        raise click.ClickException(
            f"Host {host!r}: it is no name and no address. Give it without brackets, and the port with --port."
        ) from None
    except httpx.HTTPError:
        raise click.ClickException(
            f"Nothing answers at {host}:{port}. Start it: switchboard serve --sandbox --demo"
        ) from None
    if answer.status_code != 204:
        raise click.ClickException(f"What answers at {host}:{port} runs no sandboxes that can be brought back.")
    click.echo("The sandboxes are as they started.")


@main.group()
def keys() -> None:
    """Gateway keys."""


@keys.command("create")
@click.option("--name", required=True, help="Who the key is for.")
@click.option(
    "--environment", type=click.Choice(["test", "live"]), required=True, help="Which vendor accounts it reaches."
)
@click.option("--scope", "scopes", type=_Scope(), multiple=True, required=True, help="What it may do. May be repeated.")
@click.option("--callback", type=_CallbackUrl(), help="Where it is told what became of its background writes.")
@click.option("--days", type=click.IntRange(1, 3650), help="After how many days it ends. Never, if left out.")
def create_key(name: str, environment: str, scopes: Sequence[str], callback: str | None, days: int | None) -> None:
    """Make a key. It is shown once: on the last line of standard output.

    With --callback, the line before it is the secret that signs callbacks (Standard Webhooks).
    """
    _show_key(_run(_create_key(_settings(), name, environment, list(dict.fromkeys(scopes)), callback, days)))


@keys.command("list")
def list_keys() -> None:
    """List keys, the oldest first: one JSON object per line. Their secrets are not kept."""
    for key in _run(_with_keys(_settings(), lambda keys: keys.list())):
        click.echo(json.dumps(_key_line(key), ensure_ascii=False))


@keys.command("revoke")
@click.argument("key_id")
def revoke_key(key_id: str) -> None:
    """End a key for good, by its ID. What it wrote is still delivered."""
    if not _run(_with_keys(_settings(), lambda keys: keys.revoke(key_id))):
        raise click.ClickException(
            "There is no such key: give its ID, the third part of the key, as `keys list` has it."
        )


@keys.command("rotate")
@click.argument("key_id")
@click.option(
    "--overlap",
    default=24,
    show_default=True,
    type=click.IntRange(0, 24 * 90),
    help="For how many hours the old secret opens beside the new one.",
)
@click.option("--force", is_flag=True, help="End at once the secret that still opens from the last time.")
def rotate_key(key_id: str, overlap: int, force: bool) -> None:
    """Give a key, by its ID, a new secret: the whole key is shown once. Its receipts and callbacks stay its own.

    A key has two secrets at most: while the one from before the last time opens, --force is needed.
    """
    from app.security.keys import StillPromised  # noqa: PLC0415

    try:
        rotated = _run(_with_keys(_settings(), lambda keys: keys.rotate(key_id, overlap * 3_600_000, force=force)))
    except StillPromised as promised:
        raise click.ClickException(
            f"The secret before the present one still opens, until {_stamp(promised.until_ms)}, and would end now: "
            "wait until then, or add --force."
        ) from None
    if rotated is None:
        raise click.ClickException("There is no such key, or it has ended: give its ID, as `keys list` has it.")
    _show_key([rotated])


@main.group()
def links() -> None:
    """What is remembered of one human being."""


def _whose(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say whom a command is about."""
    options = [
        click.option("--email", help="An e-mail address."),
        click.option("--phone", help="An international phone number, such as +31612345678."),
        click.option("--linkedin", help="A LinkedIn profile, such as https://www.linkedin.com/in/ada-example."),
        click.option("--id", "own_id", help="An ID of this API, or any vendor's own."),
        click.option("--environment", type=click.Choice(["test", "live"]), help="Only there. Both, if left out."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@links.command("show")
@_whose
def show_links(environment: str | None, **whose: str | None) -> None:
    """Print what is remembered of one human being, as JSON: one line for each environment that has anything."""
    _report(_remembered(_settings(), _one_of(whose), environment, forget=False))


@links.command("forget")
@_whose
def forget_links(environment: str | None, **whose: str | None) -> None:
    """Delete what is remembered of one human being, and print what was deleted. The vendors keep what they have."""
    _report(_remembered(_settings(), _one_of(whose), environment, forget=True))


@main.group()
def schema() -> None:
    """The GraphQL schema."""


@schema.command("export")
def export_schema() -> None:
    """Print the schema in the GraphQL schema definition language."""
    from schema.build import build_schema  # noqa: PLC0415

    click.echo(build_schema().as_str())


@main.group()
def receipts() -> None:
    """What became of writes."""


@receipts.command("list")
@click.option("--environment", type=click.Choice(["test", "live"]), required=True, help="Of which environment.")
@click.option(
    "--state", type=click.Choice(["pending", "sending", "unknown", "succeeded", "failed"]), help="Only these."
)
@click.option("--needs-attention", is_flag=True, help="Only those that a person has to settle.")
@click.option(
    "--most", default=100, show_default=True, type=click.IntRange(1, 10_000), help="How many, the newest first."
)
def list_receipts(environment: str, state: str | None, needs_attention: bool, most: int) -> None:
    """List writes, the newest first: one JSON object per line."""
    from app.ledger import desk  # noqa: PLC0415  # other commands start faster without it

    for line in _run(desk.listed(_settings(), environment, state, needs_attention or None, most)):
        click.echo(line)


@receipts.command("show")
@click.argument("receipt_id")
def show_receipt(receipt_id: str) -> None:
    """Show one write with its history, by its receipt's ID."""
    from app.ledger import desk  # noqa: PLC0415

    shown = _run(desk.shown(_settings(), receipt_id))
    if shown is None:
        raise click.ClickException("There is no such receipt.")
    click.echo(shown)


@receipts.command("settle")
@click.argument("receipt_id")
@click.option("--applied/--not-applied", default=None, help="Whether the vendor applied the write.")
@click.option("--record", help="The record that it made, by ID of this API, where that is known.")
@click.option("--note", required=True, type=_Note(), help="How it was found out.")
def settle_receipt(receipt_id: str, applied: bool | None, record: str | None, note: str) -> None:
    """Settle a write in doubt."""
    from app.ledger import desk  # noqa: PLC0415
    from schema.errors import Refusal  # noqa: PLC0415

    if applied is None:
        raise click.UsageError("Say --applied or --not-applied.")
    try:
        settled = _run(desk.settled(_settings(), receipt_id, applied=applied, record_id=record, note=note))
    except Refusal as refusal:
        raise click.ClickException(refusal.errors[0].message) from None
    if settled is None:
        raise click.ClickException("There is no such receipt.")
    click.echo(settled)


def _is_text(argument: str) -> bool:
    try:
        argument.encode()
    except UnicodeEncodeError:  # Python keeps bytes that it can't read as lone surrogates (PEP 383)
        return False
    return True


def _settings() -> Settings:
    from app.registry import VENDORS  # noqa: PLC0415
    from app.settings import BadSettings, read_settings  # noqa: PLC0415

    try:
        return read_settings(os.environ, VENDORS)
    except BadSettings as bad:
        raise _wrong(bad) from None


def _wrong(bad: BadSettings) -> click.ClickException:
    return click.ClickException("The settings are wrong:\n  " + "\n  ".join(bad.problems))


def _bind(host: str, port: int, option: str) -> socket.socket:
    from app.sockets import bound_socket  # noqa: PLC0415

    try:
        return bound_socket(host, port)
    except OSError as error:
        raise click.ClickException(f"Port {port} on {host}: {error.strerror}. Choose another with {option}.") from None


def _serve_with_sandboxes(sock: socket.socket, host: str, settings: Settings, demo: bool, workers: int) -> None:
    from app import serving  # noqa: PLC0415

    specs = serving.without_credentials(settings)
    sockets = serving.loopback_sockets(specs)
    os.environ.update(serving.sandbox_environ(specs, sockets, host))
    announce = _announce_sandbox if serving.is_loopback(host) else _announce_exposed
    with serving.sandboxes(specs, sockets, demo=demo):
        serving.serve(sock, workers, lambda: announce(sock))


def _announce_exposed(sock: socket.socket) -> None:
    click.echo(f"GraphQL   {_url(sock)}/graphql (GraphiQL in a browser)")
    click.echo("Key       make one: switchboard keys create --name me --environment test --scope '*'")


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
    if len(parts) != 4 or not all(part.strip().isdecimal() and int(part) < 65536 for part in parts):
        raise click.BadParameter("give four ports, as in 9101,9102,9103,9104", param_hint="--ports")
    return [int(part) for part in parts]


def _wait_for_signal() -> None:
    sys.stdout.flush()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: sys.exit(0))
    while True:
        signal.pause()


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Runs what needs the database."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    from app.migrate import NewerDatabase  # noqa: PLC0415
    from app.settings import BadSettings  # noqa: PLC0415

    try:
        return asyncio.run(work)
    except BadSettings as bad:
        raise _wrong(bad) from None
    except NewerDatabase as newer:
        raise click.ClickException(str(newer)) from None
    except TimeoutError:
        raise click.ClickException(
            "The database does not answer. See what it does, or check SWITCHBOARD_DATABASE_URL."
        ) from None
    except (SQLAlchemyError, OSError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else type(error).__name__
        raise click.ClickException(f"The database can't be used ({reason}). Check SWITCHBOARD_DATABASE_URL.") from None


async def _create_key(
    settings: Settings, name: str, environment: str, scopes: Sequence[str], callback: str | None, days: int | None
) -> list[str]:
    """What is shown of a new key: the secret that signs its callbacks, if it has any, and the key."""
    from app.ledger.callbacks import shown_secret  # noqa: PLC0415
    from app.main import open_signer  # noqa: PLC0415
    from app.security.keys import id_of  # noqa: PLC0415
    from schema.vendor import Environment  # noqa: PLC0415

    where, lifetime = Environment(environment.upper()), None if days is None else days * 86_400_000
    key = await _with_keys(settings, lambda keys: keys.create(name, where, scopes, callback, lifetime))
    return [shown_secret(open_signer(settings), id_of(key)), key] if callback is not None else [key]


async def _with_keys(settings: Settings, work: Callable[[Keys], Awaitable[T]]) -> T:
    from app.main import open_signer  # noqa: PLC0415
    from app.migrate import migrated  # noqa: PLC0415
    from app.security.keys import Keys  # noqa: PLC0415
    from app.transactions import Transactions  # noqa: PLC0415

    async with migrated(settings.database_url) as engine:
        with closing(Transactions(engine)) as transactions:
            return await work(Keys(transactions, open_signer(settings)))


def _show_key(lines: Sequence[str]) -> None:
    """The last line is the key. It opens already: whoever can't be shown it has to know."""
    from app.security.keys import id_of  # noqa: PLC0415

    try:
        click.echo("\n".join(lines))
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python tries once more as it ends
        key_id = id_of(lines[-1])
        raise click.ClickException(
            f"Key {key_id} is valid, but its secret could not be written ({error.strerror}) and is not shown again. "
            f"End it: switchboard keys revoke {key_id}. Or give it another: switchboard keys rotate {key_id} --force"
        ) from None


def _key_line(key: StoredKey) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "environment": key.environment.value,
        "scopes": list(key.scopes),
        "createdAt": _stamp(key.created_ms),
        "expiresAt": _stamp(key.expires_ms),
        "revokedAt": _stamp(key.revoked_ms),
        "previousSecretUntil": _stamp(key.previous_until_ms),
    }


def _stamp(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")


def _one_of(whose: Mapping[str, str | None]) -> tuple[str, str]:
    """The one option that was given: its name and its value."""
    given = [(name, value) for name, value in whose.items() if value is not None]
    if len(given) != 1:
        raise click.UsageError("Give exactly one of --email, --phone, --linkedin and --id.")
    return given[0]


def _report(work: Coroutine[Any, Any, list[dict[str, Any]]]) -> None:
    found = _run(work)
    for each in found:
        click.echo(json.dumps(each, ensure_ascii=False))
    if not found:
        raise click.ClickException("Nothing is remembered of them.")


async def _remembered(
    settings: Settings, whose: tuple[str, str], environment: str | None, *, forget: bool
) -> list[dict[str, Any]]:
    """What is (or was, until now) remembered in each environment that has anything."""
    from app.links import privacy  # noqa: PLC0415
    from app.links.records import Records, memory_over  # noqa: PLC0415
    from app.migrate import migrated  # noqa: PLC0415
    from schema.vendor import Environment  # noqa: PLC0415

    start = _start(*whose)
    environments = [Environment(environment.upper())] if environment else list(Environment)
    async with migrated(settings.database_url) as engine, memory_over(engine) as memory:
        memories = [Records(memory, each) for each in environments]
        starts = [start or await privacy.start_of(each, whose[1]) for each in memories]
        act = privacy.forget if forget else privacy.show
        found = [await act(*each) for each in zip(memories, starts, strict=True)]
    return [each.as_json() for each in found if not each.is_nothing() or (each.shared and not forget)]


def _start(option: str, value: str) -> Circle | None:
    """Where the search begins, unless it is an ID, which only a database can tell."""
    from app.links.circle import Circle  # noqa: PLC0415
    from app.links.identifiers import email_of, linkedin_of, phone_of  # noqa: PLC0415

    wanted = {
        "email": (email_of, "an e-mail address, such as ada@example.com"),
        "phone": (phone_of, "an international phone number, such as +31612345678"),
        "linkedin": (linkedin_of, "a LinkedIn profile, such as https://www.linkedin.com/in/ada-example"),
    }
    if option not in wanted:
        return None
    read, what = wanted[option]
    found = read(value)
    if found is None:
        raise click.BadParameter(f"this is not {what}.", param_hint=f"--{option}")
    return Circle(identifiers=frozenset({found}))


async def _prepare(settings: Settings, *, sandbox: bool) -> None:
    """Makes the tables and the secret once, before any worker, and tries what else a worker needs. A sandbox starts anew: what
    it held is forgotten.
    """
    from app.links.records import memory_over  # noqa: PLC0415
    from app.main import open_signer  # noqa: PLC0415
    from app.migrate import migrated  # noqa: PLC0415
    from app.serving import without_credentials  # noqa: PLC0415
    from schema.vendor import Environment  # noqa: PLC0415

    _try_traces(settings)
    async with migrated(settings.database_url) as engine:
        open_signer(settings)
        if sandbox:
            async with memory_over(engine) as memory:
                await memory.forget(Environment.TEST, [spec.vendor for spec in without_credentials(settings)])


def _try_traces(settings: Settings) -> None:
    """Its own variables OpenTelemetry's SDK reads by itself. Raises BadSettings where it can do nothing with them."""
    from app.settings import BadSettings  # noqa: PLC0415

    if settings.traces_to is None:
        return
    from app.telemetry.traces import open_traces  # noqa: PLC0415  # every start is faster without OpenTelemetry's SDK

    try:
        open_traces(settings.traces_to, settings.traceparent).close()
    except ValueError:
        names = ", ".join(sorted(name for name in os.environ if name.startswith("OTEL_")))
        raise BadSettings(
            [f"{names}: OpenTelemetry's SDK refuses one of them, or two that don't fit together"]
        ) from None


if __name__ == "__main__":
    main()
