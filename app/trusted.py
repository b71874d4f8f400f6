"""Trusted documents: those in `queries/`, and those that front ends bring in folders and manifests of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from graphql import DocumentNode, GraphQLSyntaxError, OperationDefinitionNode, parse

QUERIES = Path(__file__).parent.parent / "queries"
"""The gateway's own operations, one in a file."""

_COMMENT = re.compile(r"\s*#[ \t]*(.*)")


class BadDocuments(ValueError):
    """Files that hold no documents; the message names each and what is wrong with it."""


@dataclass(frozen=True)
class TrustedDocument:
    """One document that may be asked for by its `id`: the name of its file, or what its manifest calls it."""

    id: str
    text: str

    @cached_property
    def sha256(self) -> str:
        """Of the text, in hexadecimal digits."""
        return sha256(self.text.encode()).hexdigest()

    @cached_property
    def document(self) -> DocumentNode:
        return parse(self.text)

    @cached_property
    def operation(self) -> OperationDefinitionNode:
        """The operation that it holds: one, or the first."""
        return next(each for each in self.document.definitions if isinstance(each, OperationDefinitionNode))

    @property
    def kind(self) -> str:
        """query, mutation or subscription."""
        return self.operation.operation.value

    @property
    def description(self) -> str:
        """The comment above it."""
        found = _COMMENT.match(self.text)
        return found[1].strip() if found else ""


def own_documents() -> list[TrustedDocument]:
    """Those in `queries/`."""
    return [TrustedDocument(file.stem, file.read_text("utf-8")) for file in sorted(QUERIES.glob("*.graphql"))]


def read_documents(places: Sequence[str]) -> list[TrustedDocument]:
    """Those in these folders and manifests. Raises BadDocuments."""
    documents = [each for place in places for each in _at(Path(place))]
    texts = {each.id: each.text for each in own_documents()} if documents else {}
    for each in documents:
        if texts.setdefault(each.id, each.text) != each.text:
            raise BadDocuments(f"two documents have the ID {each.id}")
    return documents


def _at(place: Path) -> Iterator[TrustedDocument]:
    if place.is_dir():
        return _in_folder(place)
    if place.suffix == ".json":
        return _in_manifest(place)
    raise BadDocuments(f"{place} is neither a folder of .graphql files nor a manifest in JSON")


def _in_folder(folder: Path) -> Iterator[TrustedDocument]:
    for file in sorted(folder.glob("*.graphql")):
        yield _checked(TrustedDocument(file.stem, _read(file)), file)


def _in_manifest(file: Path) -> Iterator[TrustedDocument]:
    """Apollo's manifest, or an object of texts by ID, as Relay and GraphQL Code Generator write it."""
    text = _read(file)
    try:
        manifest = json.loads(text)
    except ValueError:
        raise BadDocuments(f"{file} is not JSON") from None
    for name, body in _entries(manifest):
        if not isinstance(name, str) or not isinstance(body, str):
            raise BadDocuments(f"{file} is no manifest of documents by their IDs")
        yield _checked(TrustedDocument(name, body), file)


def _entries(manifest: Any) -> Sequence[tuple[Any, Any]]:
    if isinstance(manifest, Mapping) and isinstance(manifest.get("operations"), list):
        entries = [each if isinstance(each, Mapping) else {} for each in manifest["operations"]]
        return [(each.get("id"), each.get("body")) for each in entries]
    return list(manifest.items()) if isinstance(manifest, Mapping) else [(None, None)]


def _checked(document: TrustedDocument, file: Path) -> TrustedDocument:
    try:
        found = [each for each in document.document.definitions if isinstance(each, OperationDefinitionNode)]
    except GraphQLSyntaxError as error:
        raise BadDocuments(f"{file}: {document.id} is not GraphQL ({error.message})") from None
    if not found:
        raise BadDocuments(f"{file}: {document.id} holds no operation")
    return document


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadDocuments(f"{file} can't be read as UTF-8 text") from None
