"""What is said of performance: the README's table is that of the figures, and the kit names who is missing."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.bench.measure import Round
from tests.bench.plots import Plot
from tests.bench.report import Figures, Report
from tests.bench.summary import markdown, put_into, table_of
from tests.bench.workloads import leaves, workloads

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs" / "performance.json"


def report() -> Report:
    """The gateway at 100 requests per CPU-second of one contact, another at 50, and a third that could not be had."""
    asked = [each for each in workloads([]) if each.name == "one"]
    found = Report(asked, 8.0, missing={"hive": "npm: No such file"})
    for name, requests in (("switchboard", 800), ("yoga", 400)):
        found.figures[name] = Figures(0.5, 100.0, 90.0, {"one": [Round(requests, 8.0, 8.0, 1.0, 2.0, 0, 1.0)]})
    return found


def test_the_readme_has_the_table_of_the_figures() -> None:
    """Nobody edits it by hand, and none is there before there are figures."""
    expected = markdown(json.loads(FIGURES.read_text("utf-8"))) if FIGURES.exists() else ""
    assert table_of(ROOT / "README.md") == expected


def test_the_table_has_ratios_and_names_who_is_missing(tmp_path: Path) -> None:
    """As text, as JSON and as Markdown."""
    made = report()
    made.write(tmp_path / "performance.json", "python -m tests.bench")
    content = json.loads((tmp_path / "performance.json").read_text("utf-8"))
    assert content["workloads"]["one"]["ratios"] == {"yoga": 2.0}
    assert content["workloads"]["one"]["contenders"]["yoga"]["perCpuSecond"] == 50.0
    assert "missing: hive: npm: No such file" in made.table()
    table = markdown(content)
    assert "| yoga | 50 (2.00) | 100 and 90 MB | 0.50 s |" in table
    assert "Missing: hive (npm: No such file)." in table


def test_the_table_is_put_between_its_marks(tmp_path: Path) -> None:
    """And nothing else of the README changes."""
    readme, figures = tmp_path / "README.md", tmp_path / "performance.json"
    report().write(figures, "python -m tests.bench")
    readme.write_text("before\n<!-- make bench -->\nold\n<!-- end of make bench -->\nafter\n", "utf-8")
    put_into(readme, figures)
    put_into(readme, figures)
    assert table_of(readme) == markdown(json.loads(figures.read_text("utf-8")))
    assert readme.read_text("utf-8").startswith("before\n<!-- make bench -->\n|")
    assert readme.read_text("utf-8").endswith("<!-- end of make bench -->\nafter\n")


def test_leaves_are_compared_without_ids() -> None:
    """Every contender makes its own; empty lists and null are leaves."""
    assert leaves({"a": {"id": "1", "b": [1, {"c": None}]}, "d": []}) == [1, None, []]


def test_a_plot_is_well_formed() -> None:
    """One line for each series, one point for each value, both axes named."""
    drawing = Plot("Growth", "leaves", "milliseconds", [("CPU", [(10, 0.1), (100, 1.0)]), ("p50", [(10, 2.0)])]).svg()
    root = ET.fromstring(drawing)  # noqa: S314  # made here
    tags = [each.tag.rpartition("}")[2] for each in root.iter()]
    assert (tags.count("polyline"), tags.count("circle")) == (2, 3)
    assert {"Growth", "leaves", "milliseconds", "CPU", "p50"} <= {each.text for each in root.iter()}
