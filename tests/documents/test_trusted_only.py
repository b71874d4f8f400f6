"""Gateways on which only trusted documents run, and where those come from."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.registry import VENDORS
from app.settings import BadSettings, read_settings
from app.trusted import own_documents
from tests.documents.conftest import KEY, NewGateway, code, post

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAME = "query Name { viewer { name } }"
KEY_ID = "query KeyId { viewer { keyId } }"
NOT_TRUSTED = "Only trusted documents run here: send the documentId of one, or have yours added by the operator."
MANIFESTS: dict[str, Any] = {
    "apollo": {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [{"id": "front-1", "name": "Name", "type": "query", "body": NAME}],
    },
    "relay": {"front-1": NAME},
}


async def test_free_text_is_refused_where_only_trusted_documents_run(new_gateway: NewGateway) -> None:
    """Whether it comes as it is or with its hash; nothing is remembered of it, and no vendor is asked."""
    served = await new_gateway(SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY="on")
    served.upstream.clear()
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": _sha256(NAME)}}
    for body in ({"query": NAME}, {"query": NAME, "extensions": persisted}):
        answer = await post(served, body)
        assert (answer.json()["errors"][0]["message"], code(answer)) == (NOT_TRUSTED, "DOCUMENT_NOT_TRUSTED")
    assert code(await post(served, {"extensions": persisted})) == "PERSISTED_QUERY_NOT_FOUND"
    assert served.upstream == []


async def test_trusted_documents_run_by_name_by_hash_and_as_they_are(new_gateway: NewGateway) -> None:
    """A client that still sends the whole text of a trusted document is served."""
    served = await new_gateway(SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY="on")
    viewer = next(each for each in own_documents() if each.id == "viewer")
    persisted = {"persistedQuery": {"version": 1, "sha256Hash": viewer.sha256}}
    for body in (
        {"documentId": "viewer"},
        {"documentId": f"sha256:{viewer.sha256}"},
        {"query": viewer.text},
        {"query": viewer.text, "extensions": persisted},
        {"extensions": persisted},
    ):
        assert (await post(served, body)).json()["data"]["viewer"]["name"] == "Sandbox"


async def test_live_alone_can_be_closed(new_gateway: NewGateway) -> None:
    """With `live` developers explore in TEST as ever."""
    served = await new_gateway(SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY="live")
    assert (await post(served, {"query": NAME})).json() == {"data": {"viewer": {"name": "Sandbox"}}}


async def test_the_page_of_receipts_works_where_only_trusted_documents_run(new_gateway: NewGateway) -> None:
    """What the gateway's own pages ask is trusted."""
    served = await new_gateway(SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY="on")
    answer = await served.http.get("/receipts/writes", headers=KEY)
    assert (answer.status_code, "No writes here." in answer.text) == (200, True)


@pytest.mark.parametrize("form", MANIFESTS)
async def test_a_front_end_brings_a_manifest(new_gateway: NewGateway, tmp_path: Path, form: str) -> None:
    """Apollo's, or an object of texts by ID, as Relay and GraphQL Code Generator write it."""
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(MANIFESTS[form]))
    served = await new_gateway(SWITCHBOARD_TRUSTED_DOCUMENTS_ONLY="on", SWITCHBOARD_DOCUMENTS=str(manifest))
    answer = await post(served, {"documentId": "front-1"})
    assert answer.json() == {"data": {"viewer": {"name": "Sandbox"}}}
    assert (await post(served, {"query": NAME})).json() == answer.json()


async def test_folders_and_manifests_add_up(new_gateway: NewGateway, tmp_path: Path) -> None:
    """With commas between; those of `queries/` stay."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "key_id.graphql").write_text(KEY_ID)
    manifest = tmp_path / "manifest.json"
    manifest.write_text(json.dumps(MANIFESTS["relay"]))
    served = await new_gateway(SWITCHBOARD_DOCUMENTS=f"{folder}, {manifest}")
    for name in ("key_id", "front-1", "viewer"):
        assert "data" in (await post(served, {"documentId": name})).json()


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("a.json", "{", "{place} is not JSON"),
        ("a.json", "[]", "{place} is no manifest of documents by their IDs"),
        ("a.json", '{"a": 1}', "{place} is no manifest of documents by their IDs"),
        ("a.json", '{"operations": [1]}', "{place} is no manifest of documents by their IDs"),
        ("a.json", '{"a": "{"}', "{place}: a is not GraphQL (Syntax Error: Expected Name, found <EOF>.)"),
        ("a.json", '{"a": "fragment F on Query { viewer { name } }"}', "{place}: a holds no operation"),
        ("a.json", '{"viewer": "{ viewer { name } }"}', "two documents have the ID viewer"),
        ("a.txt", "", "{place} is neither a folder of .graphql files nor a manifest in JSON"),
        ("none/a.json", None, "{place} can't be read as UTF-8 text"),
    ],
)
async def test_what_holds_no_documents_is_said_at_start(
    tmp_path: Path, name: str, content: str | None, wrong: str
) -> None:
    """With the file and what is wrong with it."""
    place = tmp_path / name
    if content is not None:
        place.write_text(content)
    with pytest.raises(BadSettings) as raised:
        read_settings({"SWITCHBOARD_DOCUMENTS": str(place)}, VENDORS)
    assert raised.value.problems == [f"SWITCHBOARD_DOCUMENTS can't be used: {wrong.format(place=place)}"]


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()
