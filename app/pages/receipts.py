"""Receipts for whoever is on call: what became of writes, the history of one, and which vendors answer.

The page holds no data. Its script keeps the gateway key and fetches what is shown, made into HTML here, with the key in a
header: what the key may not read by GraphQL, it does not see here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from markupsafe import Markup
from starlette.types import Receive, Scope, Send

from app.answers import Answer, Answers
from app.endpoint import GraphQLEndpoint
from app.head import Head
from app.negotiation import JSON_TYPE
from app.outcome import status_of
from app.pages.policy import new_nonce, own_only, page
from app.pages.receipt_html import one, several, wrong
from app.pages.templates import template
from app.request import GraphQLRequest
from app.telemetry import current_request_id
from app.trusted import TrustedDocument
from schema.types.receipt import WriteState

_FOLDER = Path(__file__).parent / "documents"
_HTML = (b"content-type", b"text/html; charset=utf-8")
_POLICY = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


@dataclass(frozen=True)
class ReceiptsPage:
    """`GET /receipts`, an ASGI app; `key`, if any, is filled in for whoever opens it."""

    key: str | None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = template("receipts").format(key=self.key or "")
        await page(body, own_only(new_nonce()))(scope, receive, send)


class ReceiptsParts:
    """`GET /receipts/writes`, an ASGI app: the part of the page that a key may see."""

    def __init__(self, endpoint: GraphQLEndpoint) -> None:
        self._endpoint = endpoint
        self._documents = {each.id: each for each in page_documents()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head(scope)
        given = _parameters(head.query_string)

        async def read(_: Head, __: Receive) -> GraphQLRequest:
            return self._request(given)

        show = one if given.get("find") else several
        answers = _Html(JSON_TYPE, current_request_id(), show=lambda body: show(body, given))
        await (await self._endpoint.respond(head, receive, answers, read))(scope, receive, send)

    def _request(self, given: Mapping[str, str]) -> GraphQLRequest:
        find = given.get("find")
        if find:
            return _ask(self._documents["receipt_page"], {"find": find, "id": find})
        state = given.get("state")
        variables = {
            "state": state if state in WriteState.__members__ else None,
            "needsAttention": True if given.get("attention") else None,
            "after": given.get("after"),
        }
        return _ask(self._documents["receipts_page"], variables)


def page_documents() -> list[TrustedDocument]:
    """What the page asks: trusted, as the operations of `queries/` are."""
    return [TrustedDocument(file.stem, file.read_text("utf-8")) for file in sorted(_FOLDER.glob("*.graphql"))]


@dataclass
class _Html(Answers):
    """GraphQL's answers as HTML, by `show`."""

    show: Callable[[Mapping[str, Any]], Markup] = wrong

    def _answer(self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[bytes, bytes]] = ()) -> Answer:
        if status == 200:
            status, _ = status_of(body)
        shown = self.show(body) if body.get("data") else wrong(body)
        plain = super()._answer(status, {}, headers)
        kept = [each for each in plain.headers if each[0] != b"content-type"]
        return Answer(status, [_HTML, _POLICY, *kept], str(shown).encode())


def _ask(document: TrustedDocument, variables: dict[str, Any]) -> GraphQLRequest:
    return GraphQLRequest(None, variables=variables, document_id=document.id)


def _parameters(query_string: bytes) -> dict[str, str]:
    """The page's own parameters: the last of each name."""
    pairs = parse_qs(query_string.decode("latin-1")) if len(query_string) < 4096 else {}
    return {name: values[-1].strip() for name, values in pairs.items()}
