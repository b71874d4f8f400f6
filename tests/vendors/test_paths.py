"""What stands in the path of a call is one segment of it, whatever it is made of."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from app.wire import segment


@given(st.text() | st.from_regex(r"[A-Za-z0-9._~\-/%\n]*", fullmatch=True))
@example("823a297e-17cd-59f7-8d0a-93b6f6c8a214\n")
def test_a_text_is_quoted_as_the_library_does_it(text: str) -> None:
    """Though most are not given to it."""
    assert segment(text) == quote(text, safe="")
