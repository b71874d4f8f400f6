"""GraphiQL where npm was not there at set-up: from a public network, pinned and checked, and said to be so."""

from __future__ import annotations

import asyncio
import base64
import re
from contextlib import suppress
from hashlib import sha384
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Route
from playwright.async_api import TimeoutError as PlaywrightTimeout

from app.pages import fallback
from app.pages.graphiql import GraphiQL
from app.trusted import own_documents
from tests.npm import installed
from tests.pages.conftest import Watched, show_page

HERE = Path(__file__).parent
PINNED = (*fallback.SCRIPTS, *fallback.STYLES)
_INTEGRITY = re.compile(r"sha384-[A-Za-z0-9+/]{64}")
_VERSION = re.compile(r"\d+\.\d+\.\d+")

pytestmark = pytest.mark.xdist_group("browser")


@pytest.mark.parametrize("pinned", PINNED, ids=lambda each: each.url)
def test_a_file_is_pinned_by_version_and_hash(pinned: fallback.Pinned) -> None:
    """A browser takes it only as it is today."""
    assert _VERSION.fullmatch(pinned.version)
    assert _INTEGRITY.fullmatch(pinned.integrity)
    assert f'href="{pinned.url}"' in fallback.tags() or f'src="{pinned.url}"' in fallback.tags()
    assert f'integrity="{pinned.integrity}" crossorigin' in fallback.tags()


def test_the_hashes_are_those_of_the_packages() -> None:
    """What npm has under these versions has these hashes: the network that hands them out can't have changed them."""
    packages = installed(HERE)
    hashes = {each.url: sha384((packages / each.package / each.file).read_bytes()).digest() for each in PINNED}
    found = {url: f"sha384-{base64.b64encode(digest).decode()}" for url, digest in hashes.items()}
    assert found == {each.url: each.integrity for each in PINNED}


@pytest.mark.asyncio(loop_scope="session")
async def test_it_works_and_says_how_to_have_the_current_one(watched: Watched, tmp_path: Path) -> None:
    """The browser loads the pinned files, checks their hashes, and runs an operation against this gateway."""
    packages = installed(HERE)
    page = watched.page
    files = {each.url: packages / each.package / each.file for each in PINNED}
    await show_page(page, GraphiQL(own_documents(), "sk_test_sandbox", built=tmp_path))

    async def from_package(route: Route) -> None:
        await route.fulfill(path=files[route.request.url], headers={"access-control-allow-origin": "*"})

    await page.route(f"{fallback.CDN}/**", from_package)
    await watched.open("/graphql")
    await page.get_by_role("note").get_by_text("start the gateway by make run").wait_for()
    await page.locator(".graphiql-query-editor .CodeMirror-code", has_text="receipts").wait_for()
    await page.locator(".graphiql-editor-tool .CodeMirror-code").first.wait_for()
    await page.get_by_role("tab", name="profile").click()
    await page.locator(".graphiql-editor-tool .CodeMirror-code", has_text="bjorn").wait_for()
    await _run(page)
    elsewhere = f"request to {urlsplit(fallback.CDN).netloc}"
    watched.wrong = [each for each in watched.wrong if each != elsewhere]


@pytest.mark.asyncio(loop_scope="session")
async def test_without_the_internet_the_page_says_what_to_do(watched: Watched, tmp_path: Path) -> None:
    """Instead of nothing."""
    page = watched.page
    await show_page(page, GraphiQL(own_documents(), "sk_test_sandbox", built=tmp_path))
    await page.route(f"{fallback.CDN}/**", lambda route: route.abort())
    await watched.open("/graphql")
    await page.get_by_text("It needs the Internet here; the API does not").wait_for()
    watched.wrong = [each for each in watched.wrong if "net::ERR_FAILED" not in each and fallback.CDN[8:] not in each]


async def _run(page: Page) -> None:
    """Runs the operation until it answers: GraphiQL 4 sends the name of the tab before for a moment after a change of tabs."""
    found = page.locator(".result-window").get_by_text("Björn Andersen").first
    async with asyncio.timeout(60):
        while not await found.is_visible():
            await page.get_by_role("button", name="Execute query (Ctrl-Enter)").click()
            with suppress(PlaywrightTimeout):
                await found.wait_for(timeout=2_000)
