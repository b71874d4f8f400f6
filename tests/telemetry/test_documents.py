"""The dashboard and the README name the metrics that there are, all of them, and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.telemetry import Telemetry
from app.telemetry.sights import Shown
from tests.gateway import Gateway
from tests.telemetry.scrape import of

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "switchboard.json").read_text("utf-8"))
README = (ROOT / "README.md").read_text("utf-8").split("\n## Telemetry\n")[1].split("\n## ")[0]
SUFFIXES = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum")}


async def _metrics(gateway: Gateway) -> dict[str, tuple[str, ...]]:
    """Every metric that is answered and its series' names."""
    families = list(text_string_to_metric_families((await gateway.http.get("/metrics")).text))
    return {each.name: tuple(each.name + suffix for suffix in SUFFIXES.get(each.type, ("",))) for each in families}


async def test_every_expression_of_the_dashboard_asks_for_metrics_that_exist(served: Gateway) -> None:
    """A panel that stays empty would look like a quiet gateway."""
    known = {name for names in (await _metrics(served)).values() for name in names}
    asked = {expression: _asked(expression) for expression in _expressions(DASHBOARD)}
    assert len(asked) > 15
    assert {expression: names - known for expression, names in asked.items() if not names or names - known} == {}


async def test_every_metric_of_the_gateways_own_is_on_the_dashboard(served: Gateway) -> None:
    """What nobody looks at need not be counted."""
    asked = set().union(*map(_asked, _expressions(DASHBOARD)))
    own = {name: names for name, names in (await _metrics(served)).items() if not name.startswith("process_")}
    assert [name for name, names in own.items() if asked.isdisjoint(names)] == []


async def test_the_readme_lists_every_metric(served: Gateway) -> None:
    """As it stands in an expression; and none that is gone."""
    metrics = await _metrics(served)
    own = {names[0] if len(names) == 1 else name for name, names in metrics.items() if not name.startswith("process_")}
    rows = set(re.findall(r"^\| `([a-z]+_[a-z_]+)`", README, re.MULTILINE))
    assert rows == own


async def test_the_readme_names_spans_and_attributes() -> None:
    """Those of the semantic conventions, and the gateway's own."""
    source = (ROOT / "app" / "telemetry" / "traces.py").read_text("utf-8")
    own = re.findall(r'"(switchboard\.[a-z.]+)"', source)
    assert [name for name in own if f"`{name}`" not in README] == []
    assert [field for field in Shown.__annotations__ if field not in README] == []


async def test_every_label_of_the_dashboard_exists() -> None:
    """Those of the gateway's metrics, and what Prometheus adds when it scrapes."""
    telemetry = Telemetry()
    bird = telemetry.vendor("BIRD", "TEST", "http://vendor")
    bird.called("contacts.list", "GET", "200", 0.1)
    bird.breaker("contacts.list", "open")
    telemetry.moved(None, "PENDING", 1)
    telemetry.refused(401)
    telemetry.turned_away("RATE_LIMITED", {})
    with telemetry.operation():
        pass
    known = {name for _, labels in of(telemetry.metrics.registry) for name, _ in labels} | {"instance", "job", "state"}
    used = {label for expression in _expressions(DASHBOARD) for label in _labels(expression)}
    assert used - known == set()
    assert {"vendor", "outcome", "le"} <= used


@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        ('sum by (vendor) (rate(a_total{vendor=~"b_total"}[$__rate_interval])) / 2', {"a_total"}),
        ("histogram_quantile(0.5, sum by (le) (rate(a_bucket[5m])))", {"a_bucket"}),
        ("max(a) - min(b{})", {"a", "b"}),
    ],
)
async def test_what_an_expression_asks_for_is_found(expression: str, asked: set[str]) -> None:
    """The checks above find what they look for."""
    assert _asked(expression) == asked


def _expressions(node: Any) -> list[str]:
    """All `expr` anywhere in the dashboard, and what its variables ask for."""
    if isinstance(node, list):
        return [found for each in node for found in _expressions(each)]
    if not isinstance(node, dict):
        return []
    own = [node["expr"]] if "expr" in node else []
    own += re.findall(r"^label_values\((\w+), \w+\)$", str(node.get("definition", "")))
    return own + [found for each in node.values() for found in _expressions(each)]


def _asked(expression: str) -> set[str]:
    """The names in an expression of PromQL that are no functions, keywords, labels, strings or durations."""
    bare = re.sub(r'"[^"]*"|\{[^}]*\}|\[[^\]]*\]|\b(by|without|on) \([^)]*\)', " ", expression.replace('"}', '" }'))
    return {name for name in re.findall(r"\b[a-zA-Z_]\w*\b(?!\s*\()", bare) if name not in {"sum", "max", "by"}}


def _labels(expression: str) -> set[str]:
    """The labels that an expression selects or groups by."""
    grouped = [name for names in re.findall(r"\bby \(([^)]*)\)", expression) for name in names.split(", ")]
    return {*grouped, *re.findall(r'(\w+)\s*=~?\s*"', expression)}
