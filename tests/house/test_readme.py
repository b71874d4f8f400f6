"""The README keeps up with the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.registry import VENDORS
from app.sandbox.faults import Fault
from app.variables import GENERAL, assumed_setting, vendor_variables
from schema.access import SCOPES
from schema.build import MUTATION_ERRORS

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")
SETTINGS = [
    *GENERAL,
    *(assumed_setting(spec) for spec in VENDORS if spec.assumed is not None),
    *(setting for spec in VENDORS for setting in vendor_variables(spec)),
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_has_a_row(setting: object) -> None:
    """An operator finds each variable in the table of settings."""
    assert f"| `{getattr(setting, 'name')}` |" in README  # noqa: B009  # a parameter of pytest is an object


def test_no_row_names_a_setting_that_is_gone() -> None:
    """And nothing else."""
    table = README.split("## Settings")[1].split("\n## ")[0]
    rows = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert rows == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("fault", Fault)
def test_every_magic_value_has_a_row(fault: Fault) -> None:
    """A partner finds each way in which a sandbox misbehaves on request."""
    assert f"`{fault.value}`" in README.split("## Sandboxes")[1].split("\n## ")[0]


def test_scopes_and_outcomes_are_named() -> None:
    """Each scope, and each type of error that a payload can carry."""
    assert [scope for scope in SCOPES if f"`{scope}`" not in README] == []
    assert [each.__name__ for each in MUTATION_ERRORS if f"`{each.__name__}`" not in README] == []


def test_no_two_examples_make_a_contact_of_one_address() -> None:
    """Whoever types one after the other is not told that the address is taken."""
    made = re.findall(r'"emailAddresses": \["(.+?)"\]', README)
    assert len(made) == len(set(made)) > 1


@pytest.mark.parametrize("command", ["make run", "make test", "make lock", "make test-all"])
def test_the_commands_that_it_names_exist(command: str) -> None:
    """What it tells to type can be typed."""
    target = command.removeprefix("make ")
    named = f"\n{target}:" in (ROOT / "Makefile").read_text("utf-8")
    assert named
    assert (command in README) is named
