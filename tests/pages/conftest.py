"""One browser and one gateway with the demo world for all tests of pages."""

from __future__ import annotations

import shutil
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, Route, async_playwright
from starlette.types import ASGIApp

from app.pages.graphiql import BUILT
from tests.cli.command import LAST_LINE, Started, started
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_PATIENCE = 60_000
"""In milliseconds: for a machine that does much else."""

PHONE = {"width": 390, "height": 844}


@dataclass
class Watched:
    """A page of the gateway and all that it should not have done."""

    page: Page
    gateway: Started
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", lambda socket: self._asked(socket.url))

    async def open(self, path: str) -> None:
        await self.page.goto(self.gateway.url + path)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{message.type}: {message.text}")

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.netloc != urlsplit(self.gateway.url).netloc:
            self.wrong.append(f"request to {parts.netloc}")


async def show_page(page: Page, app: ASGIApp) -> None:
    """Puts another page in the place of GraphiQL; all else is still asked of the gateway."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        shown = await http.get("/graphql", headers={"accept": "text/html"})

    async def fulfil(route: Route) -> None:
        if route.request.method == "GET":
            await route.fulfill(status=200, headers=dict(shown.headers), body=shown.text)
        else:
            await route.continue_()

    await page.route("**/graphql", fulfil)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium, without windows."""
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=_QUIET)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def demo_gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Started]:
    """`switchboard serve --sandbox --demo`, of this tree."""
    serve = (sys.executable, "-m", "app.cli", "serve", "--sandbox", "--demo", "--port", "0")
    async with started(*serve, home=tmp_path_factory.mktemp("home"), until=LAST_LINE) as gateway:
        yield gateway


@pytest_asyncio.fixture(loop_scope="session")
async def watched(browser: Browser, demo_gateway: Started) -> AsyncIterator[Watched]:
    """A page in a profile of its own. In the end it has asked no other host, and the console has nothing to say."""
    context = await browser.new_context(viewport={"width": 1360, "height": 820})
    context.set_default_timeout(_PATIENCE)
    seen = Watched(await context.new_page(), demo_gateway)
    seen.watch()
    yield seen
    await context.close()
    assert seen.wrong == []


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gateway]:
    """A gateway with the demo world, without a browser: for all tests of a file."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=True) as environ:
        async with gateway(environ, tmp_path_factory.mktemp("gateway") / "switchboard.db", upstream) as shared:
            yield shared


@pytest.fixture
def built() -> None:
    """GraphiQL's files, as `make run` and `make test` build them."""
    if not (BUILT / "built.json").is_file():
        pytest.skip("GraphiQL was not built: npm was not there at set-up")
