"""Calls to one vendor are bounded, and a large query does not starve a small one."""

import asyncio
import threading
from pathlib import Path
from types import CoroutineType
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from app.rest import Rest
from app.sandbox.world import build_world
from schema.vendor import Vendor
from tests.gateway import Gateway
from tests.linked.vendors import behind

WORLD = build_world()
SIXTY = "{ contacts(first: 60) { nodes { contactMethods { nodes { value } } activities { nodes { id } } } } }"
ONE = """query($party: PartyRef!) { activities(of: { party: $party }) { nodes { subject } } }"""
TWO_AT_A_TIME = {"SWITCHBOARD_VENDOR_CONCURRENCY": "2", "SWITCHBOARD_VENDOR_TIMEOUT": "60"}


class Gauge:
    """Stands in front of a sandbox, counts who is inside, and can be shut for calls to one path."""

    def __init__(self, shut_for: str | None = None) -> None:
        self.most = 0
        self.may_pass = threading.Event()
        self._inside = 0
        self._shut_for = shut_for

    def around(self, app: ASGIApp) -> ASGIApp:
        async def gauged(scope: Scope, receive: Receive, send: Send) -> None:
            self._inside += 1
            self.most = max(self.most, self._inside)
            try:
                await self._stay_for_others(scope["path"])
                await app(scope, receive, send)
            finally:
                self._inside -= 1

        return gauged

    async def _stay_for_others(self, path: str) -> None:
        """Until two are inside, and a little longer: a third would be seen, if it were let."""
        if path == self._shut_for:
            await asyncio.to_thread(self.may_pass.wait, 30)
        while self.most < 2 and path.endswith(("/list", "/activity/_query")):  # noqa: ASYNC110  # no event crosses threads
            await asyncio.sleep(0.001)
        for _ in range(20):
            await asyncio.sleep(0)


async def test_never_more_calls_than_the_limit_are_in_flight_at_a_vendor(tmp_path: Path) -> None:
    """Two, at each of the two that a list of sixty with all links asks again and again."""
    gauges = {vendor: Gauge() for vendor in (Vendor.ARTU, Vendor.REEVO)}
    wrapped = {vendor: gauge.around for vendor, gauge in gauges.items()}
    async with behind(tmp_path / "switchboard.db", wrapped, TWO_AT_A_TIME) as served:
        answer = await served.ask(SIXTY)
        assert (answer.errors, len(answer.data["contacts"]["nodes"])) == ([], 60)
        assert len(served.upstream) == 1 + 60 + 60 + 2 + 60
    assert {vendor: gauge.most for vendor, gauge in gauges.items()} == {Vendor.ARTU: 2, Vendor.REEVO: 2}


async def test_a_query_of_one_contact_is_not_starved_by_one_over_sixty(tmp_path: Path) -> None:
    """It comes when all places are taken and dozens of calls wait: it is among the very next that reach the vendor."""
    gauge = Gauge("/api/v2/activity/_query")
    reevos = WORLD.humans[-1].uuid("reevo/contact")
    party = {"vendorRecord": {"vendor": "REEVO", "kind": "contact", "id": reevos}}
    async with behind(tmp_path / "switchboard.db", {Vendor.REEVO: gauge.around}, TWO_AT_A_TIME) as served:
        known = await served.ask("query($party: PartyRef!) { profile(by: $party) { displayName } }", {"party": party})
        assert known.data == {"profile": {"displayName": WORLD.humans[-1].name}}
        large = asyncio.create_task(served.ask("{ contacts(first: 59) { nodes { activities { nodes { id } } } } }"))
        await _until_under_way(59)
        small = asyncio.create_task(_ask(served, party))
        await _until_under_way(60)
        gauge.may_pass.set()
        assert [each["subject"][:6] for each in (await small)["data"]["activities"]["nodes"]] == ["Tomás ", "Intro "]
        assert (await large).errors == []
        asked = [call.body["contact_id"] for call in served.upstream if call.path == "/api/v2/activity/_query"]
        assert (len(asked), asked.index(reevos) < 5) == (60, True)


async def _ask(gateway: Gateway, party: Any) -> Any:
    """Without emptying the record of calls, for another query is under way."""
    body = {"query": ONE, "variables": {"party": party}}
    return (await gateway.http.post("/graphql", json=body, headers={"authorization": "Bearer sk_test_sandbox"})).json()


async def _until_under_way(calls: int) -> None:
    """Until so many calls to vendors have begun, most of them waiting for their turn."""
    async with asyncio.timeout(120):
        while sum(_is_call(task) for task in asyncio.all_tasks()) < calls:  # noqa: ASYNC110  # asyncio has no event for it
            await asyncio.sleep(0.01)


def _is_call(task: asyncio.Task[Any]) -> bool:
    """Whether it waits, at any depth, for a call."""
    inner: Any = task.get_coro()
    while isinstance(inner, CoroutineType):
        if inner.__qualname__ == Rest.ask.__qualname__:
            return True
        inner = inner.cr_await
    return False
