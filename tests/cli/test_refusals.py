"""What the command refuses, in one line each, and the help that would have told so."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.migrations import NEWEST
from tests.cli.command import SWITCHBOARD, Finished, files, run

INTERRUPTED = """
import os, signal, click
from app.cli import main
main.add_command(click.Command("slow", callback=lambda: os.kill(os.getpid(), signal.SIGINT)))
main(["slow"])
"""
COMMANDS = {
    (): {"serve", "sandbox", "keys", "schema"},
    ("serve",): {"--host", "--port", "--sandbox", "--demo", "--workers"},
    ("sandbox",): {"--ports", "--host", "--demo"},
    ("keys",): {"create"},
    ("keys", "create"): {"--name", "--environment", "--scope", "read", "person-logs:write"},
    ("schema",): {"export"},
    ("schema", "export"): set(),
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
async def test_every_command_explains_itself(tmp_path: Path, command: tuple[str, ...]) -> None:
    """`--help` names the options and commands, and makes no files."""
    shown = await run(SWITCHBOARD, *command, "--help", home=tmp_path)
    assert (shown.code, shown.err) == (0, "")
    words = set(shown.out.replace("[", " ").replace("|", " ").split())
    assert words >= {"Usage:", "switchboard", *command, *COMMANDS[command]}
    assert files(tmp_path) == []


async def test_demo_needs_the_sandboxes(tmp_path: Path) -> None:
    """`--demo` alone would fill nothing: it is refused with the option to add."""
    refused = await run(SWITCHBOARD, "serve", "--demo", home=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1] == "Error: --demo fills the sandboxes: add --sandbox."


async def test_bad_settings_are_all_shown_by_name_without_their_values(tmp_path: Path) -> None:
    """Every wrong variable in one answer; a key's text is not in it."""
    variables = {"BIRD_ACCESS_KEY": "hunter2\n", "SWITCHBOARD_SECRET": "hunter2", "SWITCHBOARD_LOG_LEVEL": "hunter2"}
    refused = await run(SWITCHBOARD, "serve", "--port", "0", home=tmp_path, **variables)
    assert refused == Finished(
        1,
        "",
        "Error: The settings are wrong:\n"
        "  BIRD_ACCESS_KEY holds a character that is not visible ASCII (a trailing line break, perhaps)\n"
        "  BIRD_WORKSPACE_ID is missing: BIRD_ACCESS_KEY alone does not open Bird\n"
        "  SWITCHBOARD_SECRET must have at least 16 characters\n"
        "  SWITCHBOARD_LOG_LEVEL must be one of debug, info, warning, error\n",
    )


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_a_database_that_cannot_be_reached_is_one_line(tmp_path: Path, workers: str) -> None:
    """Nothing is announced, nothing of the URL shown, and the variable named."""
    variables = {"SWITCHBOARD_DATABASE_URL": "postgresql://u:hunter2@127.0.0.1:1/x", "SWITCHBOARD_SECRET": "s" * 32}
    refused = await run(SWITCHBOARD, "serve", "--port", "0", "--workers", workers, home=tmp_path, **variables)
    line = "Error: The database can't be used (Connection refused). Check SWITCHBOARD_DATABASE_URL.\n"
    assert refused == Finished(1, "", line)


@pytest.mark.parametrize("command", ["serve --port 0", "keys list", "receipts show x"])
async def test_a_database_that_does_not_answer_is_one_line(tmp_path: Path, command: str) -> None:
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u:hunter2@127.0.0.1:{silent.getsockname()[1]}/x"
        variables = {"SWITCHBOARD_DATABASE_URL": url, "SWITCHBOARD_SECRET": "s" * 32}
        refused = await run(SWITCHBOARD, *command.split(), home=tmp_path, **variables)
    line = "Error: The database does not answer. See what it does, or check SWITCHBOARD_DATABASE_URL.\n"
    assert refused == Finished(1, "", line)


@pytest.mark.parametrize("command", ["serve --port 0", "keys list", "receipts show x"])
async def test_a_database_of_a_newer_release_is_one_line(tmp_path: Path, command: str) -> None:
    """As after a release was taken back: both revisions are named, and nothing is changed."""
    file = tmp_path / "switchboard.db"
    variables = {"SWITCHBOARD_DATABASE_URL": f"sqlite:///{file}", "SWITCHBOARD_SECRET": "s" * 32}
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        database.execute("INSERT INTO alembic_version VALUES ('9998')")
        refused = await run(SWITCHBOARD, *command.split(), home=tmp_path, **variables)
        assert database.execute("SELECT name FROM sqlite_master").fetchall() == [("alembic_version",)]
    line = (
        f"Error: The database was made by a newer switchboard (9998, this one knows {NEWEST}): "
        "run that one, or go back to a copy of the database from before.\n"
    )
    assert refused == Finished(1, "", line)


async def test_what_the_sdk_of_traces_refuses_is_one_line(tmp_path: Path) -> None:
    """By the names of its variables: it does not say which one it means."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_MAX_QUEUE_SIZE": "1"}
    refused = await run(SWITCHBOARD, "serve", "--port", "0", home=tmp_path, **variables)
    line = (
        "OTEL_BSP_MAX_QUEUE_SIZE, OTEL_EXPORTER_OTLP_ENDPOINT: "
        "OpenTelemetry's SDK refuses one of them, or two that don't fit together"
    )
    assert refused == Finished(1, "", f"Error: The settings are wrong:\n  {line}\n")


@pytest.mark.parametrize(
    "command", ["keys revoke", "receipts show", "keys create --environment test --scope read --name"]
)
async def test_an_argument_that_is_no_text_is_one_line(tmp_path: Path, command: str) -> None:
    """No database could hold it."""
    refused = await run(SWITCHBOARD, *command.split(), os.fsdecode(b"\xff"), home=tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.splitlines()[-1] == "Error: An argument is not UTF-8."
    assert files(tmp_path) == []


@pytest.mark.parametrize("command", ["serve", "sandbox", "demo reset"])
async def test_an_empty_host_is_refused(tmp_path: Path, command: str) -> None:
    """It would be every address of the machine."""
    refused = await run(SWITCHBOARD, *command.split(), "--host", "", home=tmp_path)
    assert (refused.code, refused.out, "'--host': it is empty" in refused.err) == (2, "", True)


async def test_before_anything_serves_ctrl_c_ends_without_a_word(tmp_path: Path) -> None:
    """The command leaves SIGINT to the system while it starts: no traceback, and a shell reads 130."""
    ended = await run(sys.executable, "-c", INTERRUPTED, home=tmp_path)
    assert ended == Finished(-signal.SIGINT, "", "")
