"""Logs for operators: one JSON object per line on standard error, of fields on a list, without personal data.

What this program logs is in its own words. What a library logs may hold anything, an SQL statement with its values or the
text of an exception: of that only the first line is shown, with numbers, but with no other value put into it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

from structlog.stdlib import ProcessorFormatter

from app.telemetry.describe import describe
from app.telemetry.operations import trace_fields
from app.telemetry.requests import known_request_id

FIELDS = frozenset(
    {
        "at",
        "attempts",
        "code",
        "environment",
        "error",
        "gateway_key",
        "limit",
        "method",
        "ms",
        "operation",
        "outcome",
        "path",
        "receipt",
        "request_id",
        "state",
        "status",
        "type",
        "vendor",
    }
)
"""What a line may hold beside its time, level, logger and message. What else the gateway logs is named in `left_out`."""

_OWN = ("app", "schema")
HANDSHAKES = "uvicorn.websockets"
_TALKATIVE = ("aiosqlite", "asyncpg", "httpcore", "httpx", "opentelemetry", "sqlalchemy", "urllib3", HANDSHAKES)
"""They log URLs, headers, addresses, and the values of statements."""

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST = 500


class JsonLines(ProcessorFormatter):
    """Renders every record, of whatever logger, by the same chain."""

    def __init__(self) -> None:
        super().__init__(processors=[_line, _render], use_get_message=False, pass_foreign_args=True)


class Ours(logging.Filter):
    """Lets libraries say nothing below a warning; the server may say at what address it listens."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or _room(record) in (*_OWN, "uvicorn")


def configure_logging(level: str) -> None:
    """Sends every log to standard error in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(Ours())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


def _line(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A record as a line's fields."""
    record: logging.LogRecord = event["_record"]
    is_own = _room(record) in _OWN
    given = {name: value for name, value in vars(record).items() if is_own and name not in _STANDARD}
    line: dict[str, Any] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": _message(record, event.get("positional_args")),
    }
    if (request_id := known_request_id()) is not None:
        line["request_id"] = request_id
    line |= trace_fields()
    line |= {name: _plain(value) for name, value in given.items() if name in FIELDS}
    if event.get("exc_info") and event["exc_info"][1]:
        line |= describe(event["exc_info"][1])
    if left_out := sorted(given.keys() - FIELDS):
        line["left_out"] = left_out
    return line


def _render(_: Any, __: str, line: MutableMapping[str, Any]) -> str:
    return json.dumps(line)


def _message(record: logging.LogRecord, arguments: Any) -> str:
    """A record's text; of a library's, what is certain to be the library's own."""
    text = str(record.msg)
    if _room(record) not in _OWN:
        arguments = tuple(map(_number, arguments)) if isinstance(arguments, tuple) else ()
        text = text.partition("\n")[0]
    try:
        return (text % arguments if arguments else text)[:_LONGEST]
    except (TypeError, ValueError):  # a number was asked for, and there is none to be shown
        return text[:_LONGEST]


def _number(value: object) -> object:
    return value if isinstance(value, int | float) else "…"


def _plain(value: object) -> object:
    """Only what JSON has a form for: anything else might show more of itself than it should."""
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value if isinstance(value, str | int | float | None) else type(value).__name__


def _room(record: logging.LogRecord) -> str:
    return record.name.partition(".")[0]
