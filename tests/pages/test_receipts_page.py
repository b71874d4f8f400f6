"""The page of receipts as somebody on call uses it: on a phone, in a hurry."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import pytest_asyncio
from playwright.async_api import Route

from tests.canaries.keys import wrong_key
from tests.cli.command import Started
from tests.npm import installed
from tests.pages.conftest import PHONE, Watched
from tests.pages.test_fallback import HERE

HOSTILE = "evt-<img src=x onerror=alert(1)>"
KEYS = {"evt-done": "Zoë", "evt-doubt": "sandbox-500", HOSTILE: "sandbox-409"}
WRITE = "mutation ($i: CreateContactInput!) { createContact(input: $i) { receipt { id state } } }"

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("browser")]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def written(demo_gateway: Started) -> dict[str, str]:
    """Writes that were done, refused and left in doubt; the IDs of their receipts by idempotency key."""
    found = {}
    for key, name in KEYS.items():
        given = {"displayName": name, "emailAddresses": ["zoe@example.com"], "idempotencyKey": key}
        answer = await demo_gateway.ask(WRITE, {"i": given})
        found[key] = answer.json()["data"]["createContact"]["receipt"]["id"]
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def phone(watched: Watched, written: dict[str, str]) -> Watched:
    """The page on a phone, before anybody has signed in."""
    assert len(written) == len(KEYS)
    await watched.page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a TypedDict of these two
    await watched.open("/receipts")
    return watched


@pytest_asyncio.fixture(loop_scope="session")
async def signed_in(phone: Watched) -> Watched:
    """The page with the sandboxes' key, which was filled in."""
    await phone.page.get_by_role("button", name="Show receipts").click()
    await phone.page.locator(".writes").wait_for()
    return phone


async def test_it_shows_writes_and_vendors(signed_in: Watched) -> None:
    """The newest first, each with its state; whatever a key holds is shown as text."""
    page = signed_in.page
    rows = page.locator(".writes li")
    shown = [
        (await row.locator(".key").inner_text(), await row.locator(".state").inner_text()) for row in await rows.all()
    ]
    newest = [(HOSTILE, "FAILED"), ("evt-doubt", "UNKNOWN"), ("evt-done", "SUCCEEDED")]
    assert [each for each in shown if each[0] in KEYS] == newest
    vendors = await page.locator(".vendors li").all_inner_texts()
    assert vendors == [f"{name} available, sandbox" for name in ("Architect", "Bird", "Artu", "Reevo")]


async def test_it_shows_those_of_one_state(signed_in: Watched) -> None:
    """The filter stands in the address, and the way back is the browser's."""
    page = signed_in.page
    await page.get_by_role("link", name="Unknown").click()
    await page.locator(".filters [aria-current]", has_text="Unknown").wait_for()
    assert page.url.endswith("/receipts?state=UNKNOWN")
    assert set(await page.locator(".writes .state").all_inner_texts()) == {"UNKNOWN"}
    await page.go_back()
    await page.locator(".filters [aria-current]", has_text="All").wait_for()


@pytest.mark.parametrize("by_id", [False, True], ids=["by its key", "by its ID"])
async def test_it_finds_one_with_its_history(signed_in: Watched, written: dict[str, str], by_id: bool) -> None:
    """By the idempotency key or by the receipt's ID: what happened, in order, and why it failed."""
    page = signed_in.page
    await page.get_by_label("Idempotency key or receipt ID").fill(written["evt-doubt"] if by_id else "evt-doubt")
    await page.get_by_role("button", name="Find").click()
    await page.get_by_role("heading", name="evt-doubt").wait_for()
    changes = await page.locator(".events li p:nth-child(2)").all_inner_texts()
    assert changes[:3] == ["new → PENDING", "PENDING → SENDING", "SENDING → UNKNOWN"]
    assert "OUTCOME_UNKNOWN" in await page.locator("dl").inner_text()


async def test_what_is_not_there_is_said_so(signed_in: Watched) -> None:
    """With where it was looked for."""
    page = signed_in.page
    await page.get_by_label("Idempotency key or receipt ID").fill("<b>evt-none")
    await page.get_by_role("button", name="Find").click()
    await page.get_by_text("No write of this key, and no receipt, is called <b>evt-none").wait_for()


async def test_a_wrong_key_is_refused_and_forgotten(phone: Watched) -> None:
    """The form comes back with what was wrong; nothing is kept."""
    page = phone.page
    await page.get_by_label("Gateway key").fill(wrong_key())
    await page.get_by_role("button", name="Show receipts").click()
    await page.get_by_role("alert").get_by_text("Send a valid gateway key").wait_for()
    assert await page.get_by_role("button", name="Show receipts").is_visible()
    assert await page.evaluate("() => sessionStorage.length + localStorage.length") == 0
    phone.wrong = [each for each in phone.wrong if "401" not in each]  # Chromium's own note of the answer


async def test_a_key_that_no_header_can_carry_is_refused_and_forgotten(phone: Watched) -> None:
    """As one that was copied with an ellipsis in it: the form stays, with what to do, and nothing is asked or kept."""
    page = phone.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.get_by_label("Gateway key").fill(f"{wrong_key()[:12]}…")
    await page.get_by_role("button", name="Show receipts").click()
    await page.get_by_role("alert").get_by_text("Send a valid gateway key").wait_for(timeout=10_000)
    assert await page.get_by_role("button", name="Show receipts").is_visible()
    assert await page.evaluate("() => sessionStorage.length + localStorage.length") == 0
    assert [url for url in asked if "/receipts" in url] == []


async def test_signing_out_forgets_the_key(signed_in: Watched) -> None:
    """Nothing of what was shown stays on the screen either."""
    page = signed_in.page
    await page.get_by_role("button", name="Sign out").click()
    await page.get_by_role("button", name="Show receipts").wait_for()
    assert await page.evaluate("() => sessionStorage.length") == 0
    assert await page.locator("#part").inner_text() == ""


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "not answered"])
async def test_what_comes_in_after_signing_out_is_not_shown(signed_in: Watched, is_answered: bool) -> None:
    """Neither receipts, nor that they could not be had."""
    page = signed_in.page
    release = await _late(signed_in, "FAILED", is_answered)
    await page.get_by_role("button", name="Sign out").click()
    await release()
    assert await page.get_by_role("button", name="Show receipts").is_visible()
    assert await page.get_by_role("button", name="Sign out").is_hidden()
    assert await page.locator("#part").inner_text() == ""
    signed_in.wrong = [each for each in signed_in.wrong if "ERR_FAILED" not in each]  # Chromium's own note


async def test_it_shows_what_its_address_says(signed_in: Watched) -> None:
    """Also when what was asked for before comes in last."""
    page = signed_in.page
    release = await _late(signed_in, "FAILED", is_answered=True)
    await page.get_by_role("link", name="Unknown").click()
    await page.locator(".filters [aria-current]", has_text="Unknown").wait_for()
    await release()
    assert page.url.endswith("/receipts?state=UNKNOWN")
    assert set(await page.locator(".writes .state").all_inner_texts()) == {"UNKNOWN"}


@pytest.mark.parametrize("path", ["", "?state=UNKNOWN", "?find=evt-doubt", "?find=none"])
async def test_it_is_accessible_and_fits_a_phone(signed_in: Watched, path: str) -> None:
    """The checker axe finds nothing, and nothing has to be scrolled sideways."""
    page = signed_in.page
    await signed_in.open(f"/receipts{path}")
    await page.locator("#part p").first.wait_for()
    assert await _violations(signed_in) == []
    assert await page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"]


async def test_signing_in_is_accessible(phone: Watched) -> None:
    """The checker axe finds nothing there either."""
    assert await _violations(phone) == []


async def _late(watched: Watched, state: str, is_answered: bool) -> Callable[[], Awaitable[None]]:
    """Goes to the writes of this state, for which there is no answer before the returned function is called."""
    page, released = watched.page, asyncio.Event()

    async def hold(route: Route) -> None:
        await released.wait()
        await (route.continue_() if is_answered else route.abort())

    async def release() -> None:
        released.set()
        await page.evaluate("() => late")

    await page.route(f"**/receipts/writes*state={state}", hold)
    await page.evaluate("state => { globalThis.late = go(`?state=${state}`); }", state)
    return release


async def _violations(watched: Watched) -> list[str]:
    await watched.page.evaluate((installed(HERE) / "axe-core" / "axe.min.js").read_text("utf-8"))
    found: list[str] = await watched.page.evaluate(
        "async () => (await axe.run()).violations.map((each) => each.id + ': ' + each.nodes[0].html)"
    )
    return found
