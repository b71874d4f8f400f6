"""GraphiQL as a developer uses it, in a real browser."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.pages.graphiql import GraphiQL, example_variables
from app.trusted import own_documents
from tests.canaries.keys import wrong_key
from tests.pages.conftest import Watched, show_page

PICTURE = Path(__file__).parents[2] / "docs" / "graphiql.png"
KEY = {"authorization": "Bearer sk_test_sandbox"}
_MODEL = "__MONACO.editor.getModels().find((each) => each.uri.path.includes(name))"
_PNG = b"\x89PNG\r\n\x1a\n"

pytestmark = [
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("browser"),
    pytest.mark.usefixtures("built"),
]


async def test_it_opens_with_examples_and_the_sandboxes_key(watched: Watched) -> None:
    """A menu of all operations, three of them in tabs, and the key under Headers: nothing has to be typed."""
    page = watched.page
    await watched.open("/graphql")
    await page.wait_for_selector(".examples")
    assert await page.locator(".examples code").all_inner_texts() == _menu()
    assert await page.locator(".graphiql-tab-button").all_inner_texts() == ["profile", "create_contact", "receipts"]
    await _ready(watched)
    assert json.loads(await _text(watched, "request-headers")) == KEY
    assert json.loads(await _text(watched, "variables")) == example_variables()["profile"]


async def test_it_runs_a_query(watched: Watched) -> None:
    """The first tab asks all four vendors for one human being."""
    await watched.open("/graphql")
    answer = await _execute(watched)
    assert answer["data"]["profile"]["displayName"] == "Björn Andersen"
    if os.environ.get("PICTURE"):
        await watched.page.screenshot(path=PICTURE)
    assert (await watched.page.screenshot())[:8] == PICTURE.read_bytes()[:8] == _PNG


async def test_it_runs_a_mutation_with_variables(watched: Watched) -> None:
    """An example is opened from the menu, its variables are changed, and the sandbox writes what they say."""
    page = watched.page
    await watched.open("/graphql")
    await page.get_by_role("button", name="create_contact Makes a contact").click()
    await page.wait_for_function(f"name => {_MODEL}?.getValue().includes('Zoë Zander')", arg="variables")
    given = {"input": {"displayName": "Grace", "emailAddresses": ["grace@example.com"]}}
    await page.evaluate(f"([name, text]) => {_MODEL}.setValue(text)", ["variables", json.dumps(given)])
    made = (await _execute(watched))["data"]["createContact"]
    assert (made["contact"]["displayName"], made["errors"]) == ("Grace", [])


async def test_it_takes_its_examples_for_right(watched: Watched) -> None:
    """An input's field with a default may be left out, and a JSON scalar may be an object; what is no JSON is marked."""
    page = watched.page
    await watched.open("/graphql")
    await page.get_by_role("button", name="create_person_log").click()
    schemas = "__MONACO.languages.json.jsonDefaults.diagnosticsOptions.schemas"
    await page.wait_for_function(f"() => {schemas}?.some((each) => 'input' in each.schema.properties)")
    broken = json.dumps(example_variables()["create_person_log"]) + "}"
    await page.evaluate(f"([name, text]) => {_MODEL}.setValue(text)", ["variables", broken])
    markers = f"name => __MONACO.editor.getModelMarkers({{ resource: {_MODEL}.uri }})"
    await page.wait_for_function(f"{markers}.length", arg="variables")
    marked = await page.evaluate(markers, "variables")
    assert [each["message"] for each in marked] == ["End of file expected."]


async def test_it_shows_the_descriptions(watched: Watched) -> None:
    """The documentation says what the schema says of its types, fields and arguments."""
    page = watched.page
    await watched.open("/graphql")
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    docs = page.locator(".graphiql-doc-explorer")
    await docs.get_by_role("link", name="Query", exact=True).click()
    await docs.get_by_text("What can be asked.").wait_for()
    await docs.get_by_role("link", name="contact", exact=True).click()
    await docs.get_by_text("by its ID (this API's or Bird's own), e-mail address or phone number").wait_for()


async def test_it_builds_a_query_by_ticking_fields(watched: Watched) -> None:
    """The explorer plugin writes what is ticked into the editor."""
    page = watched.page
    await watched.open("/graphql")
    await _ready(watched)
    await page.get_by_role("button", name="Show GraphiQL Explorer").click()
    await page.locator(".graphiql-explorer-root").wait_for()
    await page.locator(".graphiql-tab-add").click()
    await page.locator(".graphiql-explorer-root").get_by_text("viewer", exact=True).first.click()
    await page.wait_for_function(f"name => {_MODEL}.getValue().includes('viewer')", arg="operation")


async def test_it_prettifies(watched: Watched) -> None:
    """The operation and its variables."""
    page = watched.page
    await watched.open("/graphql")
    await _ready(watched)
    for name, text in (("operation", "{viewer{name}}"), ("variables", '{"a":1}')):
        await page.evaluate(f"([name, text]) => {_MODEL}.setValue(text)", [name, text])
    await page.get_by_role("button", name="Prettify query (Shift-Ctrl-P)").click()
    for name, text in (("operation", "{\n  viewer {\n    name\n  }\n}"), ("variables", '{\n  "a": 1\n}')):
        await page.wait_for_function(f"([name, text]) => {_MODEL}.getValue().trim() === text", arg=[name, text])


async def test_it_follows_a_write_by_subscription(watched: Watched) -> None:
    """Over WebSocket, with the key under Headers, until the write is final."""
    page = watched.page
    await _open_followed(watched)
    async with page.expect_websocket() as opened:
        await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()
    assert (await opened.value).url == f"{watched.gateway.url.replace('http', 'ws')}/graphql"
    await page.wait_for_function(f"name => {_MODEL}.getValue().includes('SUCCEEDED')", arg="response")
    assert json.loads(await _text(watched, "response"))["data"]["receiptChanged"]["idempotencyKey"] == "followed"


async def test_what_is_executed_right_after_an_edit_is_what_the_editor_says(watched: Watched) -> None:
    """GraphiQL itself takes it for what stood there before: this subscription was sent as the query of the first tab."""
    page = watched.page
    await _write_followed(watched)
    await watched.open("/graphql")
    await _ready(watched)
    follow = 'subscription { receiptChanged(by: { idempotencyKey: "followed" }) { state } }'
    async with page.expect_websocket():
        await page.evaluate(
            f"([name, text]) => {{ {_MODEL}.setValue(text); document.querySelector('.graphiql-execute-button').click() }}",
            ["operation", follow],
        )
    await page.wait_for_function(f"name => {_MODEL}.getValue().includes('SUCCEEDED')", arg="response")


async def test_a_subscription_with_a_wrong_key_is_refused_at_once(watched: Watched) -> None:
    """It is asked once, with the key under Headers; so is the next, with the key that was put there then."""
    page = watched.page
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await _open_followed(watched)
    for key, shown in (({"authorization": f"Bearer {wrong_key()}"}, "closed with event 4403"), (KEY, "SUCCEEDED")):
        sockets.clear()
        await page.evaluate(f"([name, text]) => {_MODEL}.setValue(text)", ["request-headers", json.dumps(key)])
        await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()
        await page.wait_for_function(f"([name, text]) => {_MODEL}.getValue().includes(text)", arg=["response", shown])
        assert len(sockets) == 1
    watched.wrong = [each for each in watched.wrong if "4403" not in each]  # GraphiQL's own note


async def test_without_a_key_it_says_where_to_write_one(watched: Watched) -> None:
    """Off the sandboxes nothing is asked before there is a key; then the schema is read with it."""
    page = watched.page
    await show_page(page, GraphiQL(own_documents(), None))
    await watched.open("/graphql")
    await _ready(watched)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if request.url.endswith("/graphql") else None)
    await page.get_by_role("button", name="Show Documentation Explorer").click()
    docs = page.locator(".graphiql-doc-explorer")
    await docs.get_by_text("Error fetching schema").wait_for()
    assert asked == []
    await page.evaluate(f"([name, text]) => {_MODEL}.setValue(text)", ["request-headers", json.dumps(KEY)])
    await page.get_by_role("button", name="Re-fetch GraphQL schema").click()
    await docs.get_by_role("link", name="Query", exact=True).wait_for()
    assert asked == ["POST"]


def _menu() -> list[str]:
    documents = own_documents()
    return [each.id for kind in ("query", "mutation", "subscription") for each in documents if each.kind == kind]


async def _open_followed(watched: Watched) -> None:
    """Makes a write, and opens the subscription that follows it."""
    page = watched.page
    await _write_followed(watched)
    await watched.open("/graphql")
    await _ready(watched)
    await page.get_by_role("button", name="receipt_changed Follows one write").click()
    follow = json.dumps({"by": {"idempotencyKey": "followed"}})
    await page.evaluate(f"([name, text]) => {_MODEL}.setValue(text)", ["variables", follow])


async def _write_followed(watched: Watched) -> None:
    given = {"displayName": "Followed", "idempotencyKey": "followed", "delivery": "BACKGROUND"}
    write = "mutation ($i: CreateContactInput!) { createContact(input: $i) { receipt { id } errors { code } } }"
    await watched.gateway.ask(write, {"i": {**given, "emailAddresses": ["followed@example.com"]}})


async def _ready(watched: Watched) -> None:
    """Waits for the four editors."""
    await watched.page.wait_for_function("() => document.querySelectorAll('.monaco-editor[role=code]').length >= 4")


async def _execute(watched: Watched) -> Any:
    """What the response pane shows after the button was pressed."""
    page = watched.page
    await _ready(watched)
    await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()
    await page.wait_for_function(f"name => {_MODEL}.getValue().startsWith('{{')", arg="response")
    return json.loads(await _text(watched, "response"))


async def _text(watched: Watched, name: str) -> str:
    text: str = await watched.page.evaluate(f"name => {_MODEL}.getValue()", name)
    return text
