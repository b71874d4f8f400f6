"""The plugin on gateways that leak: it must be able to fail a run."""

from __future__ import annotations

import re
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path

import pytest

from tests.canaries.forms import forms

LEAKING = Path(__file__).with_name("leaking.py")
FOUND = {
    "answer, during test_answer: a key of kind artu",
    "answer, during test_received: a key of kind bird",
    "answer, during test_raw: a key of kind wrong",
    "record, during test_record: a key of kind architect",
    "captured text, during test_record: a key of kind architect",
    "span, during test_span: a key of kind token",
    "label, during test_label: a key of kind metrics",
    "output, during test_output: a key of kind store",
    "output, during test_made: a key of kind gateway",
    "file left/switchboard.db-wal, during test_made: a key of kind gateway",
    "captured text, during test_text: a key of kind database",
    "file test_wal0/left/switchboard.db-wal, during the whole run: a key of kind reevo",
    "file test_secret0/switchboard.secret, during the whole run: a key of kind secret",
}


def test_every_leak_fails_the_run(pytester: pytest.Pytester) -> None:
    """Though every test passes; it is said where which key was found, and none is shown."""
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n1", str(LEAKING))
    assert (run.ret, run.parseoutcomes()) == (pytest.ExitCode.TESTS_FAILED, {"passed": 12})
    told = [re.sub(r"\S*leaking\.py::", "", line) for line in run.outlines if line.startswith("CANARY in ")]
    assert {line.removeprefix("CANARY in ") for line in told} == FOUND
    assert re.findall(r"cnry[0-9a-f]{8}", run.stdout.str() + run.stderr.str()) == []


def test_a_run_without_leaks_passes(pytester: pytest.Pytester) -> None:
    """Also where keys may be seen: in a secret's own file, and where a command tells a key that it has made."""
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider", f"{LEAKING}::test_clean")
    assert (run.ret, run.parseoutcomes()) == (pytest.ExitCode.OK, {"passed": 1})
    run.stdout.fnmatch_lines(["canaries: 0 found in answer 1, *"])


def test_a_word_is_found_in_every_form() -> None:
    """In base64 at each of its offsets and in both alphabets, whatever stands around it."""
    word = "canary?>~5e0d/é"
    for before in ("", "a", "ab"):
        text = f"{before}{word} and more".encode()
        for hidden in (
            text,
            b64encode(text),
            urlsafe_b64encode(text),
            text.hex().encode(),
            text.hex().upper().encode(),
        ):
            assert any(form in hidden for form in forms(word))
