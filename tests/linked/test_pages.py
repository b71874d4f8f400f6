"""Pages of linked lists: walked to their end, everything comes once and in order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.sandbox.world import build_world
from app.vendors.artu.sandbox import FIRST_CLIENT_ID
from app.vendors.bird.sandbox import SANDBOX_KEY as BIRDS_KEY
from app.vendors.bird.sandbox import WORKSPACE_ID
from app.vendors.reevo.sandbox import SANDBOX_KEY
from schema.ids import Kind, encode
from tests.gateway import Gateway, UpstreamCall, gateway, recorded_sandboxes

ADA = build_world().humans[0]
PAGE = "pageInfo { hasNextPage endCursor }"
ACTIVITIES = f"""query($party: PartyRef!, $first: Int, $after: String) {{
    list: activities(of: {{ party: $party }}, first: $first, after: $after) {{ nodes {{ id createdAt }} {PAGE} }}
}}"""
METHODS = f"""query($party: PartyRef!, $first: Int, $after: String) {{
    profile(by: $party) {{ list: contactMethods(first: $first, after: $after) {{ nodes {{ id }} {PAGE} }} }}
}}"""
CONTACTS = (
    f"query($first: Int, $after: String) {{ list: contacts(first: $first, after: $after) {{ nodes {{ id }} {PAGE} }} }}"
)
PARTY = {"party": {"emailAddress": ADA.email}}


@pytest.fixture
async def reevo(tmp_path: Path) -> AsyncIterator[tuple[Gateway, httpx.AsyncClient]]:
    """A gateway over the demo world, and a way to its Reevo for what the gateway has no mutation."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=True) as environ:
        headers = {"authorization": f"Bearer {SANDBOX_KEY}"}
        async with (
            gateway(environ, tmp_path / "switchboard.db", upstream) as served,
            httpx.AsyncClient(base_url=environ["TEST_REEVO_BASE_URL"], headers=headers, timeout=60) as direct,
        ):
            yield served, direct


async def test_activities_of_two_contacts_are_merged_newest_first(
    reevo: tuple[Gateway, httpx.AsyncClient],
) -> None:
    """By threes: those of either contact, one of both once, nothing lost or repeated."""
    served, direct = reevo
    second = await _second_contact(direct)
    logged = [await _log(direct, contact_ids) for contact_ids in ([second], [_own()], [second, _own()], [second])]
    pages = await _walk(served, ACTIVITIES, 3, PARTY)
    nodes = [node for page in pages for node in page]
    assert [len(page) for page in pages] == [3, 3, 2]
    assert {node["id"] for node in nodes[:4]} == set(logged)
    assert [node["id"] for node in nodes[4:]] == [
        encode(Kind.ACTIVITY, ADA.uuid(f"reevo/activity/{kind}"))
        for kind in ("voicemail", "meeting", "webinar", "intro")
    ]
    moments = [node["createdAt"] for node in nodes]
    assert moments == sorted(moments, reverse=True)


async def test_a_number_that_more_contacts_share_than_fit_on_a_page_hides_nobody_else(
    reevo: tuple[Gateway, httpx.AsyncClient],
) -> None:
    """Who is asked for together with it is found, by a call for each half; the number itself links nothing."""
    served, direct = reevo
    desk = "+31201234567"
    await asyncio.gather(*(_new_contact(direct, n, primary_phone_number=desk) for n in range(101)))
    last = await _new_contact(direct, 101, primary_email="zoe@example.com")
    answer = await served.ask(
        """query($desk: PhoneNumber!) {
            zoe: profile(by: { emailAddress: "zoe@example.com" }) { vendorRecords { id } }
            desk: profile(by: { phoneNumber: $desk }) { vendorRecords { id } }
        }""",
        {"desk": desk},
    )
    assert answer.data == {"zoe": {"vendorRecords": [{"id": last}]}, "desk": None}
    assert len([call for call in served.upstream if call.path == "/api/v2/contact/_query"]) == 3


async def test_contact_methods_of_two_clients_are_walked_without_loss(demo: Gateway) -> None:
    """By threes, over the end of one client's pages into the other's."""
    items = [{"type": "EMAIL", "value": ADA.email}, *({"type": "PHONE", "value": f"+3120123456{n}"} for n in range(4))]
    given = {"input": {"client": {"clientId": FIRST_CLIENT_ID}, "items": items}}
    made = (await demo.run("sync_contact_methods", given))["syncContactMethods"]["created"]
    pages = await _walk(demo, METHODS, 3, PARTY)
    ids = [node["id"] for page in pages for node in page]
    of_ada = [encode(Kind.CONTACT_METHOD, ADA.uuid(f"artu/method/{what}")) for what in ("email", "mobile", "home")]
    assert sorted(ids) == sorted([*(each["id"] for each in made), *of_ada])
    assert max(map(len, pages)) == 3


async def test_250_contacts_are_each_read_once_while_more_are_added(tmp_path: Path) -> None:
    """Those that come on the way too."""
    upstream: list[UpstreamCall] = []
    with recorded_sandboxes(upstream, demo=False) as environ:
        headers = {"authorization": f"AccessKey {BIRDS_KEY}"}
        async with (
            gateway(environ, tmp_path / "switchboard.db", upstream) as served,
            httpx.AsyncClient(base_url=environ["TEST_BIRD_BASE_URL"], headers=headers, timeout=60) as direct,
        ):
            await _walk_while_adding(served, direct)


async def _walk_while_adding(served: Gateway, direct: httpx.AsyncClient) -> None:
    made = await asyncio.gather(*(_make(direct, n) for n in range(250)))
    seen: list[str] = []
    after: str | None = None
    while True:
        page = (await served.ask(CONTACTS, {"first": 50, "after": after})).data["list"]
        seen += [node["id"] for node in page["nodes"]]
        if len(made) < 253:
            made.append(await _make(direct, len(made)))
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert (len(made), sorted(seen)) == (253, sorted(made))


async def test_a_cursor_of_another_list_is_refused(demo: Gateway) -> None:
    """Of another party's activities, and of another kind of list."""
    after = (await demo.ask(ACTIVITIES, {**PARTY, "first": 1})).data["list"]["pageInfo"]["endCursor"]
    bjorn = {"party": {"emailAddress": build_world().humans[1].email}}
    for query, variables in ((ACTIVITIES, bjorn), (CONTACTS, {})):
        answer = await demo.ask(query, {**variables, "after": after})
        assert answer.data == {"list": None}
        assert [error["extensions"] for error in answer.errors] == [{"code": "BAD_USER_INPUT"}]


async def _walk(gateway: Gateway, query: str, first: int, variables: dict[str, Any]) -> list[list[Any]]:
    """The nodes of each page."""
    pages: list[list[Any]] = []
    after: str | None = None
    for _ in range(20):
        answer = await gateway.ask(query, {**variables, "first": first, "after": after})
        assert answer.errors == []
        found = answer.data.get("list") or answer.data["profile"]["list"]
        pages.append(found["nodes"])
        after = found["pageInfo"]["endCursor"]
        if not found["pageInfo"]["hasNextPage"]:
            return pages
    raise AssertionError("a walk without end")


async def _second_contact(direct: httpx.AsyncClient) -> str:
    """Another contact at Reevo with the same e-mail address."""
    return await _new_contact(direct, 2, primary_email=ADA.email)


async def _new_contact(direct: httpx.AsyncClient, n: int, **reached_by: str) -> str:
    attributes = {"first_name": "Contact", "last_name": f"Number {n}", **reached_by}
    made = await direct.post("/api/v2/contact", json={"attributes": attributes})
    assert made.status_code == 201, made.text
    return str(made.json()["data"]["id"])


async def _log(direct: httpx.AsyncClient, contact_ids: list[str]) -> str:
    metadata = {"activity_time": "2026-03-02T15:00:00Z", "subject": "Met", "category": "CALL"}
    body = {"attributes": {"metadata": metadata, "contact_ids": contact_ids}}
    made = await direct.post("/api/v2/activity", json=body)
    assert made.status_code in (200, 201), made.text
    return encode(Kind.ACTIVITY, made.json()["data"]["id"])


def _own() -> str:
    return ADA.uuid("reevo/contact")


async def _make(direct: httpx.AsyncClient, n: int) -> str:
    made = await direct.post(f"/workspaces/{WORKSPACE_ID}/contacts", json={"displayName": f"Contact {n}"})
    assert made.status_code == 201, made.text
    return encode(Kind.CONTACT, made.json()["id"])
