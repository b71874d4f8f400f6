"""GraphiQL for browsers, opened with the gateway's own operations."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from app.pages import fallback
from app.pages.policy import for_graphiql, new_nonce, page
from app.pages.templates import template
from app.trusted import QUERIES, TrustedDocument

BUILT = Path(__file__).parent / "assets"
"""Where `make` puts what it builds of `web/`; empty without npm."""
OWN = Path(__file__).parent / "static"
_TABS = ("profile", "create_contact", "receipts")
_HASHED = "chunk-"


@dataclass(frozen=True)
class GraphiQL:
    """The page, an ASGI app. `documents` are its examples; `key`, if any, is filled in for whoever opens it."""

    documents: Sequence[TrustedDocument]
    key: str | None
    built: Path = BUILT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._page(Request(scope))(scope, receive, send)

    def _page(self, request: Request) -> Response:
        nonce = new_nonce()
        data = Markup(_script_json(self._data()))  # noqa: S704  # escaped for a script element
        if (self.built / "built.json").is_file():
            body = template("graphiql").format(nonce=nonce, data=data)
            return page(body, for_graphiql(nonce, request))
        body = template("graphiql_fallback").format(nonce=nonce, data=data, tags=fallback.tags())
        return page(body, for_graphiql(nonce, request, fallback.CDN))

    def _data(self) -> dict[str, Any]:
        variables = example_variables()
        return {
            "endpoint": "/graphql",
            "headers": {"authorization": f"Bearer {self.key}"} if self.key else None,
            "tabs": _TABS,
            "examples": [_example(each, variables) for each in self.documents],
        }


def example_variables() -> dict[str, dict[str, Any]]:
    """Variables for the demo world, by the operation's name.

    On a fresh gateway activity, person, person_linked, prospect and receipt find nothing before another operation has made or
    met what they ask for.
    """
    found: dict[str, dict[str, Any]] = json.loads((QUERIES / "examples.json").read_text("utf-8"))
    return found


class Assets(StaticFiles):
    """Files of a page. Those with a hash in their name never change; the others are asked for again."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory=directory, check_dir=False)

    async def check_config(self) -> None:
        """A folder that was not built is no fault: nothing is found in it."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        scope["headers"] = [each for each in scope["headers"] if not _is_unknown_range(*each)]
        response = await super().get_response(path, scope)
        unchanging = path.startswith(_HASHED)
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if unchanging else "no-cache"
        response.headers["x-content-type-options"] = "nosniff"
        return response


def _is_unknown_range(name: bytes, value: bytes) -> bool:
    """Whether it asks for a part in units other than bytes: that is passed over (RFC 9110, section 14.2)."""
    return name == b"range" and value.partition(b"=")[0].strip().lower() != b"bytes"


def _example(document: TrustedDocument, variables: Mapping[str, Any]) -> dict[str, Any]:
    given = variables.get(document.id)
    return {
        "name": document.id,
        "kind": document.kind,
        "description": document.description,
        "query": document.text,
        "variables": json.dumps(given, indent=2, ensure_ascii=False) if given else None,
    }


def _script_json(value: object) -> str:
    """JSON that no HTML parser takes for the end of its script element (HTML, section 4.12.1.3)."""
    return (
        json.dumps(value, ensure_ascii=False)
        .replace("<", "\\u003c")
        .replace("\u2028", "\\u2028")
        .replace("\u2029", "\\u2029")
    )
