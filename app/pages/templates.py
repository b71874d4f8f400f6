"""HTML files with {names} in them; whatever is put in their place by `format` is escaped."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

_FOLDER = Path(__file__).parent / "templates"


def template(name: str) -> Markup:
    """`templates/{name}.html`, to be formatted; a Markup that is put into it stays as it is."""
    return Markup((_FOLDER / f"{name}.html").read_text("utf-8"))  # noqa: S704  # a file of this package
