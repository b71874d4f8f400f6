"""Documents that need not be sent: trusted ones, known before anybody asks, and those that a client has sent before.

By `documentId` (GraphQL over HTTP, appendix "Persisted Documents") or by Apollo's extension `persistedQuery`
(https://www.apollographql.com/docs/apollo-server/performance/apq).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from graphql import GraphQLError

from app.bad_request import BadRequest
from app.execution.refused import Refused
from app.request import GraphQLRequest
from app.trusted import TrustedDocument
from schema.vendor import Environment

PREFIX = "sha256"
MOST_DOCUMENTS = 1_000
MOST_BYTES = 8 * 1024 * 1024
LONGEST = 64 * 1024
"""In bytes: a longer document is run, and not remembered."""

_HEX = re.compile(r"[0-9a-f]{64}")


class Documents:
    """Finds the text that a request means. In the environments of `only` no other documents run than trusted ones."""

    def __init__(self, trusted: Iterable[TrustedDocument], only: frozenset[Environment] = frozenset()) -> None:
        known = list(trusted)
        self._by_hash = {each.sha256: each for each in known}
        self._by_id = {each.id: each for each in known}
        self._only = only
        self._sent = SentDocuments()

    def named(self, name: str) -> TrustedDocument | None:
        """The trusted document with this ID: for those in a folder, the name of its file."""
        return self._by_id.get(name)

    def text(self, asked: GraphQLRequest, environment: Environment) -> str:
        """The document's text. Raises BadRequest where none is meant, Refused where it is not known or not trusted."""
        if asked.document_id is not None:
            return self._identified(asked.document_id, asked.query, environment)
        digest = _persisted_query(asked.extensions) if asked.extensions else None
        if digest is not None:
            return self._persisted(digest, asked.query, environment)
        if asked.query is None:
            raise BadRequest(400, "BAD_REQUEST", "query is missing, or not a string; or send a documentId.")
        if environment in self._only:
            self._check_trusted(asked.query)
        return asked.query

    def _identified(self, document_id: str, query: str | None, environment: Environment) -> str:
        if query is not None:
            raise BadRequest(400, "BAD_REQUEST", "Send either query or documentId, not both.")
        trusted = self._by_id.get(document_id)
        found = trusted.text if trusted else self._hashed(document_id, environment)
        if found is None:
            raise _refusal("PERSISTED_QUERY_NOT_FOUND", "No document with this documentId is known here.")
        return found

    def _persisted(self, digest: str, query: str | None, environment: Environment) -> str:
        if query is None:
            found = self._known(digest, environment)
            if found is None:
                raise _refusal("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")  # the words that clients look for
            return found
        if sha256(query.encode()).hexdigest() != digest:
            raise BadRequest(400, "BAD_REQUEST", "extensions.persistedQuery.sha256Hash is not the SHA-256 of query.")
        if environment in self._only:
            self._check_trusted(query)
        self._sent.add(digest, query)
        return query

    def _hashed(self, document_id: str, environment: Environment) -> str | None:
        prefix, _, digest = document_id.partition(":")
        return self._known(digest, environment) if prefix == PREFIX else None

    def _known(self, digest: str, environment: Environment) -> str | None:
        trusted = self._by_hash.get(digest)
        if trusted is not None:
            return trusted.text
        return None if environment in self._only else self._sent.get(digest)

    def _check_trusted(self, query: str) -> None:
        if sha256(query.encode()).hexdigest() not in self._by_hash:
            message = (
                "Only trusted documents run here: send the documentId of one, or have yours added by the operator."
            )
            raise _refusal("DOCUMENT_NOT_TRUSTED", message)


@dataclass
class SentDocuments:
    """Documents that clients have sent, by SHA-256: at most so many, and so many bytes; the least used goes first.

    Whoever gives a hash has the text, and the hash was checked: what one key sends can't mislead another.
    """

    most: int = MOST_DOCUMENTS
    most_bytes: int = MOST_BYTES

    def __post_init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._bytes = 0

    def get(self, digest: str) -> str | None:
        if digest in self._texts:
            self._texts.move_to_end(digest)
        return self._texts.get(digest)

    def add(self, digest: str, text: str) -> None:
        size = len(text.encode())
        if size > LONGEST or self.get(digest) is not None:
            return
        self._texts[digest] = text
        self._bytes += size
        while len(self._texts) > self.most or self._bytes > self.most_bytes:
            self._bytes -= len(self._texts.popitem(last=False)[1].encode())


def _persisted_query(extensions: dict[str, Any]) -> str | None:
    """The hash in Apollo's extension, or None without one."""
    given = extensions.get("persistedQuery")
    if given is None:
        return None
    if not isinstance(given, dict) or not _is_first_version(given) or not _is_hash(given.get("sha256Hash")):
        message = 'extensions.persistedQuery must be {"version": 1, "sha256Hash": "…"}, with 64 hexadecimal digits.'
        raise BadRequest(400, "BAD_REQUEST", message)
    return str(given["sha256Hash"])


def _is_first_version(given: dict[str, Any]) -> bool:
    return given.get("version") == 1 and given.get("version") is not True


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and _HEX.fullmatch(value) is not None


def _refusal(code: str, message: str) -> Refused:
    return Refused([GraphQLError(message, extensions={"code": code})])
