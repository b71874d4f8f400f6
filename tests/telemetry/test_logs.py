"""What a line of the log holds, and what it never holds, whoever wrote it."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any

import pytest

from app.telemetry import JsonLines
from app.telemetry.logs import Ours

SECRET = "ada@example.com"


def _record(name: str, message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    return logging.getLogger(name).makeRecord(
        name, logging.ERROR, __file__, 1, message, arguments, None, extra=extra or None
    )


def _line(record: logging.LogRecord) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(JsonLines().format(record))
    assert line.pop("time").endswith("+00:00")
    return line


def test_a_line_of_the_gateway_holds_its_text_and_the_fields_on_the_list() -> None:
    """Whatever else it was given is named, so that nobody looks for it in vain, and not shown."""
    record = _record("app.rest", "call of %s", "Bird", vendor="BIRD", ms=12, payload={"to": SECRET}, email=SECRET)
    assert _line(record) == {
        "level": "error",
        "logger": "app.rest",
        "message": "call of Bird",
        "vendor": "BIRD",
        "ms": 12,
        "left_out": ["email", "payload"],
    }


def test_fields_of_a_library_are_not_even_named() -> None:
    """They mean something to the library alone, and may hold anything."""
    record = _record("uvicorn.error", "Started server process [%d]", 7, color_message=SECRET, path=SECRET)
    shown = {"level": "error", "logger": "uvicorn.error", "message": "Started server process [7]"}
    assert _line(record) == shown


def test_a_field_is_shown_only_if_json_has_a_form_for_it() -> None:
    """An object shows its type, also within a list: its text could be anything."""
    record = _record("app.rest", "x", path=["nodes", 1, ValueError(SECRET)], outcome=ValueError(SECRET), status=None)
    assert _line(record) == {
        "level": "error",
        "logger": "app.rest",
        "message": "x",
        "path": ["nodes", 1, "ValueError"],
        "outcome": "ValueError",
        "status": None,
    }


@pytest.mark.parametrize(
    ("message", "arguments", "shown"),
    [
        (
            "Failed to export %s batch code: %s, reason: %s",
            ("spans", 503, SECRET),
            "Failed to export … batch code: 503, reason: …",
        ),
        ("took %.3f seconds", (0.25,), "took 0.250 seconds"),
        ("%d of these", (SECRET,), "%d of these"),
        ("%(who)s wrote", ({"who": SECRET},), "%(who)s wrote"),
        ("100% " + "x" * 600, (), ("100% " + "x" * 600)[:500]),
        (f"Task exception was never retrieved\nRuntimeError('{SECRET}')", (), "Task exception was never retrieved"),
    ],
)
def test_of_a_librarys_text_only_its_own_words_and_numbers_are_shown(
    message: str, arguments: tuple[object, ...], shown: str
) -> None:
    """Values that it puts in might be a vendor's or a person's."""
    line = _line(_record("asyncio", message, *arguments))
    assert line == {"level": "error", "logger": "asyncio", "message": shown}


def test_an_exception_is_shown_by_its_type_and_places() -> None:
    """Its text may quote a vendor."""
    record = _record("uvicorn.error", "Exception in ASGI application\n")
    record.exc_info = _raised(RuntimeError(SECRET))
    line = _line(record)
    [place] = line.pop("at")
    assert place.startswith(f"{__file__}:")
    assert line == {
        "level": "error",
        "logger": "uvicorn.error",
        "message": "Exception in ASGI application",
        "error": "RuntimeError",
    }


def test_a_line_is_one_line() -> None:
    """Whatever is in it: a forged second line would be read as the gateway's word."""
    shown = JsonLines().format(_record("app.rest", 'a\nb\u2028c"\x00'))
    assert len(shown.splitlines()) == 1
    assert json.loads(shown)["message"] == 'a\nb\u2028c"\x00'


@pytest.mark.parametrize(
    ("name", "level", "passes"),
    [
        ("app.rest", logging.DEBUG, True),
        ("uvicorn.error", logging.INFO, True),
        ("sqlalchemy.engine", logging.INFO, False),
        ("application", logging.INFO, False),
        ("sqlalchemy.pool", logging.WARNING, True),
    ],
)
def test_libraries_say_nothing_below_a_warning(name: str, level: int, passes: bool) -> None:
    """At lower levels they log statements with their values, headers and URLs."""
    record = logging.LogRecord(name, level, __file__, 1, "x", None, None)
    assert Ours().filter(record) is passes


@pytest.mark.parametrize(("level", "expected"), [("warning", ["app"]), ("info", ["app", "app.info", "uvicorn.error"])])
def test_every_logger_goes_through_one_renderer(level: str, expected: list[str]) -> None:
    """To standard error, from the level on that a setting names; asyncio, httpcore and the server included."""
    program = f"""
import asyncio, logging
from app.telemetry import configure_logging
configure_logging({level!r})
logging.getLogger("app").warning("one")
logging.getLogger("app.info").info("two")
logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
logging.getLogger("httpcore.http11").info("{SECRET}")
logging.getLogger("some.library").info("{SECRET}")
async def fail():
    raise RuntimeError("{SECRET}")
async def main():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0)
    del task
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  # our own
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["logger"] for line in lines] == [*expected, "asyncio"]
    assert (lines[-1]["message"], lines[-1]["error"]) == ("Task exception was never retrieved", "RuntimeError")
    assert SECRET not in done.stderr + done.stdout


def _raised(error: Exception) -> tuple[type[Exception], Exception, TracebackType | None]:
    """As a logger is given an exception that was caught here."""
    with suppress(type(error)):
        raise error
    return type(error), error, error.__traceback__
