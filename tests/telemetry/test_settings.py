"""The settings of telemetry: what is taken, what is refused, and what a gateway without them does not even load."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.registry import VENDORS
from app.settings import BadSettings, read_settings


@pytest.mark.parametrize(
    ("environ", "traces_to"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, "http://collector:4318/v1/traces"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://collector.example/otlp/"},
            "https://collector.example/otlp/v1/traces",
        ),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a:1/t", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://b"},
            "http://a:1/t",
        ),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"}, None),
    ],
)
def test_traces_go_where_the_standard_variables_say(environ: dict[str, str], traces_to: str | None) -> None:
    """The shared one is a base, the one for traces a full address (OpenTelemetry specification, OTLP exporter)."""
    assert read_settings(environ, VENDORS).traces_to == traces_to


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("SWITCHBOARD_METRICS_KEY", "short", "must have at least 16 characters, all of them visible ASCII"),
        (
            "SWITCHBOARD_METRICS_KEY",
            "sixteen characters",
            "must have at least 16 characters, all of them visible ASCII",
        ),
        ("SWITCHBOARD_TRACEPARENT", "child", "must be one of parent, link, ignore"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "must be an http or https address, without credentials"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://me:secret@collector",
            "must be an http or https address, without credentials",
        ),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[", "must be an http or https address, without credentials"),
        ("PROMETHEUS_MULTIPROC_DIR", "/nowhere/at/all", "is not a folder"),
    ],
)
def test_what_is_wrong_is_told_by_name_and_not_by_value(name: str, value: str, problem: str) -> None:
    """A key or a collector's address stands in no message."""
    with pytest.raises(BadSettings) as bad:
        read_settings({name: value}, VENDORS)
    assert bad.value.problems == [f"{name} {problem}"]


def test_without_a_collector_nothing_of_opentelemetry_is_loaded(tmp_path: Path) -> None:
    """Nor is a metrics key shown by the settings."""
    program = f"""
import json, sys
from app.main import create_app
from app.registry import VENDORS
from app.settings import read_settings
settings = read_settings(
    {{"SWITCHBOARD_DATABASE_URL": "sqlite:///{tmp_path}/x.db", "SWITCHBOARD_METRICS_KEY": "canary-of-the-metrics"}}, VENDORS
)
create_app(settings)
print(json.dumps([[name for name in sys.modules if name.startswith("opentelemetry")], "canary" in repr(settings)]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  # our own
    assert json.loads(done.stdout) == [[], False]
