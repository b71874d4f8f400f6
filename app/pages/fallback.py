"""GraphiQL from a public CDN, for servers on which its files were not built.

GraphiQL 5 is published as modules that a browser can't load as they are; 4.1.2 is its last release in one file. Each file
is pinned by its version and by the hash of what the package of that version holds (Subresource Integrity).
"""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

CDN = "https://cdn.jsdelivr.net"


@dataclass(frozen=True)
class Pinned:
    """One file of a package: its path at the CDN, and the hash without which a browser refuses it."""

    package: str
    version: str
    file: str
    integrity: str

    @property
    def url(self) -> str:
        return f"{CDN}/npm/{self.package}@{self.version}/{self.file}"


SCRIPTS = (
    Pinned(
        "react",
        "18.3.1",
        "umd/react.production.min.js",
        "sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
    ),
    Pinned(
        "react-dom",
        "18.3.1",
        "umd/react-dom.production.min.js",
        "sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
    ),
    Pinned(
        "graphiql",
        "4.1.2",
        "graphiql.min.js",
        "sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B",
    ),
    Pinned(
        "@graphiql/plugin-explorer",
        "4.0.6",
        "dist/index.umd.js",
        "sha384-gXYG2RCFRuAiKUaKTbKxOVlvr0U9z0D/V/l5jdvRSH46vQ+9cpkG2d3ByiggUYvD",
    ),
)
STYLES = (
    Pinned(
        "graphiql",
        "4.1.2",
        "graphiql.min.css",
        "sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr",
    ),
    Pinned(
        "@graphiql/plugin-explorer",
        "4.0.6",
        "dist/style.css",
        "sha384-XffIsImDMwexX8UM/Bg3tss0MZOeQmZcnHzk0avUrw9ff0IQ2g9j7QLA6m2lz5D0",
    ),
)

_SCRIPT = Markup('<script src="{}" integrity="{}" crossorigin="anonymous"></script>\n')
_STYLE = Markup('<link rel="stylesheet" href="{}" integrity="{}" crossorigin="anonymous">\n')


def tags() -> Markup:
    """The elements that load them, in order."""
    styles = [_STYLE.format(each.url, each.integrity) for each in STYLES]
    return Markup().join([*styles, *(_SCRIPT.format(each.url, each.integrity) for each in SCRIPTS)])
