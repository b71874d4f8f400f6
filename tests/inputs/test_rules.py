"""The rules for e-mail addresses, phone numbers and URLs are total: any text is judged, and judged the same again."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given
from hypothesis import strategies as st

from schema.errors import Refusal
from schema.rules import Rules

Judge = Callable[[Rules, str | None], str | None]

JUDGES: dict[str, Judge] = {"email": Rules.email, "phone": Rules.phone, "url": Rules.url}
LIKELY = (
    st.emails()
    | st.from_regex(r"\A\s*\+[0-9 \-\u00a0]{2,17}\s*\Z")
    | st.from_regex(r"\Ahttps?://[^\s]{0,30}\Z")
    | st.from_regex(r"\A\S{1,10}@\S{1,10}\.\w{2,4}\Z")
)
ANYTHING = st.text() | st.text(st.characters()) | LIKELY | LIKELY.map("\u2003{}\n".format)


def _judge(judge: Judge, value: str | None) -> tuple[str | None, bool]:
    """What a rule makes of a value, and whether the value passes it."""
    rules = Rules()
    result = judge(rules, value)
    try:
        rules.finish()
    except Refusal:
        return result, False
    return result, True


@pytest.mark.parametrize("name", JUDGES)
@given(value=ANYTHING)
@example("\ud800@example.com")
@example("a@\ud800.com")
@example("https://\ud800")
@example("https://[::1")
@example("https://example.com:99999/")
@example("https://a\u2100b/")
@example("a\u2003-")
@example("+31\u2003-")
def test_a_rule_judges_any_text_and_its_own_result_the_same(name: str, value: str) -> None:
    """It never fails; a second time changes nothing; what is refused comes back as it was given."""
    result, passes = _judge(JUDGES[name], value)
    assert _judge(JUDGES[name], result) == (result, passes)
    assert passes or result == value


LABEL = r"[a-z0-9]{1,5}"
ODD_LABEL = r"[a-z0-9-]{1,5}|[a-z0-9]{60,66}|xn--[a-z0-9]{1,5}"
NEARLY_PLAIN = st.from_regex(
    rf"\A([a-z0-9_+.-]{{1,8}}|[a-z0-9.]{{62,66}}|info)@(({LABEL}|{ODD_LABEL})\.){{0,5}}"
    r"([a-z]{1,4}|[a-z0-9-]{1,4}|test|invalid|local|localhost|onion|arpa|example)\.?\Z"
) | st.from_regex(rf"\A[a-z0-9_+-]{{1,8}}(\.[a-z0-9]{{1,3}})?@(({LABEL})\.){{1,3}}[a-z]{{2,4}}\Z")


@given(value=NEARLY_PLAIN | st.emails() | ANYTHING)
def test_an_email_address_is_judged_as_by_email_validator(value: str) -> None:
    """Those that are plain are not shown to it: they are the same that it would accept, and would give back as they are."""
    try:
        found = validate_email(value.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        assert _judge(Rules.email, value) == (value, False)
    else:
        assert _judge(Rules.email, value) == (f"{found.local_part}@{found.ascii_domain or found.domain}", True)


@pytest.mark.parametrize("name", JUDGES)
def test_what_is_absent_stays_absent(name: str) -> None:
    """And breaks no rule."""
    assert _judge(JUDGES[name], None) == (None, True)


@pytest.mark.parametrize(
    ("name", "value", "normal"),
    [
        ("email", " Ada.B+tag@EXAMPLE.Com\n", "Ada.B+tag@example.com"),
        ("email", "ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("phone", " +31\u00a06-1234 56-78 ", "+31612345678"),
        ("phone", "+ 1 2", "+12"),
        ("url", " https://www.linkedin.com/in/ada?x=1#y\n", "https://www.linkedin.com/in/ada?x=1#y"),
        ("url", "HTTPS://LinkedIn.com/in/Ädä", "HTTPS://LinkedIn.com/in/Ädä"),
    ],
)
def test_a_value_is_brought_into_its_normal_form(name: str, value: str, normal: str) -> None:
    """A URL is left as it is, for its parts may mean something to its server."""
    assert _judge(JUDGES[name], value) == (normal, True)
