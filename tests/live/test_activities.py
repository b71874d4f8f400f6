"""activityLogged: activities as they appear, whoever logged them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.gateway import Unhurried, UpstreamCall
from tests.live.served import PATIENCE, Served, served
from tests.operations.linked import ADA, REEVOS

ACCOUNT = "0c3f9a52-6f0e-4a3c-9a55-0a4b7a3f2a11"
OPPORTUNITY = "7d1f0a52-6f0e-4a3c-9a55-0a4b7a3f2a22"
FOLLOW = (
    "subscription ($of: ActivityScope!) { activityLogged(of: $of) { subject description contacts { displayName } } }"
)
LOG = """mutation ($subject: String!, $contacts: [PartyRef!], $accountId: ID, $opportunityId: ID) {
  logActivity(input: {subject: $subject, description: "by hand", contacts: $contacts, accountId: $accountId,
    opportunityId: $opportunityId}) { activity { id } errors { message } } }"""
PARTY = {"emailAddress": ADA.email}
SUBJECTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "party": ({"party": PARTY}, {"contacts": [PARTY]}),
    "account": ({"accountId": ACCOUNT}, {"accountId": ACCOUNT}),
    "opportunity": ({"opportunityId": OPPORTUNITY}, {"opportunityId": OPPORTUNITY}),
}
NEVER = {"SWITCHBOARD_LIVE_POLL_SECONDS": "300"}


@pytest.mark.parametrize("name", SUBJECTS)
async def test_what_this_gateway_logs_is_told_at_once(
    environ: dict[str, str], tmp_path: Path, upstream: list[UpstreamCall], name: str
) -> None:
    """Without another look at the vendor, and whole: with what the vendor never gives back. What is of others is not told."""
    of, mine = SUBJECTS[name]
    database = tmp_path / "switchboard.db"
    async with served(environ | NEVER, database, upstream) as gateway, gateway.socket() as follower:
        await follower.subscribe("1", FOLLOW, {"of": of})
        await _until_followed(upstream)
        assert (await gateway.ask(LOG, {"subject": "of nobody"})).errors == []
        assert (await gateway.ask(LOG, {"subject": "first", **mine})).errors == []
        told = (await follower.data())["activityLogged"]
        contacts = [{"displayName": ADA.name}] if name == "party" else []
        assert told == {"subject": "first", "description": "by hand", "contacts": contacts}


async def test_what_others_log_is_told_once_with_the_next_look(
    gateway: Served, environ: dict[str, str], upstream: list[UpstreamCall]
) -> None:
    """From now on: not what was there before."""
    await _log_elsewhere(environ, "before")
    async with gateway.socket() as follower:
        await follower.follow("activity_logged", {"of": {"party": PARTY}})
        await _until_followed(upstream)
        for subject in ("second", "third"):
            await _log_elsewhere(environ, subject)
            told = (await follower.data())["activityLogged"]
            assert (told["subject"], [each["displayName"] for each in told["contacts"]]) == (subject, [ADA.name])


async def test_what_this_gateway_logs_is_not_told_again_when_the_vendor_shows_it(
    gateway: Served, environ: dict[str, str], upstream: list[UpstreamCall]
) -> None:
    """Between one of our own and one of theirs there is no third."""
    async with gateway.socket() as follower:
        await follower.subscribe("1", FOLLOW, {"of": {"party": PARTY}})
        await _until_followed(upstream)
        await gateway.ask(LOG, {"subject": "ours", "contacts": [PARTY]})
        assert (await follower.data())["activityLogged"]["subject"] == "ours"
        await _until_followed(upstream)
        await _log_elsewhere(environ, "theirs")
        assert (await follower.data())["activityLogged"]["subject"] == "theirs"


async def test_what_is_followed_is_told_however_much_is_under_way(
    environ: dict[str, str], tmp_path: Path, upstream: list[UpstreamCall]
) -> None:
    """With what has to be asked for it: only what is new is refused."""
    shedder = Unhurried()
    async with served(environ, tmp_path / "db", upstream, shedder) as gateway, gateway.socket() as follower:
        await follower.subscribe("1", FOLLOW, {"of": {"party": PARTY}})
        await _until_followed(upstream)
        shedder.at_work = 10**6
        await _log_elsewhere(environ, "theirs")
        assert (await follower.data())["activityLogged"]["contacts"] == [{"displayName": ADA.name}]


async def test_who_points_at_nobody_is_told_so(gateway: Served) -> None:
    """A record that does not exist is NOT_FOUND; a party whom nobody knows yet is followed in silence."""
    async with gateway.socket() as follower:
        missing = {"vendorRecord": {"vendor": "REEVO", "kind": "contact", "id": REEVOS[:-1] + "0"}}
        await follower.subscribe("1", FOLLOW, {"of": {"party": missing}})
        message = await follower.next()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "NOT_FOUND")
        await follower.subscribe("2", FOLLOW, {"of": {"party": {"emailAddress": "nobody@example.com"}}})
        await follower.answered()


async def test_a_vendor_that_is_not_configured_ends_the_subscription(
    environ: dict[str, str], tmp_path: Path, upstream: list[UpstreamCall]
) -> None:
    """With the code of a query, for it will not mend itself."""
    environ = {name: value for name, value in environ.items() if name != "TEST_REEVO_API_KEY"}
    async with served(environ, tmp_path / "switchboard.db", upstream) as gateway, gateway.socket() as follower:
        await follower.subscribe("1", FOLLOW, {"of": {"accountId": ACCOUNT}})
        message = await follower.next()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "VENDOR_NOT_CONFIGURED")


async def _until_followed(upstream: list[UpstreamCall]) -> None:
    """Waits until the vendor has been asked for activities, once more."""
    upstream.clear()
    async with asyncio.timeout(PATIENCE):
        while "/api/v2/activity/_query" not in [call.path for call in upstream]:  # noqa: ASYNC110  # no event for it
            await asyncio.sleep(0.01)


async def _log_elsewhere(environ: Mapping[str, str], subject: str) -> None:
    """As another system does, at the vendor itself."""
    metadata = {"activity_time": "2026-11-21T10:00:00Z", "subject": subject, "category": "CALL"}
    body = {"attributes": {"metadata": metadata, "contact_ids": [REEVOS]}}
    headers = {"authorization": f"Bearer {environ['TEST_REEVO_API_KEY']}"}
    async with httpx.AsyncClient(base_url=environ["TEST_REEVO_BASE_URL"]) as http:
        (await http.post("/api/v2/activity", json=body, headers=headers)).raise_for_status()
